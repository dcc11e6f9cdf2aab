/** Host calls, on the main thread: functions of the embedding program, and requests; with JSON on both ways. */
import { messageOf } from '../errors.ts';
import type { Run } from '../evaluator.ts';
import { FetchDenied } from '../outbound.ts';
import { parseData } from './data.ts';
import { CALL_BYTES } from './errands.ts';
import { requestOf, responseJson, urlOf } from './fetch-wire.ts';
import type { Answer } from './messages.ts';

const MESSAGE_CHARS = 2048;
const NAME_CHARS = 64;

/** What `ctx.call(name, ...args)` comes to. Never rejects; of an error, only the message crosses. */
export async function answerCall(capabilities: Run['capabilities'], name: string, argsJson: string): Promise<Answer> {
  const capability = Object.hasOwn(capabilities, name) ? capabilities[name] : undefined;
  if (typeof capability !== 'function') {
    return `Dthere is no capability ${JSON.stringify(name.slice(0, NAME_CHARS))} for this task`;
  }
  try {
    const args = parseData(argsJson);
    if (!Array.isArray(args)) return 'Ethe arguments are not a list';
    const json = JSON.stringify(await capability(...(args as never[]))) ?? 'null';
    const bytes = Buffer.byteLength(json);
    if (bytes > CALL_BYTES) return `Ethe answer of ${name} has ${bytes} bytes; ${CALL_BYTES} are allowed`;
    return `V${json}`;
  } catch (error) {
    return `E${messageOf(error).slice(0, MESSAGE_CHARS)}`;
  }
}

/** What `ctx.fetch(…)` comes to. Never rejects; of an error, only the message crosses. `over` aborts when the run is. */
export async function answerFetch(fetch: Run['fetch'], requestJson: string, over: AbortSignal): Promise<Answer> {
  if (fetch === undefined) return `Dthis task has no capabilities.fetch, so it may not fetch ${urlOf(requestJson)}`;
  try {
    return `V${responseJson(await fetch(requestOf(requestJson), over))}`;
  } catch (error) {
    const letter = error instanceof FetchDenied ? 'D' : 'E';
    return `${letter}${messageOf(error).slice(0, MESSAGE_CHARS)}`;
  }
}

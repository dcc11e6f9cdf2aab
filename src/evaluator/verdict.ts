/**
 * What a run came to, decided from what the host has seen for itself. What the task says of its error is shown, but
 * decides nothing: `throw { name: 'InternalError', message: 'interrupted' }` is an object that was thrown.
 */
import type { Limits } from '../evaluator.ts';
import type { RunErrorClass } from '../launch.ts';

/** Facts of the host's side about a run that has failed, or will not go on. */
export interface Facts {
  /** The host stopped the run. */
  readonly stopped: 'wall' | 'cpu' | 'cancelled' | 'crowded' | undefined;
  readonly refusedMemory: boolean;
  /** Looked at only for errors that may be about it; it costs a scan. */
  readonly spentStack: () => boolean;
  /** Names of the errors that the host itself has put into the run. */
  readonly told: ReadonlySet<string>;
  /** A run that is repeated waits for what the recorded one never saw. */
  readonly unanswered: string | undefined;
}

/** An error as the guest describes it. */
export interface GuestError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

export interface Verdict {
  /** Absent: the run succeeded. */
  readonly failure?: RunErrorClass;
  /** JSON: the result, or a {@link GuestError}. */
  readonly body: string;
}

/** Errors that the host puts into a run, where the task may catch them. */
const TOLD = ['CapabilityDenied', 'HostCallLimit', 'ConcurrencyLimit', 'TimerLimit'] as const;
/** V8 overflows its stack when it writes JSON of some thousand levels, and results are written again and again. */
const RESULT_DEPTH_MAX = 500;
/** Frames of task code, the only ones that are shown. */
const TASK_FRAME = /^\s*at .{0,200}\btask\.js:\d+(?::\d+)?\)?$/;
const STACK_LINES = 20;
const NAME_CHARS = 128;
const MESSAGE_CHARS = 2048;

export const succeed = (resultJson: string): Verdict => ({ body: resultJson });

export const fail = (failure: RunErrorClass, error: GuestError | string): Verdict => ({
  failure,
  body: JSON.stringify(typeof error === 'string' ? { name: failure, message: error } : error),
});

/** The guest's description of an error, held to its form. */
export function parseGuestError(json: string): GuestError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    parsed = undefined;
  }
  const field = (key: string, chars: number): string | undefined => {
    if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, key)) return undefined;
    const value: unknown = Reflect.get(parsed, key);
    return typeof value === 'string' ? value.slice(0, chars) : undefined;
  };
  const stack = (field('stack', Number.POSITIVE_INFINITY) ?? '')
    .split('\n')
    .filter((line) => TASK_FRAME.test(line))
    .slice(0, STACK_LINES)
    .map((line) => line.trim())
    .join('\n');
  return {
    name: field('name', NAME_CHARS) ?? 'Error',
    message: field('message', MESSAGE_CHARS) ?? 'an error that cannot be described',
    ...(stack === '' ? {} : { stack }),
  };
}

export function judgeResult(json: string, bytes: number, { resultBytes }: Limits): Verdict {
  if (bytes > resultBytes) {
    return fail('ResultTooLarge', `the result has ${bytes} bytes as JSON; ${resultBytes} are allowed`);
  }
  if (isDeeperThan(json, RESULT_DEPTH_MAX)) {
    return fail('ResultTooLarge', `the result is nested more than ${RESULT_DEPTH_MAX} levels deep`);
  }
  return succeed(json);
}

/** Whether JSON has more than `levels` of lists and objects inside each other. */
function isDeeperThan(json: string, levels: number): boolean {
  // Each level takes two characters.
  if (json.length <= 2 * levels) return false;
  let depth = 0;
  // A text that is never closed is one still: to look for it again from every quotation mark in it would take hours.
  for (const [token] of json.matchAll(/[[{]|[\]}]|"(?:[^"\\]|\\.)*"?/g)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > levels) return true;
  }
  return false;
}

/**
 * Out of memory, the engine throws an InternalError, or a SyntaxError while it compiles a pattern; or null when there
 * was no room even for that, and perhaps none to describe it.
 */
const saysOutOfMemory = ({ name, message }: GuestError): boolean =>
  name === 'InternalError' ||
  message === 'out of memory' ||
  message === 'null' ||
  (name === 'Thrown' && message === '[unprintable]');

/** The task's own error, put into its class. */
export function judgeThrown(error: GuestError, facts: Facts, limits: Limits): Verdict {
  const stop = judgeStop(facts, limits);
  if (stop !== undefined) return stop;
  if (facts.refusedMemory && saysOutOfMemory(error)) {
    return fail('Memory', { ...error, name: 'InternalError', message: memoryMessage(limits) });
  }
  if (error.name === 'RangeError' && facts.spentStack()) return fail('StackOverflow', error);
  const told = TOLD.find((name) => name === error.name);
  if (told !== undefined && facts.told.has(told)) return fail(told, error);
  return fail('Thrown', error);
}

/** What the parser said of the source. Lists show messages, not stacks, so the place is put into the message. */
export function judgeRefused(error: GuestError): Verdict {
  // The only other thing that the engine throws here is that it found no module to import.
  if (error.name !== 'SyntaxError') {
    return fail('Syntax', { name: 'SyntaxError', message: `task code cannot import modules: ${error.message}` });
  }
  const place = /task\.js:\d+(?::\d+)?/.exec(error.stack ?? '')?.[0];
  return fail('Syntax', place === undefined ? error : { ...error, message: `${error.message} (${place})` });
}

export const NO_DEFAULT_EXPORT: Verdict = fail('Syntax', {
  name: 'SyntaxError',
  message:
    'a module needs a default export: `export default` and a function of `ctx`, or a value, which is then the result',
});

/** A run in which nothing is pending any more, without a result. */
export function judgeSilence(facts: Facts, limits: Limits): Verdict {
  const stop = judgeStop(facts, limits);
  if (stop !== undefined) return stop;
  if (facts.refusedMemory) return fail('Memory', memoryMessage(limits));
  if (facts.unanswered !== undefined) return fail('Diverged', facts.unanswered);
  return fail('Stalled', 'waits for a promise that nothing can settle any more: no timer and no host call is pending');
}

/** The engine broke off: a trap of WebAssembly, or an overflow of the thread's own stack. */
export function judgeTrap(error: unknown, facts: Facts, limits: Limits): Verdict {
  const stop = judgeStop(facts, limits);
  if (stop !== undefined) return stop;
  if (facts.refusedMemory) return fail('Memory', memoryMessage(limits));
  if (error instanceof RangeError && error.message === 'Maximum call stack size exceeded') {
    return fail('StackOverflow', 'Maximum call stack size exceeded');
  }
  return fail('EngineTrap', 'the engine broke off; its memory is thrown away');
}

function judgeStop({ stopped }: Facts, limits: Limits): Verdict | undefined {
  switch (stopped) {
    case 'wall':
      return fail('Timeout', { name: 'WallTimeout', message: `did not finish within ${limits.wallMs} ms` });
    case 'cpu':
      return fail('Timeout', { name: 'CpuTimeout', message: `computed for more than ${limits.cpuMs} ms` });
    case 'cancelled':
      return fail('Cancelled', 'the caller gave up');
    case 'crowded':
      return fail('Memory', 'held the most memory of all runs that waited in this worker, and there was none left');
    case undefined:
      return undefined;
  }
}

const memoryMessage = ({ memoryBytes }: Limits): string => `out of memory: ${memoryBytes} bytes are allowed`;

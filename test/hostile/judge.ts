/** What is wrong with what was seen of a hostile run: a list of sentences, empty when nothing is. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_LIMITS } from '../../src/evaluator.ts';
import { type Outcome, RUN_ERROR_CLASSES } from '../../src/launch.ts';
import type { Observation } from './arena.ts';
import { type CapabilityName, type HostileCase, sourceOf } from './case.ts';
import type { Secrets } from './secrets.ts';

const OUTCOME_KEYS = new Set(
  'status value completed state nextAt error logs truncated usage answers hasStarted'.split(' '),
);
const ERROR_KEYS = new Set(['class', 'name', 'message', 'stack']);
const USAGE_KEYS = ['wallMs', 'cpuMs', 'peakBytes', 'hostCalls'] as const;
const STATUS_OF_TIMEOUT = 'timed-out';
/** An error stays small, whatever a task throws. */
const ERROR_CHARS_MAX = 16 * 1024;
const OWN_FRAME = /^at .{0,250}\btask\.js:\d+(?::\d+)?\)?$/;

/** Of any run, whatever it was meant to do. */
export function faultsOf(source: string, seen: Observation, secrets: Secrets): string[] {
  const { outcome } = seen;
  if (outcome === undefined) return ['it hung'];
  return [
    ...faultsOfShape(outcome),
    ...faultsOfResult(outcome),
    ...secrets.leaksIn(JSON.stringify(outcome), source).map((leak) => `it shows ${JSON.stringify(leak)}`),
    ...faultsOfTheNext(seen),
    ...seen.pollution.map((key) => `a prototype of the host has ${key}`),
  ];
}

/** Of this case. */
export function judge(given: HostileCase, seen: Observation, secrets: Secrets): string[] {
  const faults = faultsOf(sourceOf(given), seen, secrets);
  const { outcome } = seen;
  if (outcome === undefined) return faults;
  const end = outcome.error?.class ?? 'succeeded';
  if (!given.ends.includes(end)) {
    const { value, error } = outcome;
    faults.push(`it ended as ${end}, not ${given.ends.join(' or ')}: ${JSON.stringify(error ?? value).slice(0, 300)}`);
  }
  if (end === 'succeeded' && 'value' in given && !isDeepStrictEqual(outcome.value, given.value)) {
    faults.push(`its value is ${JSON.stringify(outcome.value)}, not ${JSON.stringify(given.value)}`);
  }
  if (given.never?.test(JSON.stringify(outcome))) faults.push(`it shows ${given.never}: ${JSON.stringify(outcome)}`);
  for (const [name, most] of Object.entries(given.callsAtMost ?? {})) {
    const count = seen.calls[name as CapabilityName];
    if (count > most) faults.push(`it called ${name} ${count} times; ${most} are allowed`);
  }
  return faults;
}

function faultsOfShape(outcome: Outcome): string[] {
  const faults = foreignKeys('the outcome', outcome, OUTCOME_KEYS);
  const { status, error, logs, truncated, usage } = outcome;
  if (!['succeeded', 'failed', STATUS_OF_TIMEOUT].includes(status)) faults.push(`its status is ${status}`);
  if ((status === 'succeeded') !== (error === undefined)) faults.push(`${status} with error ${JSON.stringify(error)}`);
  if ((status === 'succeeded') !== Object.hasOwn(outcome, 'value')) faults.push(`${status}, but for a value`);
  if ((error?.class === 'Timeout') !== (status === STATUS_OF_TIMEOUT)) faults.push(`${status} for ${error?.class}`);
  if (error !== undefined) faults.push(...faultsOfError(error));
  if (typeof truncated !== 'boolean') faults.push(`truncated is ${truncated}`);
  for (const key of USAGE_KEYS)
    if (!(usage[key] >= 0 && usage[key] < 1e12)) faults.push(`usage.${key} is ${usage[key]}`);
  if (!logs.every((line) => typeof line === 'string' && line.isWellFormed())) faults.push('a log line is no text');
  const logBytes = logs.reduce((bytes, line) => bytes + Buffer.byteLength(line), 0);
  if (logBytes > DEFAULT_LIMITS.logBytes || logs.length > DEFAULT_LIMITS.logLines) {
    faults.push(`${logs.length} log lines of ${logBytes} bytes`);
  }
  return faults;
}

function faultsOfError(error: NonNullable<Outcome['error']>): string[] {
  const faults = foreignKeys('the error', error, ERROR_KEYS);
  if (!RUN_ERROR_CLASSES.includes(error.class)) faults.push(`there is no class ${error.class}`);
  const texts = [error.name, error.message, ...(error.stack === undefined ? [] : [error.stack])];
  if (texts.some((text) => typeof text !== 'string')) faults.push('the error is not text');
  if (texts.join('').length > ERROR_CHARS_MAX) faults.push('the error is long');
  for (const line of error.stack?.split('\n') ?? []) {
    if (!OWN_FRAME.test(line)) faults.push(`the stack shows ${JSON.stringify(line.slice(0, 200))}`);
  }
  return faults;
}

function faultsOfResult(outcome: Outcome): string[] {
  const { value, completed, state, nextAt } = outcome;
  const faults = [...foreignJson(value), ...foreignJson(state ?? null), ...foreignJson(nextAt ?? null)];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const own = (key: string): unknown => (isObject && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined);
  if ((completed === true) !== (own('completed') === true)) faults.push(`completed is ${completed}`);
  if (!isDeepStrictEqual(state, own('state'))) faults.push('the state is not that of the value');
  if (!isDeepStrictEqual(nextAt, own('nextAt'))) faults.push('nextAt is not that of the value');
  const bytes = Buffer.byteLength(JSON.stringify(value ?? null));
  if (bytes > DEFAULT_LIMITS.resultBytes) faults.push(`the value has ${bytes} bytes`);
  return faults;
}

/** What is not JSON as this realm parses it, with an index into it. */
function foreignJson(root: unknown): string[] {
  const faults: string[] = [];
  const queue: unknown[] = [root];
  for (const value of queue) {
    if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') continue;
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) faults.push(`the number ${value}`);
      continue;
    }
    if (typeof value !== 'object') {
      faults.push(`a ${typeof value} in the value`);
      continue;
    }
    const expected: unknown = Array.isArray(value) ? Array.prototype : Object.prototype;
    if (Object.getPrototypeOf(value) !== expected) faults.push('an object with another prototype');
    if (Object.hasOwn(value, '__proto__')) faults.push('an object with an own __proto__');
    if (Object.getOwnPropertySymbols(value).length > 0) faults.push('an object with a symbol');
    queue.push(...Object.values(value));
  }
  return faults;
}

/** Whether later runs, and those beside it, are as they should be. */
function faultsOfTheNext({ canary, neighbour, pristine }: Observation): string[] {
  const faults: string[] = [];
  if (!isDeepStrictEqual(canary.value, pristine)) faults.push(`the next run ${difference(canary, pristine)}`);
  // Whoever is ended by force takes the other runs of the worker along; that is said, and they can be run again.
  const isLost = neighbour.error?.class === 'WorkerLost';
  if (!isLost && !isDeepStrictEqual(neighbour.value, pristine)) {
    faults.push(`the run beside it ${difference(neighbour, pristine)}`);
  }
  return faults;
}

const difference = ({ value, error }: Outcome, pristine: unknown): string =>
  error === undefined
    ? `finds ${JSON.stringify(value)}, not ${JSON.stringify(pristine)}`
    : `ends as ${error.class}: ${error.message}`;

const foreignKeys = (what: string, object: object, known: ReadonlySet<string>): string[] =>
  Reflect.ownKeys(object)
    .filter((key) => typeof key === 'symbol' || !known.has(key))
    .map((key) => `${what} has ${String(key)}`);

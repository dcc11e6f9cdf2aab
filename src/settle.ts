/** From a task's record, a decision and an outcome to the next record: pure. One commit writes what comes out. */
import type { EpochMs } from './clock.ts';
import { received } from './errors.ts';
import { type HistoryChange, recordRuns } from './history.ts';
import { launchId, type Outcome, type RunError } from './launch.ts';
import type { Closing, Launch, SkippedRange } from './plan.ts';
import { isRemoved, moveTo, type RunRecord, rearm, slotAfter, type TaskRecord } from './record.ts';
import { hash32, seedOf } from './shard.ts';
import type { Retry } from './task.ts';

/** UTF-8 bytes of an output as JSON that a run's record keeps. */
export const OUTPUT_BYTES_MAX = 16 * 1024;

/** Dead letters kept per task; the oldest goes first. */
export const DEAD_LETTERS_MAX = 10;

/** What was decided for a task, and what became of it. */
export interface Done {
  readonly skipped: readonly SkippedRange[];
  readonly launch?: Launch;
  readonly closing?: Closing;
  readonly outcome?: Outcome;
  /** When the run began, or the decision was made. */
  readonly startedMs: EpochMs;
  readonly finishedMs: EpochMs;
  /** Of the lease under which it is recorded. */
  readonly fence: number;
  /** `createdMs` of the record it was decided on: a task made anew under the same id is another one. */
  readonly createdMs: EpochMs;
}

/** A launch that failed for good: everything needed to look into it, and to launch it again. */
export interface DeadLetter {
  readonly taskId: string;
  readonly slotMs: EpochMs;
  readonly code: string;
  readonly input: unknown;
  readonly run: RunRecord;
}

export interface Settled {
  readonly record: TaskRecord;
  readonly history: HistoryChange;
  readonly dead?: DeadLetter;
  /** Slot of the dead letter that makes room. */
  readonly evictedSlotMs?: EpochMs;
  /** The run's own record, where there was one. */
  readonly run?: RunRecord;
  /** Everything that was recorded, oldest first. */
  readonly added: readonly RunRecord[];
}

/**
 * Settles on the record as it is now, which may be newer than the one the decision was made on: an edit keeps its
 * definition, the run keeps its record.
 */
export function settle(record: TaskRecord, done: Done): Settled {
  const skips = done.skipped.map((range) => skipRecord(range, record, done));
  const after = passSkipped(record, done);
  if (done.launch === undefined) return finish(after, skips);
  const { record: next, run, isDead } = settleLaunch(after, done.launch, done);
  if (!isDead) return { ...finish(next, [...skips, run]), run };
  const deadSlots = [...next.deadSlots, run.slotMs];
  const evicted = deadSlots.length > DEAD_LETTERS_MAX ? deadSlots.shift() : undefined;
  return {
    ...finish({ ...next, deadSlots }, [...skips, run]),
    run,
    dead: deadLetter(record, done.launch, run),
    ...(evicted !== undefined && { evictedSlotMs: evicted }),
  };
}

/** Whether a record shows what was done already: its commit was applied, though the reply was lost. */
export function isRecorded({ runs }: TaskRecord, done: Done): boolean {
  const slotMs = done.launch?.slotMs ?? done.skipped.at(-1)?.firstSlotMs;
  const attempt = done.launch?.attempt ?? 0;
  return runs.some((run) => run.slotMs === slotMs && run.attempt === attempt && run.fence === done.fence);
}

function finish(record: TaskRecord, runs: readonly RunRecord[]): Settled {
  const { record: kept, history } = recordRuns(record, runs);
  return { record: rearm(kept), history, added: runs };
}

/** Moves the schedule past the skipped slots, unless an edit has moved it already. */
function passSkipped(record: TaskRecord, done: Done): TaskRecord {
  const lastMs = done.skipped.at(-1)?.lastSlotMs;
  const stands = lastMs !== undefined && record.nextSlotMs !== undefined && record.nextSlotMs <= lastMs;
  return stands && isSame(record, done) ? moveTo(record, slotAfter(record, lastMs), 'exhausted') : record;
}

/** Whether this is still the task that was launched: not removed, not made anew under the same id. */
const isSame = (record: TaskRecord, done: Done): boolean => record.createdMs === done.createdMs && !isRemoved(record);

function skipRecord(range: SkippedRange, { revision }: TaskRecord, done: Done): RunRecord {
  const { firstSlotMs, lastSlotMs, count, reason } = range;
  return {
    slotMs: firstSlotMs,
    attempt: 0,
    status: 'skipped',
    startedMs: done.startedMs,
    finishedMs: done.startedMs,
    fence: done.fence,
    revision,
    reason,
    count,
    lastSlotMs,
  };
}

interface LaunchSettled {
  readonly record: TaskRecord;
  readonly run: RunRecord;
  readonly isDead: boolean;
}

function settleLaunch(record: TaskRecord, launch: Launch, done: Done): LaunchSettled {
  const { task } = record;
  const isOwn = isSame(record, done);
  const run = runRecord(launch, done);
  if (run.status === 'succeeded') {
    return {
      record: isOwn ? succeeded(record, launch, run, done.outcome) : record,
      run: noted(run, launch, done.outcome),
      isDead: false,
    };
  }
  if (!isOwn) return { record, run, isDead: false };
  if (run.status !== 'uncertain' && done.closing === undefined && mayRetry(record, launch, run)) {
    const retryMs = run.finishedMs + retryDelayMs(task.retry, launch, run, launchId(task.id, launch.slotMs));
    const { nextSlotMs: _, ...rest } = record;
    const next = ownsCursor(record, launch) ? slotAfter(record, launch.slotMs) : record.nextSlotMs;
    const retry = {
      slotMs: launch.slotMs,
      attempt: launch.attempt + 1,
      dueMs: retryMs,
      sinceMs: launch.sinceMs ?? run.startedMs,
      ...(launch.manual !== undefined && { manual: launch.manual }),
    };
    const waiting = {
      ...rest,
      retry,
      manual: withoutManual(record, launch),
      ...(next !== undefined && { nextSlotMs: next }),
    };
    return { record: waiting, run: { ...run, retryMs }, isDead: false };
  }
  return { record: closed(record, launch, run), run, isDead: run.status !== 'uncertain' };
}

/** The launch has come to an end: the schedule moves on. */
function closed(record: TaskRecord, launch: Launch, run: RunRecord): TaskRecord {
  const { retry: _, ...rest } = record;
  if (launch.manual !== undefined) return { ...rest, manual: withoutManual(record, launch) };
  const counted: TaskRecord = {
    ...rest,
    launches: record.launches + 1,
    busy: { fromMs: launch.sinceMs ?? run.startedMs, untilMs: run.finishedMs },
  };
  if (record.ended !== undefined) return counted;
  // A cursor beyond the slot was set by an edit, or when the retry began: only maxRuns can still end it.
  const elsewhereMs = isSpent(counted) ? undefined : record.nextSlotMs;
  return moveTo(counted, ownsCursor(record, launch) ? slotAfter(counted, launch.slotMs) : elsewhereMs, 'exhausted');
}

/** Whether the schedule still stands at this launch's slot. An edit during the run may have moved it. */
const ownsCursor = (record: TaskRecord, launch: Launch): boolean =>
  launch.manual === undefined && record.nextSlotMs !== undefined && record.nextSlotMs <= launch.slotMs;

const withoutManual = ({ manual }: TaskRecord, launch: Launch) =>
  launch.manual === undefined ? manual : manual.filter(({ slotMs }) => slotMs !== launch.slotMs);

function succeeded(record: TaskRecord, launch: Launch, run: RunRecord, outcome: Outcome | undefined): TaskRecord {
  const next = closed(record, launch, run);
  const carried = outcome !== undefined && Object.hasOwn(outcome, 'state') ? { ...next, state: outcome.state } : next;
  if (outcome?.completed === true) return moveTo(carried, undefined, 'completed');
  const nextAtMs = parseNextAt(outcome?.nextAt);
  if (nextAtMs === undefined || nextAtMs <= launch.slotMs || isSpent(carried)) return carried;
  return moveTo(carried, nextAtMs > (record.task.endMs ?? Infinity) ? undefined : nextAtMs, 'exhausted');
}

const isSpent = ({ task, launches }: TaskRecord): boolean => task.maxRuns !== undefined && launches >= task.maxRuns;

/** Epoch ms of a task's `nextAt`: an ISO instant or epoch ms; undefined for anything else. */
export function parseNextAt(nextAt: unknown): EpochMs | undefined {
  const ms = typeof nextAt === 'string' ? Date.parse(nextAt) : nextAt;
  return typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0 && ms <= 8.64e15 ? ms : undefined;
}

/** A `nextAt` that cannot be used is said in the run's log, where its author looks. */
function noted(run: RunRecord, launch: Launch, outcome: Outcome | undefined): RunRecord {
  const nextAt = outcome?.nextAt;
  if (nextAt === undefined || nextAt === null) return run;
  const ms = parseNextAt(nextAt);
  if (ms !== undefined && ms > launch.slotMs) return run;
  const note = `nextAt ignored: received ${received(nextAt)}; allowed: an ISO instant or epoch ms later than the slot`;
  return { ...run, logs: [...(run.logs ?? []), note] };
}

/** Code that does not parse fails the same way again; `at-most-once` starts no second time. */
function mayRetry(record: TaskRecord, launch: Launch, run: RunRecord): boolean {
  const { delivery, retry } = record.task;
  return delivery === 'at-least-once' && launch.attempt < retry.attempts && run.error?.class !== 'Syntax';
}

/** Exponential backoff; jitter takes up to half of it away, by a seed, so that a replay waits as long. */
export function retryDelayMs(retry: Retry, { attempt }: Launch, run: Pick<RunRecord, 'error'>, launch: string): number {
  if (run.error?.class === 'WorkerLost') return 0;
  const delayMs = Math.min(retry.maxMs, retry.backoffMs * retry.factor ** (attempt - 1));
  const share = retry.jitter ? 1 - hash32(`jitter:${seedOf(launch, attempt)}`) / 2 ** 32 / 2 : 1;
  return Math.round(delayMs * share);
}

function runRecord(launch: Launch, done: Done): RunRecord {
  const { outcome, closing } = done;
  const error: RunError | undefined =
    closing?.status === 'failed'
      ? { class: 'WorkerLost', name: 'HolderLost', message: closing.reason }
      : outcome?.error;
  const output = outcome === undefined ? undefined : outputOf(outcome);
  return {
    slotMs: launch.slotMs,
    attempt: launch.attempt,
    status: closing?.status ?? outcome?.status ?? 'failed',
    startedMs: done.startedMs,
    finishedMs: done.finishedMs,
    fence: done.fence,
    revision: launch.revision,
    ...(output !== undefined && { output: output.value }),
    ...(error !== undefined && { error }),
    ...(outcome !== undefined && outcome.logs.length > 0 && { logs: outcome.logs }),
    ...((outcome?.truncated === true || output?.truncated === true) && { truncated: true }),
    ...(launch.manual !== undefined && { manual: true }),
    ...(closing?.status === 'uncertain' && { reason: closing.reason }),
  };
}

const RESULT_KEYS: ReadonlySet<string> = new Set(['completed', 'state', 'nextAt', 'output']);

/** The result's `output`, or what is left of the result without the keys that steer the task. Cut when too large. */
export function outputOf({ status, value }: Outcome): { value: unknown; truncated: boolean } | undefined {
  if (status !== 'succeeded') return undefined;
  const output = bareOutput(value);
  if (output === undefined || output === null) return undefined;
  const json = JSON.stringify(output);
  if (json.length * 3 <= OUTPUT_BYTES_MAX || Buffer.byteLength(json) <= OUTPUT_BYTES_MAX)
    return { value: output, truncated: false };
  return {
    value: Buffer.from(json)
      .subarray(0, OUTPUT_BYTES_MAX)
      .toString()
      .replace(/\uFFFD$/, ''),
    truncated: true,
  };
}

function bareOutput(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (Object.hasOwn(value, 'output')) return (value as { output: unknown }).output;
  const rest = Object.entries(value).filter(([key]) => !RESULT_KEYS.has(key));
  const steers = rest.length < Object.keys(value).length;
  return !steers ? value : rest.length === 0 ? undefined : Object.fromEntries(rest);
}

const deadLetter = (record: TaskRecord, launch: Launch, run: RunRecord): DeadLetter => ({
  taskId: record.task.id,
  slotMs: launch.slotMs,
  code: record.task.code.hash,
  input: inputOf(record, launch),
  run,
});

/** What the launch is given: the input asked for by hand, or the task's. */
export const inputOf = ({ task }: TaskRecord, { manual }: Launch): unknown =>
  manual !== undefined && Object.hasOwn(manual, 'input') ? manual.input : task.input;

/** From a task's record, a decision and an outcome to the next record: pure. One commit writes what comes out. */
import { advanceBackfill } from './backfill.ts';
import type { EpochMs } from './clock.ts';
import { type End, endOf, nextAtNote } from './end.ts';
import { unnamedFrom } from './free-slot.ts';
import { type HistoryChange, recordRuns } from './history.ts';
import { INSTANT_MAX_MS, parseInstant } from './instant.ts';
import { launchId, type Outcome } from './launch.ts';
import type { Closing, Launch, SkippedRange } from './plan.ts';
import {
  type BusySpan,
  type Gap,
  type Given,
  isRemoved,
  moveTo,
  type RunRecord,
  rearm,
  runsIn,
  type StandsFor,
  slotAfter,
  type TaskRecord,
  undecidedFrom,
} from './record.ts';
import { hash32, seedOf, spreadOffsetMs } from './shard.ts';
import type { Retry } from './task.ts';

/** Spans of `busy` that a record holds; the oldest two become one. */
const BUSY_SPANS_MAX = 8;

/** Dead letters kept per task; the oldest goes first. */
export const DEAD_LETTERS_MAX = 10;

/** What was decided for a task, and what became of it. */
export interface Done {
  readonly skipped: readonly SkippedRange[];
  readonly launch?: Launch;
  readonly closing?: Closing;
  readonly outcome?: Outcome;
  /** What the run that came to this outcome was given. */
  readonly given?: Given;
  /** When the run began, or the decision was made. */
  readonly startedMs: EpochMs;
  readonly finishedMs: EpochMs;
  /** Of the lease under which it is recorded. */
  readonly fence: number;
  /** `createdMs` of the record it was decided on: a task made anew under the same id is another one. */
  readonly createdMs: EpochMs;
  /** Of the definition it was decided on. */
  readonly revision: number;
}

/** Of a decision that nothing ran for. */
export const decidedAt = (
  { createdMs, revision }: TaskRecord,
  fence: number,
  nowMs: EpochMs,
): Pick<Done, 'startedMs' | 'finishedMs' | 'fence' | 'createdMs' | 'revision'> => ({
  startedMs: nowMs,
  finishedMs: nowMs,
  fence,
  createdMs,
  revision,
});

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
  const skips = done.skipped.map((range) => skipRecord(range, done));
  const lastMs = done.skipped.at(-1)?.lastSlotMs;
  const after = lastMs === undefined ? record : passed(record, lastMs, done, done.skipped[0]?.firstSlotMs);
  if (done.launch === undefined) return finish(after, skips);
  const { record: launched, run, isDead } = settleLaunch(after, done.launch, done);
  const next = isSame(after, done) ? advanceBackfill(launched, done.launch, run.finishedMs) : launched;
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
export function isRecorded(record: TaskRecord, done: Done): boolean {
  const slotMs = done.launch?.slotMs ?? done.skipped.at(-1)?.firstSlotMs;
  const attempt = done.launch?.attempt ?? 0;
  return runsIn(record).some((run) => run.slotMs === slotMs && run.attempt === attempt && run.fence === done.fence);
}

function finish(record: TaskRecord, runs: readonly RunRecord[]): Settled {
  const { record: kept, history } = recordRuns(record, runs);
  return { record: rearm(kept), history, added: runs };
}

/** The schedule has decided all slots up to this one: it moves on, unless an edit has moved it already. */
function passed(record: TaskRecord, slotMs: EpochMs, done: Done, firstMs = slotMs): TaskRecord {
  const { registeredRevision = 1, supersededMs = record.registeredMs } = record;
  const isOfEarlier = record.createdMs !== done.createdMs || done.revision < registeredRevision;
  const decided = {
    ...withoutFromGaps(record, firstMs, slotMs),
    decidedMs: Math.max(record.decidedMs ?? slotMs, slotMs),
    ...(isOfEarlier && slotMs > supersededMs && { supersededMs: slotMs }),
  };
  const stands = record.nextSlotMs !== undefined && record.nextSlotMs <= slotMs;
  return stands ? moveTo(decided, slotAfter(decided, slotMs), 'exhausted') : decided;
}

/** What was under way while the task was paused was not passed over: it is recorded, from `firstMs` to `lastMs`. */
function withoutFromGaps(record: TaskRecord, firstMs: EpochMs, lastMs: EpochMs): TaskRecord {
  const holds = ({ fromMs, untilMs }: Gap) => fromMs <= lastMs && firstMs < untilMs;
  if (record.gaps?.some(holds) !== true) return record;
  const isLeft = ({ fromMs, untilMs }: Gap) => fromMs < untilMs;
  const parts = (gap: Gap) => [
    { ...gap, untilMs: firstMs },
    { ...gap, fromMs: lastMs + 1 },
  ];
  return { ...record, gaps: record.gaps.flatMap((gap) => (holds(gap) ? parts(gap).filter(isLeft) : [gap])) };
}

/** Whether this is still the task that was launched: not removed, not made anew under the same id. */
const isSame = (record: TaskRecord, done: Done): boolean => record.createdMs === done.createdMs && !isRemoved(record);

function skipRecord(range: SkippedRange, done: Done): RunRecord {
  const { firstSlotMs, lastSlotMs, count, reason } = range;
  return {
    slotMs: firstSlotMs,
    attempt: 0,
    status: 'skipped',
    startedMs: done.startedMs,
    finishedMs: done.startedMs,
    fence: done.fence,
    revision: done.revision,
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
  const run = runRecord(launch, done);
  const isScheduled = launch.manual === undefined;
  if (!isSame(record, done)) {
    return { record: isScheduled ? passed(record, launch.slotMs, done) : record, run, isDead: false };
  }
  if (run.status === 'succeeded') return { ...succeeded(record, launch, run, done), isDead: false };
  if (run.status !== 'uncertain' && done.closing === undefined && mayRetry(record, launch, run)) {
    const retryMs = run.finishedMs + retryDelayMs(task.retry, launch, run, launchId(task.id, launch.slotMs));
    const retry = {
      slotMs: launch.slotMs,
      attempt: launch.attempt + 1,
      dueMs: retryMs,
      sinceMs: launch.sinceMs ?? run.startedMs,
      ...(launch.manual !== undefined && { manual: launch.manual }),
    };
    // The last slot of a schedule does not end the task before its launch has come to an end.
    const { ended: _, ...open } = isScheduled ? passed(record, launch.slotMs, done) : record;
    const ended = record.ended !== undefined && { ended: record.ended };
    const waiting = { ...open, ...ended, retry, manual: withoutManual(record, launch) };
    return { record: waiting, run: { ...run, retryMs }, isDead: false };
  }
  return { record: closed(record, launch, run, done), run, isDead: run.status !== 'uncertain' };
}

/** The launch has come to an end: the schedule moves on. */
function closed(record: TaskRecord, launch: Launch, run: RunRecord, done: Done): TaskRecord {
  const rest = withoutRetry(record, launch);
  if (launch.manual !== undefined) return { ...rest, manual: withoutManual(record, launch) };
  const span = { fromMs: launch.sinceMs ?? run.startedMs, untilMs: run.finishedMs };
  const counted = passed({ ...rest, launches: record.launches + 1 }, launch.slotMs, done);
  if (record.ended !== undefined) return counted;
  // An edit or the first attempt may have moved the schedule before the launch was counted.
  return withBusy(moveTo(counted, isSpent(counted) ? undefined : counted.nextSlotMs, 'exhausted'), span);
}

function withoutRetry(record: TaskRecord, { slotMs }: Launch): TaskRecord {
  if (record.retry?.slotMs !== slotMs) return record;
  const { retry: _, ...others } = record;
  return others;
}

/** A launch asked for by hand may run while another one waits for the end of a pause to be tried again. */
const isOther = (retry: TaskRecord['retry'], { slotMs }: Launch): boolean =>
  retry !== undefined && retry.slotMs !== slotMs;

/** Remembers when a launch was unfinished, as long as a slot that fell due meanwhile, or earlier, is undecided. */
function withBusy(record: TaskRecord, span: BusySpan): TaskRecord {
  const nextDueMs = (record.nextSlotMs ?? Infinity) + spreadOffsetMs(record.task);
  if (record.busy === undefined && span.untilMs < nextDueMs) return record;
  const { busy = [], ...rest } = record;
  const spans: BusySpan[] = [];
  for (const each of [...busy, span].filter(({ untilMs }) => untilMs >= nextDueMs)) {
    const last = spans.at(-1);
    if (last !== undefined && isGapless(record, last, each)) spans.splice(-1, 1, { ...last, untilMs: each.untilMs });
    else spans.push(each);
  }
  const [first, second, ...later] = spans;
  if (first === undefined) return rest;
  const isMany = second !== undefined && spans.length > BUSY_SPANS_MAX;
  return { ...rest, busy: isMany ? [{ fromMs: first.fromMs, untilMs: second.untilMs }, ...later] : spans };
}

/** Whether no slot falls due between two spans. */
function isGapless(record: TaskRecord, before: BusySpan, after: BusySpan): boolean {
  const offsetMs = spreadOffsetMs(record.task);
  return (slotAfter(record, before.untilMs - offsetMs) ?? Infinity) + offsetMs > after.fromMs;
}

const withoutManual = ({ manual }: TaskRecord, launch: Launch) =>
  launch.manual === undefined ? manual : manual.filter(({ slotMs }) => slotMs !== launch.slotMs);

function succeeded(record: TaskRecord, launch: Launch, run: RunRecord, done: Done) {
  const { outcome } = done;
  const next = closed(record, launch, run, done);
  const carried = outcome !== undefined && Object.hasOwn(outcome, 'state') ? { ...next, state: outcome.state } : next;
  if (outcome?.completed === true) return { record: moveTo(carried, undefined, 'completed'), run };
  const { nextAt } = outcome ?? {};
  // What makes up for a slot of the past says nothing of what is to come.
  if (nextAt === undefined || nextAt === null || run.forSlotMs !== undefined) return { record: carried, run };
  const nextAtMs = parseNextAt(nextAt);
  if (nextAtMs === undefined || nextAtMs <= Math.max(launch.slotMs, carried.decidedMs ?? 0)) {
    return { record: carried, run: ignoringNextAt(run, nextAt) };
  }
  if (isSpent(carried)) return { record: carried, run };
  const movedMs = unnamedFrom(carried, nextAtMs);
  const asked = withoutOverlap(carried, movedMs);
  const slotMs = movedMs > (record.task.endMs ?? Infinity) ? undefined : movedMs;
  const movedFromMs = launch.manual === undefined ? undefined : undecidedFrom(carried);
  const moved = { ...run, movedMs, ...(movedFromMs !== undefined && { movedFromMs }) };
  return { record: moveTo(asked, slotMs, 'exhausted'), run: moved };
}

/** A slot that the task itself has asked for, perhaps for the moment at which it ran, overlaps nothing. */
function withoutOverlap(record: TaskRecord, slotMs: EpochMs): TaskRecord {
  const { busy, ...rest } = record;
  const dueMs = slotMs + spreadOffsetMs(record.task);
  const later = busy?.filter(({ untilMs }) => untilMs > dueMs);
  if (later === undefined || later.length === 0) return rest;
  return { ...rest, busy: later.map(({ fromMs, untilMs }) => ({ fromMs: Math.max(fromMs, dueMs), untilMs })) };
}

const isSpent = ({ task, launches }: TaskRecord): boolean => task.maxRuns !== undefined && launches >= task.maxRuns;

/** Epoch ms of a task's `nextAt`: an ISO instant or epoch ms; undefined for anything else. */
export function parseNextAt(nextAt: unknown): EpochMs | undefined {
  if (typeof nextAt === 'number') {
    return Number.isInteger(nextAt) && nextAt >= 0 && nextAt <= INSTANT_MAX_MS ? nextAt : undefined;
  }
  try {
    return parseInstant(nextAt);
  } catch {
    return undefined; // said in the run's log
  }
}

/** A `nextAt` that cannot be used is said in the run's log, where its author looks. */
function ignoringNextAt(run: RunRecord, nextAt: unknown): RunRecord {
  return { ...run, logs: [...(run.logs ?? []), nextAtNote(nextAt)] };
}

/**
 * Code that does not parse, or is too long, fails the same way again; `at-most-once` starts no second time; and only
 * one launch of a task can wait to be tried again.
 */
function mayRetry(record: TaskRecord, launch: Launch, run: RunRecord): boolean {
  const { delivery, retry } = record.task;
  if (delivery === 'at-most-once' || isOther(record.retry, launch)) return false;
  return launch.attempt < retry.attempts && run.error?.class !== 'Syntax' && run.error?.class !== 'SourceTooLarge';
}

/** Exponential backoff; jitter takes up to half of it away, by a seed, so that a replay waits as long. */
export function retryDelayMs(retry: Retry, { attempt }: Launch, run: Pick<RunRecord, 'error'>, launch: string): number {
  if (run.error?.class === 'WorkerLost') return 0;
  const delayMs = Math.min(retry.maxMs, retry.backoffMs * retry.factor ** (attempt - 1));
  const share = retry.jitter ? 1 - hash32(`jitter:${seedOf(launch, attempt)}`) / 2 ** 32 / 2 : 1;
  return Math.round(delayMs * share);
}

function runRecord(launch: Launch, done: Done): RunRecord {
  const { outcome, closing, given, startedMs, finishedMs, fence } = done;
  const { slotMs, attempt, revision, manual } = launch;
  return {
    slotMs,
    attempt,
    ...(outcome === undefined ? endWithout(closing) : endOf(outcome)),
    startedMs,
    finishedMs,
    fence,
    revision,
    ...(manual !== undefined && { manual: true, ...standsFor(manual) }),
    ...given,
  };
}

const standsFor = ({ forSlotMs, redriveOfMs, keyMs, eventId }: StandsFor): StandsFor => ({
  ...(forSlotMs !== undefined && { forSlotMs }),
  ...(redriveOfMs !== undefined && { redriveOfMs }),
  ...(keyMs !== undefined && { keyMs }),
  ...(eventId !== undefined && { eventId }),
});

/** The end of a launch that was begun, by a holder that did not live to record its outcome. */
function endWithout(closing: Closing | undefined): End & Pick<RunRecord, 'reason'> {
  if (closing?.status === 'uncertain') return { status: 'uncertain', reason: closing.reason };
  const message = closing?.reason ?? 'no outcome';
  return { status: 'failed', error: { class: 'WorkerLost', name: 'HolderLost', message } };
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

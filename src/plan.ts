/** What to do with a task that is due: pure. Misfire and overlap policies are decided here, and nowhere else. */
import type { EpochMs } from './clock.ts';
import { isAskedFor, isRemoved, type ManualLaunch, nextAsked, retryOf, type TaskRecord } from './record.ts';
import { slotsBetween } from './schedule.ts';
import { spreadOffsetMs } from './shard.ts';

/**
 * A slot that is later than this when its turn comes counts as missed for the misfire policy `skip`. It covers a
 * trigger that comes once a minute with EventBridge's precision of 60 s, and some work in between.
 */
export const MISFIRE_TOLERANCE_MS = 150_000;

/** A launch whose holder died this often is given up, even where the task allows fewer attempts. */
export const CRASH_ATTEMPTS_MAX = 3;

/** A launch that holders have died with so often may be what kills them. */
const SUSPECT_CRASHES = 2;

export const isSuspect = ({ crashes = 0 }: Launch): boolean => crashes >= SUSPECT_CRASHES;

/** An attempt to be made. */
export interface Launch {
  readonly slotMs: EpochMs;
  readonly attempt: number;
  /** Start of the first attempt, when this is a later one. */
  readonly sinceMs?: EpochMs;
  /** Set when it was asked for by hand. */
  readonly manual?: ManualLaunch;
  /** Of the definition that runs. */
  readonly revision: number;
  /** Attempts that holders had begun, and did not live to record. Absent: none. */
  readonly crashes?: number;
}

export type SkipReason = 'missed' | 'coalesced' | 'overlap' | 'too-old' | 'too-many';

/** Slots next to each other that were decided, for one reason, without a run. */
export interface SkippedRange {
  readonly firstSlotMs: EpochMs;
  readonly lastSlotMs: EpochMs;
  readonly count: number;
  readonly reason: SkipReason;
}

/** The end of a launch that is not run (again), though an earlier holder had begun it. */
export interface Closing {
  readonly status: 'uncertain' | 'failed';
  readonly reason: string;
}

export type Plan =
  /** A tombstone whose time is over. */
  | { readonly do: 'purge' }
  /** Nothing is due yet. */
  | { readonly do: 'wait' }
  /** Slots to skip, oldest first, then perhaps a launch: to run, or to close. */
  | {
      readonly do: 'decide';
      readonly skipped: readonly SkippedRange[];
      readonly launch?: Launch;
      readonly closing?: Closing;
    };

/** By slot, the attempts at the task's launches that earlier holders had begun and not recorded. */
export type InFlight = ReadonlyMap<EpochMs, { readonly attempt: number }>;

const NOTHING_IN_FLIGHT: InFlight = new Map();

export function plan(record: TaskRecord, nowMs: EpochMs, inFlight: InFlight = NOTHING_IN_FLIGHT): Plan {
  const { dueMs, revision } = record;
  if (dueMs === undefined || dueMs > nowMs) return { do: 'wait' };
  if (isRemoved(record)) return { do: 'purge' };
  const left = leftBehind(record, inFlight);
  if (left !== undefined) return { do: 'decide', skipped: [], ...left };
  const retry = retryOf(record);
  if (retry !== undefined) {
    const { slotMs, attempt, sinceMs } = retry;
    const launch = { slotMs, attempt, sinceMs, revision, ...(retry.manual !== undefined && { manual: retry.manual }) };
    return begin(record, [], launch, inFlight);
  }
  const made = backfillLaunch(record);
  // What was begun is finished before anything else is begun.
  if (made !== undefined && inFlight.has(made.slotMs)) return begin(record, [], made, inFlight);
  const asked = nextAsked(record);
  if (asked !== undefined && asked.slotMs <= nowMs) {
    return begin(record, [], { slotMs: asked.slotMs, attempt: 1, manual: asked, revision }, inFlight);
  }
  // A pause holds up the schedule, and not what is asked for by hand.
  const { skipped, slotMs } = record.task.paused ? { skipped: [] } : decideSlots(record, nowMs, inFlight);
  if (slotMs === undefined) {
    // A backfill comes last: however long it is, it does not hold up the schedule.
    if (made !== undefined && skipped.length === 0) return begin(record, [], made, inFlight);
    return skipped.length === 0 ? { do: 'wait' } : { do: 'decide', skipped };
  }
  return begin(record, skipped, { slotMs, attempt: 1, revision }, inFlight);
}

function backfillLaunch({ backfill, revision }: TaskRecord): Launch | undefined {
  const manual = backfill?.next;
  return manual === undefined ? undefined : { slotMs: manual.slotMs, attempt: 1, manual, revision };
}

/** A launch that is closed instead of run. */
export interface Closed {
  readonly launch: Launch;
  readonly closing: Closing;
}

/**
 * A launch that an earlier holder had begun, and that an edit has moved the schedule past since: nobody will run it again,
 * and it may have run, so it is closed before anything else.
 */
export function leftBehind(record: TaskRecord, inFlight: InFlight): Closed | undefined {
  const { retry, nextSlotMs = Infinity, revision } = record;
  for (const [slotMs, { attempt }] of inFlight) {
    const isKnown = slotMs === retry?.slotMs || isAskedFor(record, slotMs);
    if (isKnown || slotMs >= nextSlotMs) continue;
    const reason = 'begun by an earlier holder that did not record an end, before the task was edited; not run again';
    const launch = { slotMs, attempt, revision };
    return { launch, closing: { status: 'uncertain', reason } };
  }
  return undefined;
}

/** Takes into account what an earlier holder had begun: it died, or lost its lease, before it could record. */
function begin(record: TaskRecord, skipped: readonly SkippedRange[], launch: Launch, inFlight: InFlight): Plan {
  const begun = inFlight.get(launch.slotMs)?.attempt;
  if (begun === undefined || begun < launch.attempt) return { do: 'decide', skipped, launch };
  const { delivery, retry } = record.task;
  if (delivery === 'at-most-once') {
    const reason = 'claimed by an earlier holder that did not record an end; at-most-once: not run again';
    return { do: 'decide', skipped, launch, closing: { status: 'uncertain', reason } };
  }
  if (begun >= Math.max(retry.attempts, CRASH_ATTEMPTS_MAX)) {
    const reason = `begun ${begun} times by holders that did not record an end; given up`;
    return { do: 'decide', skipped, launch: { ...launch, attempt: begun }, closing: { status: 'failed', reason } };
  }
  const crashes = begun - launch.attempt + 1;
  return { do: 'decide', skipped, launch: { ...launch, attempt: begun + 1, crashes } };
}

interface SlotDecision {
  readonly skipped: readonly SkippedRange[];
  /** The slot to launch; later ones are decided after it. */
  readonly slotMs?: EpochMs;
}

/** The misfire and overlap policies over every slot that is due: skips from the oldest to the first that is launched. */
function decideSlots(record: TaskRecord, nowMs: EpochMs, inFlight: InFlight): SlotDecision {
  const { task, nextSlotMs, registeredMs } = record;
  if (nextSlotMs === undefined) return { skipped: [] };
  // What an earlier holder has begun is no longer a matter of policy: it may have run. Nothing later is decided first.
  const begunMs = firstFrom(nextSlotMs, inFlight);
  const untilMs = Math.min(begunMs ?? nowMs - spreadOffsetMs(task), task.endMs ?? Infinity);
  if (nextSlotMs > untilMs) return { skipped: [] };

  const later = slotsBetween(task.schedule, nextSlotMs, untilMs, registeredMs, task.misfire.max);
  const slots = later.total < task.misfire.max ? [nextSlotMs, ...later.slots] : later.slots;
  const total = later.total + 1;
  const skipped: SkippedRange[] = [];
  if (total > slots.length) {
    const lastSlotMs = slotBefore(record, slots[0] as EpochMs, nextSlotMs);
    skipped.push({
      firstSlotMs: nextSlotMs,
      lastSlotMs,
      count: total - slots.length,
      reason: dropReason(task.misfire.policy),
    });
  }
  const latest = slots.findLastIndex((slotMs) => task.overlap === 'queue' || !isOverlap(record, slotMs));
  for (const [i, slotMs] of slots.entries()) {
    const reason = slotMs === begunMs ? undefined : skipReason(record, slotMs, i === latest, nowMs);
    if (reason === undefined) return { skipped, slotMs };
    addSkipped(skipped, slotMs, reason);
  }
  return { skipped };
}

function firstFrom(fromMs: EpochMs, inFlight: InFlight): EpochMs | undefined {
  let firstMs: EpochMs | undefined;
  for (const slotMs of inFlight.keys()) if (slotMs >= fromMs && !(slotMs > (firstMs ?? Infinity))) firstMs = slotMs;
  return firstMs;
}

const dropReason = (policy: 'skip' | 'once' | 'all'): SkipReason =>
  policy === 'all' ? 'too-many' : policy === 'once' ? 'coalesced' : 'missed';

/** Why a due slot is not launched; undefined: it is. `isLatest`: no later one can stand for it. */
function skipReason(record: TaskRecord, slotMs: EpochMs, isLatest: boolean, nowMs: EpochMs): SkipReason | undefined {
  const { misfire, overlap } = record.task;
  const lateMs = nowMs - dueAt(record, slotMs);
  if (lateMs > misfire.windowMs) return 'too-old';
  if (isOverlap(record, slotMs)) return overlap === 'queue' ? undefined : 'overlap';
  if (misfire.policy === 'all') return undefined;
  if (!isLatest) return dropReason(misfire.policy);
  return misfire.policy === 'skip' && lateMs > MISFIRE_TOLERANCE_MS ? 'missed' : undefined;
}

/** When a slot of the schedule falls due. */
const dueAt = ({ task }: TaskRecord, slotMs: EpochMs): EpochMs => slotMs + spreadOffsetMs(task);

/** Whether a slot fell due while a launch was unfinished. */
function isOverlap(record: TaskRecord, slotMs: EpochMs): boolean {
  if (record.busy === undefined) return false;
  const dueMs = dueAt(record, slotMs);
  return record.busy.some(({ fromMs, untilMs }) => dueMs > fromMs && dueMs <= untilMs);
}

/** Ranges of one reason grow; another reason starts a new one. */
function addSkipped(ranges: SkippedRange[], slotMs: EpochMs, reason: SkipReason): void {
  const last = ranges.at(-1);
  if (last?.reason === reason) ranges[ranges.length - 1] = { ...last, lastSlotMs: slotMs, count: last.count + 1 };
  else ranges.push({ firstSlotMs: slotMs, lastSlotMs: slotMs, count: 1, reason });
}

/** The last slot before `slotMs`, which the bounded look-back left out. */
function slotBefore({ task, registeredMs }: TaskRecord, slotMs: EpochMs, fromMs: EpochMs): EpochMs {
  return slotsBetween(task.schedule, fromMs, slotMs - 1, registeredMs, 1).slots[0] ?? fromMs;
}

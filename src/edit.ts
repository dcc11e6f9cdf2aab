/** What users do to a task, as functions from record to record: pure. Each returns the same record if nothing changes. */
import { isDeepStrictEqual } from 'node:util';
import type { EpochMs } from './clock.ts';
import { CronkeeperError } from './errors.ts';
import { afterNames, freeSlot } from './free-slot.ts';
import {
  dueOf,
  type Gap,
  isRemoved,
  type ManualLaunch,
  moveTo,
  outlastsSchedule,
  rearm,
  slotAfter,
  type TaskRecord,
  undecidedFrom,
} from './record.ts';
import { RECORD_VERSION } from './record-form.ts';
import type { Task } from './task.ts';

/** Launches asked for by hand that may wait at a time, and keys that are remembered. */
export const MANUAL_MAX = 20;

/** Gaps of the schedule that a record tells of. */
const GAPS_MAX = 16;

/** A task that is put for the first time. */
export function register(task: Task, nowMs: EpochMs): TaskRecord {
  const record: TaskRecord = {
    v: RECORD_VERSION,
    task,
    revision: 1,
    createdMs: nowMs,
    updatedMs: nowMs,
    registeredMs: nowMs,
    timer: 0,
    manual: [],
    asked: [],
    launches: 0,
    state: null,
    runs: [],
    chunks: [],
    deadSlots: [],
  };
  return rearm(begin(record));
}

/** The schedule from its registration on. What is due at that very moment counts for `after`, which begins with it. */
function begin(record: TaskRecord): TaskRecord {
  const { task, registeredMs } = record;
  return moveTo(
    record,
    slotAfter(record, task.schedule.kind === 'after' ? registeredMs - 1 : registeredMs),
    'exhausted',
  );
}

/** A task that is put again. The same definition changes nothing; a new schedule begins now. */
export function amend(record: TaskRecord, task: Task, nowMs: EpochMs): TaskRecord {
  if (isRemoved(record)) return revive(record, task, nowMs);
  if (isDeepStrictEqual(record.task, task)) return record;
  const edited = { ...edit(record, nowMs), ...inputOrigin(record, task), task };
  if (!isSameTiming(record.task, task)) {
    const { gaps: _, supersededMs: __, ...others } = edited;
    const registeredMs = afterNames(record, nowMs);
    const registered = { ...others, registeredMs, registeredRevision: edited.revision };
    return rearmed(begin(superseding(registered)));
  }
  const lasting = withEndAsNow(edited);
  return rearmed(record.task.paused && !task.paused ? restart(lasting, nowMs) : lasting);
}

/** A schedule that has run out ends its task unless events may launch it, whichever was said first. */
function withEndAsNow(record: TaskRecord): TaskRecord {
  const { ended, nextSlotMs, retry } = record;
  const isRunOut = nextSlotMs === undefined && (retry === undefined || retry.manual !== undefined);
  return isRunOut && ended !== 'completed' ? moveTo(record, undefined, 'exhausted') : record;
}

/** A task made anew where one was removed: its history stays, all else begins again. */
function revive(record: TaskRecord, task: Task, nowMs: EpochMs): TaskRecord {
  const createdMs = Math.max(afterNames(record, nowMs), record.createdMs + 1);
  const { runs, chunks, deadSlots, timer, decidedMs } = record;
  const revision = record.revision + 1;
  const kept = { revision, registeredRevision: revision, ...inputOrigin(record, task), runs, chunks, deadSlots, timer };
  const fresh = { ...register(task, createdMs), ...kept };
  return rearm(begin(decidedMs === undefined ? fresh : superseding({ ...fresh, decidedMs })));
}

/** A machine whose clock is behind sets a schedule for a time that the earlier one has decided already. */
function superseding(record: TaskRecord): TaskRecord {
  const { decidedMs = -Infinity, registeredMs } = record;
  return decidedMs > registeredMs ? { ...record, supersededMs: decidedMs } : record;
}

/** Runs of earlier revisions were given another input, if the task's changes now. */
function inputOrigin(record: TaskRecord, { input }: Task): Pick<TaskRecord, 'inputRevision'> {
  const { task, revision, inputRevision } = record;
  if (!isDeepStrictEqual(task.input, input)) return { inputRevision: revision + 1 };
  return inputRevision === undefined ? {} : { inputRevision };
}

const isSameTiming = (a: Task, b: Task): boolean =>
  isDeepStrictEqual([a.schedule, a.startMs, a.endMs, a.maxRuns], [b.schedule, b.startMs, b.endMs, b.maxRuns]);

export function pause(record: TaskRecord, nowMs: EpochMs): TaskRecord {
  if (record.task.paused) return record;
  return rearmed({ ...edit(record, nowMs), task: { ...record.task, paused: true } });
}

/** The schedule goes on from now: slots that fell into the pause are not made up for. Revives what `completed` ended. */
export function resume(record: TaskRecord, nowMs: EpochMs): TaskRecord {
  if (!record.task.paused && record.ended !== 'completed') return record;
  return rearmed(restart({ ...edit(record, nowMs), task: { ...record.task, paused: false } }, nowMs));
}

/** A slot that is still to come stays: `nextAt` may have put it there. */
function restart(record: TaskRecord, nowMs: EpochMs): TaskRecord {
  const { nextSlotMs, ended } = record;
  if (nextSlotMs !== undefined && nextSlotMs > nowMs) return record;
  const isOver = ended === 'completed' && !outlastsSchedule(record.task);
  const restarted = moveTo(record, slotAfter(record, nowMs), isOver ? 'completed' : 'exhausted');
  if (record.task.schedule.kind === 'none' && nextSlotMs === undefined) return restarted;
  const fromMs = nextSlotMs ?? undecidedFrom(record);
  const untilMs = Math.max(restarted.nextSlotMs ?? nowMs + 1, fromMs);
  return withGap(restarted, { fromMs, untilMs, reason: ended === 'completed' ? 'completed' : 'paused' });
}

/** Few are kept; what is older than they are cannot be proven any more. */
function withGap(record: TaskRecord, gap: Gap): TaskRecord {
  const all = [...(record.gaps ?? []), gap];
  const gaps = all.slice(-GAPS_MAX);
  const dropped = all.slice(0, -GAPS_MAX).map(({ untilMs }) => untilMs - 1);
  if (dropped.length === 0) return { ...record, gaps };
  return { ...record, gaps, forgottenMs: Math.max(record.forgottenMs ?? 0, ...dropped) };
}

/** Leaves a tombstone, which keeps the runs for a while and takes in the record of one that is under way. */
export function remove(record: TaskRecord, nowMs: EpochMs): TaskRecord {
  const { nextSlotMs: _, retry: __, busy: ___, backfill: ____, ...rest } = edit(record, nowMs);
  return rearm({ ...rest, ended: 'removed', manual: [], state: null });
}

export interface Asked {
  readonly record: TaskRecord;
  readonly slotMs: EpochMs;
}

/**
 * Adds a launch that is due at once and leaves the schedule alone. The same `key` again is the same launch.
 * @throws CronkeeperError `too-large` when too many wait already.
 */
export function ask(record: TaskRecord, nowMs: EpochMs, request: Pick<ManualLaunch, 'key' | 'input' | 'depth'>): Asked {
  const { key } = request;
  const known = key === undefined ? undefined : record.asked.find((asked) => asked.key === key);
  if (known !== undefined) return { record, slotMs: known.slotMs };
  if (byHandWaiting(record) >= MANUAL_MAX) throw tooManyWait(record);
  const slotMs = freeSlot(record, nowMs);
  const manual = [...record.manual, { slotMs, ...request }];
  const asked = key === undefined ? record.asked : [...record.asked, { key, slotMs }].slice(-MANUAL_MAX);
  return { record: rearmed({ ...record, manual, asked }), slotMs };
}

/** Launches for events have a bound of their own. */
export const byHandWaiting = ({ manual }: TaskRecord): number =>
  manual.filter(({ eventId }) => eventId === undefined).length;

export const tooManyWait = ({ task }: TaskRecord): CronkeeperError => {
  const message = `task ${task.id}: ${MANUAL_MAX} launches asked for by hand are waiting; allowed: ${MANUAL_MAX}`;
  return new CronkeeperError('too-large', message);
};

const edit = (record: TaskRecord, nowMs: EpochMs): TaskRecord => ({
  ...record,
  revision: record.revision + 1,
  updatedMs: nowMs,
});

/** A timer that is set right already keeps its number, and so its due entry. */
export const rearmed = (record: TaskRecord): TaskRecord => (dueOf(record) === record.dueMs ? record : rearm(record));

/** Whether what is there is what the caller wants to change. @throws CronkeeperError `conflict` */
export function assertCondition(
  id: string,
  { ifMatch, ifNoneMatch }: { readonly ifMatch?: number; readonly ifNoneMatch?: '*' },
  found: TaskRecord | undefined,
): void {
  const isMet = (ifNoneMatch === undefined || found === undefined) && (ifMatch ?? found?.revision) === found?.revision;
  if (isMet) return;
  const wanted = ifNoneMatch === undefined ? `revision ${ifMatch}` : 'no such task';
  const there = found === undefined ? 'no such task' : `revision ${found.revision}`;
  throw new CronkeeperError('conflict', `task ${id}: the request asks for ${wanted}; found ${there}`);
}

/**
 * Backfill: past slots of a task's schedule, launched one after the other. The record holds the range and the name of
 * the next launch, so a holder that dies leaves nothing to guess: the next one finds the same launch. Pure.
 */
import type { EpochMs } from './clock.ts';
import { rearmed } from './edit.ts';
import { CronkeeperError } from './errors.ts';
import { freeSlot } from './free-slot.ts';
import { formatInstant } from './instant.ts';
import type { Launch } from './plan.ts';
import type { Backfill, TaskRecord } from './record.ts';
import { nextSlot, SLOTS_BETWEEN_MAX, slotsBetween } from './schedule.ts';

export interface BackfillWish {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly key: string;
}

export interface Backfilled {
  readonly record: TaskRecord;
  /** As it was asked for, now or under the same key before. */
  readonly backfill: Pick<Backfill, 'fromMs' | 'untilMs' | 'count'>;
}

/**
 * Asks for every slot of the schedule in [fromMs, untilMs]. The same `key` again is the same backfill.
 * @throws CronkeeperError `conflict` while another one is under way, `too-large` for too many slots.
 */
export function askBackfill(record: TaskRecord, nowMs: EpochMs, wish: BackfillWish): Backfilled {
  const { backfill, task } = record;
  if (backfill?.key === wish.key) return { record, backfill };
  if (backfill?.next !== undefined) throw underWay(task.id, backfill);
  const count = countSlots(record, wish);
  const forSlotMs = slotFrom(record, wish.fromMs, wish.untilMs);
  const asked = { ...wish, askedMs: nowMs, count };
  if (forSlotMs === undefined) return { record: { ...record, backfill: asked }, backfill: asked };
  const next = { slotMs: freeSlot(record, nowMs), forSlotMs };
  return { record: rearmed({ ...record, backfill: { ...asked, next } }), backfill: asked };
}

/**
 * After a launch: if it was the backfill's next one, the one behind it gets its name, by the schedule as it is now. It
 * is later than all that the backfill has had, so it is nobody else's.
 */
export function advanceBackfill(record: TaskRecord, { slotMs }: Launch, nowMs: EpochMs): TaskRecord {
  const { backfill } = record;
  if (backfill?.next === undefined || backfill.next.slotMs !== slotMs) return record;
  const { next, ...rest } = backfill;
  const forSlotMs = slotFrom(record, next.forSlotMs + 1, backfill.untilMs);
  if (forSlotMs === undefined) return { ...record, backfill: rest };
  const name = freeSlot(record, Math.max(nowMs, slotMs + 1));
  return { ...record, backfill: { ...rest, next: { slotMs: name, forSlotMs } } };
}

function countSlots(record: TaskRecord, wish: BackfillWish): number {
  const { task, registeredMs } = record;
  const { fromMs, untilMs } = bounded(record, wish.fromMs, wish.untilMs);
  if (fromMs > untilMs) return 0;
  const { total, totalIsExact } = slotsBetween(task.schedule, fromMs - 1, untilMs, registeredMs, SLOTS_BETWEEN_MAX);
  if (total <= SLOTS_BETWEEN_MAX) return total;
  const many = totalIsExact ? total : `more than ${SLOTS_BETWEEN_MAX}`;
  const range = `${formatInstant(wish.fromMs)} to ${formatInstant(wish.untilMs)}`;
  const message = `task ${task.id}: its schedule has ${many} slots from ${range}; allowed: at most ${SLOTS_BETWEEN_MAX}`;
  throw new CronkeeperError('too-large', message);
}

/** The first slot of the schedule from `fromMs` on, within the range. */
function slotFrom(record: TaskRecord, fromMs: EpochMs, untilMs: EpochMs): EpochMs | undefined {
  const range = bounded(record, fromMs, untilMs);
  const slotMs = nextSlot(record.task.schedule, range.fromMs - 1, record.registeredMs);
  return slotMs === undefined || slotMs > range.untilMs ? undefined : slotMs;
}

/** A task has no slots before its start, and none after its end. */
const bounded = ({ task: { startMs, endMs } }: TaskRecord, fromMs: EpochMs, untilMs: EpochMs) => ({
  fromMs: Math.max(fromMs, startMs ?? fromMs),
  untilMs: Math.min(untilMs, endMs ?? untilMs),
});

function underWay(id: string, { fromMs, untilMs, next }: Backfill): CronkeeperError {
  const range = `${formatInstant(fromMs)} to ${formatInstant(untilMs)}`;
  const at = next === undefined ? '' : `, and has come to ${formatInstant(next.forSlotMs)}`;
  return new CronkeeperError(
    'conflict',
    `task ${id}: a backfill from ${range} is under way${at}; allowed: one at a time`,
  );
}

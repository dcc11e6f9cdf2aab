/** Names for launches that are not of the schedule, and slots for the schedule that are no such names: pure. */
import type { EpochMs } from './clock.ts';
import { rememberedSlots } from './event-memory.ts';
import { runsIn, type TaskRecord } from './record.ts';
import { nextSlot } from './schedule.ts';

/** A slot is a launch's name: one that no other launch of the task has, and none of its schedule will have. */
export function freeSlot(record: TaskRecord, fromMs: EpochMs): EpochMs {
  const { task, registeredMs, manual, nextSlotMs, decidedMs, retry, backfill, heard = [] } = record;
  const taken = new Set([
    nextSlotMs,
    retry?.slotMs,
    backfill?.next?.slotMs,
    ...runsIn(record).map((run) => run.slotMs),
  ]);
  const isScheduled = (slotMs: EpochMs) => nextSlot(task.schedule, slotMs - 1, registeredMs) === slotMs;
  const [heardMs = 0] = rememberedSlots(heard.slice(-1));
  let slotMs = Math.max(fromMs, (decidedMs ?? 0) + 1, (manual.at(-1)?.slotMs ?? 0) + 1, heardMs + 1);
  while (taken.has(slotMs) || isScheduled(slotMs)) slotMs++;
  return slotMs;
}

/** Names that launches by hand have, as far as the record knows: older ones than these are past. */
function namesByHand(record: TaskRecord): EpochMs[] {
  const { manual, asked, heard = [], retry, backfill } = record;
  return [
    ...[...manual, ...asked].map(({ slotMs }) => slotMs),
    ...rememberedSlots(heard),
    ...runsIn(record).flatMap((run) => (run.manual === undefined ? [] : run.slotMs)),
    ...(retry?.manual === undefined ? [] : [retry.slotMs]),
    ...(backfill?.next === undefined ? [] : [backfill.next.slotMs]),
  ];
}

/** A moment for a schedule to begin at, not before `nowMs`, behind which no launch by hand has its name. */
export const afterNames = (record: TaskRecord, nowMs: EpochMs): EpochMs =>
  Math.max(nowMs, ...namesByHand(record).map((slotMs) => slotMs + 1));

/** The first moment from `slotMs` on that is no name of a launch by hand. */
export function unnamedFrom(record: TaskRecord, slotMs: EpochMs): EpochMs {
  const names = new Set(namesByHand(record));
  let freeMs = slotMs;
  while (names.has(freeMs)) freeMs++;
  return freeMs;
}

/** Names for launches that are not of the schedule: pure. */
import type { EpochMs } from './clock.ts';
import type { TaskRecord } from './record.ts';
import { nextSlot } from './schedule.ts';

/** A slot is a launch's name: one that no other launch of the task has, and none of its schedule will have. */
export function freeSlot(record: TaskRecord, fromMs: EpochMs): EpochMs {
  const { task, registeredMs, manual, nextSlotMs, decidedMs, retry, runs, backfill } = record;
  const taken = new Set([nextSlotMs, retry?.slotMs, backfill?.next?.slotMs, ...runs.map((run) => run.slotMs)]);
  const isScheduled = (slotMs: EpochMs) => nextSlot(task.schedule, slotMs - 1, registeredMs) === slotMs;
  let slotMs = Math.max(fromMs, (decidedMs ?? 0) + 1, (manual.at(-1)?.slotMs ?? 0) + 1);
  while (taken.has(slotMs) || isScheduled(slotMs)) slotMs++;
  return slotMs;
}

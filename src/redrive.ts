/**
 * Redrive: what failed for good is launched again. The new launch has a name of its own, since the old one has its end
 * on record. Its run is told what the old one was: the same input, slot and idempotency key, because half of what it
 * was to do may have been done, and whoever knows the key can tell. Pure.
 */
import type { EpochMs } from './clock.ts';
import { byHandWaiting, MANUAL_MAX, rearmed, tooManyWait } from './edit.ts';
import { freeSlot } from './free-slot.ts';
import type { AskedKey, ManualLaunch, TaskRecord } from './record.ts';
import type { DeadLetter } from './settle.ts';

export interface Redriven {
  readonly record: TaskRecord;
  /** The new launch's. */
  readonly slotMs: EpochMs;
}

/** What became of a dead letter that was redriven before. */
export const redrivenBefore = ({ asked }: TaskRecord, deadSlotMs: EpochMs): EpochMs | undefined =>
  asked.find(({ redriveOfMs }) => redriveOfMs === deadSlotMs)?.slotMs;

/** @throws CronkeeperError `too-large` when too many launches asked for by hand wait already. */
export function redrive(record: TaskRecord, nowMs: EpochMs, letter: DeadLetter): Redriven {
  if (byHandWaiting(record) >= MANUAL_MAX) throw tooManyWait(record);
  const slotMs = freeSlot(record, nowMs);
  const launch = { slotMs, input: letter.input, ...standingFor(letter) };
  const asked: AskedKey = { key: '', slotMs, redriveOfMs: letter.slotMs };
  const redriven = {
    ...record,
    manual: [...record.manual, launch],
    asked: [...record.asked, asked].slice(-MANUAL_MAX),
    deadSlots: record.deadSlots.filter((deadMs) => deadMs !== letter.slotMs),
  };
  return { record: rearmed(redriven), slotMs };
}

/** A launch that repeats one that repeats another has the key of the first. */
function standingFor({ slotMs, run }: DeadLetter): Omit<ManualLaunch, 'slotMs'> {
  const keyMs = run.keyMs ?? run.redriveOfMs;
  return { forSlotMs: run.forSlotMs ?? slotMs, redriveOfMs: slotMs, ...(keyMs !== undefined && { keyMs }) };
}

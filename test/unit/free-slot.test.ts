/** A slot is a launch's name: what is launched by hand and what the schedule launches never have the same one. */
import { describe, expect, test } from '@jest/globals';
import { amend, ask, register, remove } from '../../src/edit.ts';
import type { TaskRecord } from '../../src/record.ts';
import type { ScheduleDocument } from '../../src/schedule.ts';
import { settle } from '../../src/settle.ts';
import { at, decided, succeeding, taskOf } from '../support/task-records.ts';

const NOW_MS = at('2027-01-01T00:07:00Z');
const MINUTE_MS = 60_000;

const once = (): TaskRecord => register(taskOf({ schedule: { at: '2028-01-01T00:00:00Z' } }), NOW_MS - MINUTE_MS);

/** A launch by hand that has the name of its moment, which the schedule to come would have for a slot. */
const asked = () => ask(once(), NOW_MS, { key: 'k' });

/** After what is due has run. */
function ran(record: TaskRecord, nowMs: number, value: unknown = null) {
  const { skipped, launch } = decided(record, nowMs);
  const { createdMs, revision } = record;
  const when = { startedMs: nowMs, finishedMs: nowMs, fence: 1, createdMs, revision };
  return settle(record, { skipped, ...(launch && { launch }), outcome: succeeding(value), ...when });
}

describe('a schedule that is put', () => {
  test.each<[string, ScheduleDocument, number, (record: TaskRecord) => TaskRecord]>([
    ['by a clock that is behind', { every: '10s' }, -3 * MINUTE_MS, (record) => record],
    [
      'by a clock that is behind, when the launch has run',
      { every: '10s' },
      -3 * MINUTE_MS,
      (record) => ran(record, NOW_MS).record,
    ],
    ['in the very moment of the launch', { after: '0s' }, 0, (record) => record],
    [
      'anew, where the task was removed',
      { every: '10s' },
      -3 * MINUTE_MS,
      (record) => remove(ran(record, NOW_MS).record, NOW_MS),
    ],
  ])(
    '%s does not take the name of a launch by hand: it would be recorded twice',
    (_, schedule, behindMs, meanwhile) => {
      const { record, slotMs } = asked();
      expect(slotMs).toBe(NOW_MS);
      const edited = amend(meanwhile(record), taskOf({ schedule }), NOW_MS + behindMs);
      expect(edited.nextSlotMs).toBeGreaterThan(slotMs);
      expect(edited.nextSlotMs).toBeLessThanOrEqual(slotMs + 10_000);
    },
  );
});

test('a timer that a run moves to the name of a launch by hand is moved a millisecond on', () => {
  const record = register(taskOf({ schedule: { every: '1m' } }), NOW_MS - MINUTE_MS);
  const laterMs = NOW_MS + 1_500;
  const waiting = ask(record, laterMs, { key: 'k' });
  expect(waiting.slotMs).toBe(laterMs);
  const { record: moved, run } = ran(waiting.record, NOW_MS, { nextAt: laterMs });
  expect(moved.nextSlotMs).toBe(laterMs + 1);
  expect(run?.movedMs).toBe(laterMs + 1);
});

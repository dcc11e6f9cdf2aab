import { describe, expect, test } from '@jest/globals';
import { ask, register } from '../../src/edit.ts';
import type { Outcome } from '../../src/launch.ts';
import type { TaskRecord } from '../../src/record.ts';
import { Tally } from '../../src/report.ts';
import { settle } from '../../src/settle.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;

/** Counts what is due at `nowMs`, started so much later. */
function count(tally: Tally, record: TaskRecord, nowMs: number, outcome: Outcome, lateMs = 0): TaskRecord {
  const { skipped, launch, closing } = decided(record, nowMs);
  const startedMs = nowMs + lateMs;
  const when = { startedMs, finishedMs: startedMs, fence: 1, createdMs: record.createdMs, revision: record.revision };
  const run = { ...(launch !== undefined && { launch }), ...(closing === undefined ? { outcome } : { closing }) };
  const done = { skipped, ...run, ...when };
  const settled = settle(record, done);
  tally.count(done, settled);
  return settled.record;
}

describe('the report of a tick', () => {
  test('counts each slot and each attempt once, and its sum is what was due', () => {
    const tally = new Tally();
    const missed = register(taskOf({ retry: { backoff: '0s' } }), START_MS);
    const failed = count(tally, missed, SLOT_MS + 180_000, failing());
    const timedOut = count(tally, failed, SLOT_MS + 180_000, failing('Timeout'));
    count(tally, timedOut, SLOT_MS + 180_000, succeeding());
    tally.deferred = 2;
    const { due, skipped, succeeded, failed: failures, timedOut: timeOuts, deferred } = tally.report(5);
    expect({ skipped, succeeded, failures, timeOuts, deferred }).toEqual({
      skipped: 3,
      succeeded: 1,
      failures: 1,
      timeOuts: 1,
      deferred: 2,
    });
    expect(due).toBe(8);
  });

  test('tells how late the schedule was: not retries, not what was asked for by hand', () => {
    const tally = new Tally();
    const record = register(taskOf(), START_MS);
    const failed = count(tally, record, SLOT_MS, failing(), 40);
    expect(tally.report(0).maxLateMs).toBe(40);
    count(tally, failed, failed.dueMs as number, succeeding());
    const asked = ask(register(taskOf(), START_MS), START_MS + 5, {}).record;
    count(tally, asked, START_MS + 5, succeeding(), 30_000);
    expect(tally.report(0).maxLateMs).toBe(40);
  });

  test('names a hundred tasks that cannot be read, each once, and not a million', () => {
    const tally = new Tally();
    for (let i = 0; i < 1_000; i++) tally.quarantine(`task-${i % 500}`, 'corrupt');
    const { quarantined } = tally.report(0);
    expect(quarantined).toHaveLength(100);
    expect(new Set(quarantined.map(({ taskId }) => taskId)).size).toBe(100);
  });
});

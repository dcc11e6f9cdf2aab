/** Launching again what failed for good, and making up for slots of the past: the decisions, record by record. */
import { describe, expect, test } from '@jest/globals';
import { askBackfill } from '../../src/backfill.ts';
import { amend, ask, MANUAL_MAX, pause, register, remove } from '../../src/edit.ts';
import { isUnfinished } from '../../src/journal.ts';
import type { Outcome } from '../../src/launch.ts';
import type { TaskRecord } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { attemptOf } from '../../src/recording.ts';
import { redrive, redrivenBefore } from '../../src/redrive.ts';
import { type DeadLetter, type Settled, settle } from '../../src/settle.ts';
import type { TaskDocument } from '../../src/task.ts';
import { runView } from '../../src/view.ts';
import { errorOf } from '../support/error-of.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = START_MS + 7;

const registered = (document: Partial<TaskDocument> = {}): TaskRecord =>
  register(taskOf({ schedule: { every: '1h' }, retry: { attempts: 1 }, ...document }), START_MS);

function run(record: TaskRecord, nowMs: number, outcome: Outcome = succeeding()): Settled {
  const { skipped, launch } = decided(record, nowMs);
  if (launch === undefined) throw new Error('nothing is launched');
  const when = {
    startedMs: nowMs,
    finishedMs: nowMs + 1,
    fence: 1,
    createdMs: record.createdMs,
    revision: record.revision,
  };
  return settle(record, { skipped, launch, outcome, ...when });
}

const context = (record: TaskRecord, nowMs: number) => {
  const { launch } = decided(record, nowMs);
  if (launch === undefined) throw new Error('nothing is launched');
  return attemptOf(record.task, { ...launch.manual, ...launch, fence: 1 }, { input: null, state: null });
};

describe('a dead letter that is redriven', () => {
  const SLOT_MS = START_MS + HOUR_MS;
  const died = () => run(registered({ input: 'then' }), SLOT_MS, failing());
  const letterOf = ({ dead }: Settled) => dead as DeadLetter;

  test('is a launch of a name of its own, told the input, the slot and the key of the one it repeats', () => {
    const settled = died();
    const edited = amend(settled.record, taskOf({ schedule: { every: '1h' }, input: 'now' }), SLOT_MS + 2);
    const { record, slotMs } = redrive(edited, SLOT_MS + 3, letterOf(settled));
    expect(record).toMatchObject({ deadSlots: [], dueMs: slotMs, nextSlotMs: SLOT_MS + HOUR_MS });
    expect(slotMs).not.toBe(SLOT_MS);
    expect(decided(record, slotMs).launch?.manual).toMatchObject({ input: 'then', redriveOfMs: SLOT_MS });
    const { context: told, seed } = context(record, slotMs);
    expect(told).toMatchObject({ slotMs: SLOT_MS, idempotencyKey: `task@${SLOT_MS}` });
    expect(seed).toBe(`task@${slotMs}#1`);
    const { record: after, run: made } = run(record, slotMs);
    expect(after).toMatchObject({ manual: [], launches: 1 });
    expect(runView('task', made as NonNullable<typeof made>)).toMatchObject({
      launchId: `task@${slotMs}`,
      redriveOf: `task@${SLOT_MS}`,
      forSlot: '2027-01-01T01:00:00.000Z',
    });
  });

  test('and fails again is one again, and keeps the first key however often that happens', () => {
    let settled = died();
    const names = [SLOT_MS];
    for (let i = 1; i <= 3; i++) {
      const { record, slotMs } = redrive(settled.record, SLOT_MS + 10 * i, letterOf(settled));
      expect(context(record, slotMs).context).toMatchObject({ slotMs: SLOT_MS, idempotencyKey: `task@${SLOT_MS}` });
      settled = run(record, slotMs, failing());
      expect(settled.record.deadSlots).toEqual([slotMs]);
      expect(letterOf(settled)).toMatchObject({ input: 'then', run: { redriveOfMs: names.at(-1) } });
      names.push(slotMs);
    }
    expect(new Set(names).size).toBe(4);
  });

  test('is remembered by what it became, and is refused while too many wait', () => {
    const settled = died();
    const { record, slotMs } = redrive(settled.record, SLOT_MS + 3, letterOf(settled));
    expect(redrivenBefore(record, SLOT_MS)).toBe(slotMs);
    expect(redrivenBefore(run(record, slotMs).record, SLOT_MS)).toBe(slotMs);
    expect(redrivenBefore(record, slotMs)).toBeUndefined();
    let full = settled.record;
    for (let i = 0; i < MANUAL_MAX; i++) full = ask(full, SLOT_MS + 3, {}).record;
    expect(errorOf(() => redrive(full, SLOT_MS + 3, letterOf(settled))).code).toBe('too-large');
  });

  test('cannot move the schedule: its nextAt is of another time', () => {
    const settled = died();
    const { record, slotMs } = redrive(settled.record, SLOT_MS + 3, letterOf(settled));
    const { nextSlotMs } = run(record, slotMs, succeeding({ nextAt: SLOT_MS + 10 * MINUTE_MS })).record;
    expect(nextSlotMs).toBe(SLOT_MS + HOUR_MS);
  });
});

describe('a backfill', () => {
  const FROM_MS = START_MS - 3 * HOUR_MS;
  const wish = { fromMs: FROM_MS, untilMs: START_MS - HOUR_MS, key: 'k' };
  const asked = (document: Partial<TaskDocument> = {}) => askBackfill(registered(document), NOW_MS, wish).record;

  test('runs every slot of its range once, oldest first, both ends included, and nothing after', () => {
    let record = asked({ maxRuns: 1 });
    const slots = [];
    for (let nowMs = NOW_MS; record.dueMs !== undefined && record.dueMs <= nowMs; nowMs += 5) {
      slots.push(context(record, nowMs).context.slotMs);
      record = run(record, nowMs, succeeding({ nextAt: nowMs + MINUTE_MS })).record;
    }
    expect(slots).toEqual([FROM_MS, FROM_MS + HOUR_MS, FROM_MS + 2 * HOUR_MS]);
    expect(record).toMatchObject({ launches: 0, nextSlotMs: START_MS + HOUR_MS, dueMs: START_MS + HOUR_MS });
    expect(new Set(record.runs.map(({ slotMs }) => slotMs)).size).toBe(3);
    expect(record.runs.map(({ forSlotMs }) => forSlotMs)).toEqual(slots.toReversed());
  });

  test('has a key of its own for each launch: the slot may have been run before', () => {
    const record = asked();
    const { launch } = decided(record, NOW_MS);
    expect(context(record, NOW_MS).context.idempotencyKey).toBe(`task@${launch?.slotMs}`);
    expect(launch?.slotMs).not.toBe(FROM_MS);
  });

  test('goes behind what the schedule has due, and runs while the task is paused', () => {
    const record = asked();
    const scheduled = decided(record, START_MS + HOUR_MS).launch;
    expect(scheduled).toEqual({ slotMs: START_MS + HOUR_MS, attempt: 1, revision: 1 });
    const paused = pause(record, NOW_MS);
    expect(decided(paused, START_MS + 5 * HOUR_MS)).toMatchObject({
      skipped: [],
      launch: { manual: { forSlotMs: FROM_MS } },
    });
  });

  test('is the same launch for whoever comes next, as the next attempt, before anything else', () => {
    const record = decodeRecord('task', encodeRecord(asked()));
    const slotMs = record.backfill?.next?.slotMs as number;
    const entry = { taskId: 'task', slotMs, attempt: 1, isManual: true };
    expect(isUnfinished(record, entry)).toBe(true);
    const { launch, closing } = decided(record, START_MS + HOUR_MS, { [slotMs]: 1 });
    expect(launch).toMatchObject({ slotMs, attempt: 2, manual: { forSlotMs: FROM_MS } });
    expect(closing).toBeUndefined();
    expect(isUnfinished(run(record, NOW_MS).record, entry)).toBe(false);
  });

  test('tries again what fails, keeps it as a dead letter, and goes on', () => {
    const first = run(asked({ retry: { attempts: 2, backoff: '1s' } }), NOW_MS, failing());
    expect(first.record).toMatchObject({ retry: { attempt: 2, manual: { forSlotMs: FROM_MS } } });
    const second = run(first.record, NOW_MS + 2_000, failing());
    expect(second.dead?.run).toMatchObject({ attempt: 2, forSlotMs: FROM_MS });
    expect(second.record.retry).toBeUndefined();
    expect(context(second.record, NOW_MS + 3_000).context.slotMs).toBe(FROM_MS + HOUR_MS);
  });

  test('is one at a time; the same key again is the same one, also when it is over', () => {
    const record = asked();
    expect(askBackfill(record, NOW_MS + 1, { ...wish, fromMs: 0 })).toMatchObject({
      record,
      backfill: { fromMs: FROM_MS, count: 3 },
    });
    const error = errorOf(() => askBackfill(record, NOW_MS + 1, { ...wish, key: 'other' }));
    expect(error.code).toBe('conflict');
    expect(error.message).toContain('has come to 2026-12-31T21:00:00.000Z');
    let over = record;
    for (let i = 0; i < 3; i++) over = run(over, NOW_MS + i * 10).record;
    expect(askBackfill(over, NOW_MS + 100, wish).record).toBe(over);
    expect(askBackfill(over, NOW_MS + 100, { ...wish, key: 'other' }).record.backfill?.next).toBeDefined();
  });

  test('of too many slots is refused with their number, and one of none is nothing to do', () => {
    const many = errorOf(() =>
      askBackfill(registered({ schedule: { every: '1s' } }), NOW_MS, { ...wish, fromMs: START_MS - 20_000_000 }),
    );
    expect(many.code).toBe('too-large');
    expect(many.message).toMatch(/has 16401 slots .*allowed: at most 10000/);
    const none = { ...wish, fromMs: START_MS - 2 * MINUTE_MS, untilMs: START_MS - MINUTE_MS };
    const { record, backfill } = askBackfill(registered(), NOW_MS, none);
    expect([backfill.count, record.backfill?.next, record.dueMs]).toEqual([0, undefined, START_MS + HOUR_MS]);
    // Before its start a task has no slots.
    expect(askBackfill(registered({ start: '2027-01-01T00:00:00Z' }), NOW_MS, wish).backfill.count).toBe(0);
  });

  test('goes on after an edit by the schedule that there is then, and is gone with its task', () => {
    const record = asked();
    const edited = amend(record, taskOf({ schedule: { every: '30m' }, retry: { attempts: 1 } }), NOW_MS + 1);
    expect(edited.backfill).toEqual(record.backfill);
    const after = run(edited, NOW_MS + 2).record;
    expect(after.backfill?.next?.forSlotMs).toBe(FROM_MS + HOUR_MS / 2);
    expect(remove(record, NOW_MS).backfill).toBeUndefined();
  });
});

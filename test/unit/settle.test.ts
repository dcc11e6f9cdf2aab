import { describe, expect, test } from '@jest/globals';
import { amend, ask, register, remove } from '../../src/edit.ts';
import { OUTPUT_BYTES_MAX, outputOf } from '../../src/end.ts';
import type { Outcome } from '../../src/launch.ts';
import type { TaskRecord } from '../../src/record.ts';
import { type Done, isRecorded, parseNextAt, type Settled, settle } from '../../src/settle.ts';
import type { TaskDocument } from '../../src/task.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;
const END_OF_TIME_MS = at('9999-12-31T23:59:59.999Z');

const registered = (document: Partial<TaskDocument> = {}): TaskRecord => register(taskOf(document), START_MS);

function doneOf(record: TaskRecord, nowMs: number, outcome: Outcome): Done {
  const { skipped, launch } = decided(record, nowMs);
  if (launch === undefined) throw new Error('nothing is launched');
  return {
    skipped,
    launch,
    outcome,
    startedMs: nowMs,
    finishedMs: nowMs + 5,
    fence: 7,
    createdMs: record.createdMs,
    revision: record.revision,
  };
}

const run = (record: TaskRecord, nowMs: number, value?: unknown): Settled =>
  settle(record, doneOf(record, nowMs, succeeding(value)));

describe('the timer that a task moves itself', () => {
  const iso = '2027-01-01T06:30:00.000Z';

  test.each([
    [iso, at(iso)],
    ['2027-01-01T07:30:00+01:00', at(iso)],
    [at(iso), at(iso)],
    [SLOT_MS + 1, SLOT_MS + 1],
    // In the past by now, but later than the slot: again, at once.
    [SLOT_MS + 2, SLOT_MS + 2],
    [END_OF_TIME_MS, END_OF_TIME_MS],
  ])('to %p is where it says', (nextAt, expected) => {
    const { record, run: recorded } = run(registered(), SLOT_MS, { nextAt });
    expect(record.nextSlotMs).toBe(expected);
    expect(record.dueMs).toBe(expected);
    expect(recorded?.logs).toBeUndefined();
  });

  test.each([
    'tomorrow',
    '2027-01-01',
    // A local time means another instant on every machine.
    '2027-01-01T06:30:00',
    'Fri, 01 Jan 2027 06:30:00 GMT',
    '',
    true,
    {},
    [at(iso)],
    1.5,
    -1,
    8.64e15,
    END_OF_TIME_MS + 1,
    SLOT_MS,
    SLOT_MS - 1,
    '2026-12-31T00:00:00Z',
  ])('to %p is ignored, and the run says so', (nextAt) => {
    const { record, run: recorded } = run(registered(), SLOT_MS, { nextAt });
    expect(record.nextSlotMs).toBe(SLOT_MS + 60_000);
    expect(recorded).toMatchObject({
      status: 'succeeded',
      logs: [expect.stringContaining('nextAt ignored: received ')],
    });
  });

  test('to nothing is no move, and no complaint', () => {
    const { record, run: recorded } = run(registered(), SLOT_MS, { nextAt: null });
    expect(record.nextSlotMs).toBe(SLOT_MS + 60_000);
    expect(recorded?.logs).toBeUndefined();
  });

  test('gives a task with a single slot another one', () => {
    const { record } = run(registered({ schedule: { at: '2027-01-01T00:01:00Z' } }), SLOT_MS, { nextAt: iso });
    expect(record).toMatchObject({ nextSlotMs: at(iso), dueMs: at(iso) });
    expect(record.ended).toBeUndefined();
    expect(run(record, at(iso)).record.ended).toBe('exhausted');
  });

  test('goes on with the schedule from there', () => {
    const { record } = run(registered(), SLOT_MS, { nextAt: at(iso) + 1 });
    expect(run(record, at(iso) + 1).record.nextSlotMs).toBe(at(iso) + 60_000);
  });

  // The run asks for "now" and ends a little later: that moment overlaps the run.
  test('to the moment at which it runs is a launch, and no overlap', () => {
    const first = run(registered({ schedule: { at: '2027-01-01T00:01:00Z' } }), SLOT_MS, { nextAt: SLOT_MS + 3 });
    expect(decided(first.record, SLOT_MS + 10).launch?.slotMs).toBe(SLOT_MS + 3);
    const often = registered({ schedule: { every: '100ms' } });
    const slow = settle(often, {
      ...doneOf(often, START_MS + 100, succeeding({ nextAt: START_MS + 250 })),
      finishedMs: START_MS + 420,
    });
    expect(decided(slow.record, START_MS + 420)).toMatchObject({ skipped: [], launch: { slotMs: START_MS + 250 } });
    // What the schedule itself has in between overlaps, as ever.
    const { skipped } = decided(run(slow.record, START_MS + 420).record, START_MS + 420);
    expect(skipped).toMatchObject([{ firstSlotMs: START_MS + 300, lastSlotMs: START_MS + 400, reason: 'overlap' }]);
  });

  test('beyond the end of the schedule ends the task', () => {
    const { record } = run(registered({ end: '2027-01-01T06:00:00Z' }), SLOT_MS, { nextAt: iso });
    expect(record.ended).toBe('exhausted');
  });

  test('does not outlive the last of the runs that it may have', () => {
    const { record } = run(registered({ maxRuns: 1 }), SLOT_MS, { nextAt: iso });
    expect(record.ended).toBe('exhausted');
  });

  test('counts when it was asked for by hand, but never back to a slot that is decided', () => {
    const manual = ask(run(registered(), SLOT_MS).record, SLOT_MS + 1, {});
    expect(run(manual.record, SLOT_MS + 1, { nextAt: iso }).record.nextSlotMs).toBe(at(iso));
    // Asked for by a clock that was behind; the schedule has passed 00:01 since.
    const early = { slotMs: SLOT_MS - 30_000 };
    const behind = { ...run(registered(), SLOT_MS).record, manual: [early], dueMs: early.slotMs };
    const { record, run: recorded } = run(behind, SLOT_MS + 1, { nextAt: SLOT_MS });
    expect(record.nextSlotMs).toBe(SLOT_MS + 60_000);
    expect(recorded?.logs?.[0]).toContain('nextAt ignored');
  });

  test('is an instant that every view can show', () => {
    for (const nextAt of [END_OF_TIME_MS, 0, '1970-01-01T00:00:00Z']) expect(parseNextAt(nextAt)).toBeDefined();
    for (const nextAt of [8.64e15, '+010000-01-01T00:00:00Z', Number.NaN, null])
      expect(parseNextAt(nextAt)).toBeUndefined();
  });
});

describe('the end of a task', () => {
  test('comes with `completed`, and with nothing else', () => {
    expect(run(registered(), SLOT_MS, { completed: true }).record).toMatchObject({ ended: 'completed', launches: 1 });
    expect(run(registered(), SLOT_MS, { completed: true }).record.dueMs).toBeUndefined();
    // Whether it is an own property, and `true`, is seen where the result is read: no outcome says so here.
    for (const value of [
      { completed: 'true' },
      { completed: 1 },
      Object.create({ completed: true }),
      'completed',
      true,
    ]) {
      expect(run(registered(), SLOT_MS, value).record).toMatchObject({ nextSlotMs: SLOT_MS + 60_000 });
    }
  });

  test('is not moved by a nextAt in the same result', () => {
    const { record } = run(registered(), SLOT_MS, { completed: true, nextAt: SLOT_MS + 1 });
    expect(record.ended).toBe('completed');
  });

  test('does not come with a failure that claims it', () => {
    const claims = { ...failing(), completed: true as const };
    const { record } = settle(registered(), doneOf(registered(), SLOT_MS, claims));
    expect(record.ended).toBeUndefined();
  });

  test('comes after maxRuns launches: those that fail count, those that are skipped do not', () => {
    let record = registered({ maxRuns: 2, retry: { attempts: 1 } });
    const missed = SLOT_MS + 3 * 60_000;
    record = settle(record, doneOf(record, missed, failing())).record;
    expect(record).toMatchObject({ launches: 1, nextSlotMs: missed + 60_000 });
    record = run(record, missed + 60_000).record;
    expect(record).toMatchObject({ launches: 2, ended: 'exhausted' });
  });

  test('by maxRuns waits for the last launch to be tried again', () => {
    const first = registered({ maxRuns: 1 });
    const { record } = settle(first, doneOf(first, SLOT_MS, failing()));
    expect(record.ended).toBeUndefined();
    expect(run(record, record.dueMs as number).record).toMatchObject({ launches: 1, ended: 'exhausted' });
  });

  test('does not take away what was asked for by hand', () => {
    const { record } = ask(registered(), SLOT_MS - 1, {});
    const completed = settle(record, { ...doneOf(record, SLOT_MS - 1, succeeding({ completed: true })) }).record;
    expect(completed).toMatchObject({ ended: 'completed', manual: [] });
    const again = ask(completed, SLOT_MS + 5, { input: 2 });
    const { record: after, run: recorded } = run(again.record, SLOT_MS + 5, 'still here');
    expect(recorded).toMatchObject({ manual: true, output: 'still here' });
    expect(after).toMatchObject({ ended: 'completed', launches: 0 });
  });
});

describe('what a task carries from run to run', () => {
  test('is replaced by a state, and by null, and kept where there is none', () => {
    const first = run(registered(), SLOT_MS, { state: { n: 1 } });
    expect(first.record.state).toEqual({ n: 1 });
    const second = run(first.record, SLOT_MS + 60_000, 'no state');
    expect(second.record.state).toEqual({ n: 1 });
    expect(run(second.record, SLOT_MS + 120_000, { state: null }).record.state).toBeNull();
  });

  test('is kept by a run that fails', () => {
    const first = run(registered(), SLOT_MS, { state: 1 }).record;
    const second = settle(first, doneOf(first, SLOT_MS + 60_000, { ...failing(), state: 2 }));
    expect(second.record.state).toBe(1);
  });
});

describe('the output of a run', () => {
  test.each([
    [null, undefined],
    ['text', 'text'],
    [0, 0],
    [false, false],
    [
      [1, 2],
      [1, 2],
    ],
    [{ a: 1 }, { a: 1 }],
    [{ output: { a: 1 }, b: 2 }, { a: 1 }],
    [{ output: null }, undefined],
    [{ state: 1 }, undefined],
    [{ completed: true, nextAt: 5, state: 1, rows: 3 }, { rows: 3 }],
    [{}, {}],
  ])('of %j is %j', (value, expected) => {
    expect(outputOf(succeeding(value))?.value).toEqual(expected);
  });

  test('is none where the run failed', () => {
    expect(outputOf({ ...failing(), value: 'partial' })).toBeUndefined();
  });

  test('that is too large is cut to text, and the record says so', () => {
    const large = ['ä'.repeat(OUTPUT_BYTES_MAX)];
    const cut = outputOf(succeeding(large));
    expect(cut?.truncated).toBe(true);
    expect(Buffer.byteLength(cut?.value as string)).toBeLessThanOrEqual(OUTPUT_BYTES_MAX);
    expect(cut?.value).toMatch(/^\["ä+$/);
    expect(run(registered(), SLOT_MS, large).run).toMatchObject({ truncated: true });
    const fits = 'x'.repeat(OUTPUT_BYTES_MAX - 2);
    expect(outputOf(succeeding(fits))).toEqual({ value: fits, truncated: false });
  });
});

describe('a run that ends after somebody worked on its task', () => {
  const begin = () => {
    const record = registered();
    return { record, done: doneOf(record, SLOT_MS, succeeding({ state: 'run' })) };
  };

  test('is recorded on the definition as it is now', () => {
    const { record, done } = begin();
    const edited = amend(record, taskOf({ timeout: '3s' }), SLOT_MS + 1);
    const { record: next, run: recorded } = settle(edited, done);
    expect(next).toMatchObject({ revision: 2, launches: 1, state: 'run', nextSlotMs: SLOT_MS + 60_000 });
    expect(next.task.timeoutMs).toBe(3_000);
    expect(recorded?.revision).toBe(1);
  });

  test('leaves the timer of a new schedule alone', () => {
    const { record, done } = begin();
    const edited = amend(record, taskOf({ schedule: { every: '1h' } }), SLOT_MS + 1);
    expect(settle(edited, done).record.nextSlotMs).toBe(START_MS + 3_600_000);
  });

  test('and removed it is kept on the tombstone, which stays as long as it would have', () => {
    const { record, done } = begin();
    const removed = remove(record, SLOT_MS + 1);
    const { record: next, added } = settle(removed, done);
    expect(added).toMatchObject([{ slotMs: SLOT_MS, status: 'succeeded' }]);
    expect(next).toMatchObject({ ended: 'removed', state: null, launches: 0, dueMs: SLOT_MS + 1 + 7 * 86_400_000 });
  });

  test('and removed it is not tried again, and leaves no dead letter', () => {
    const record = registered();
    const done = doneOf(record, SLOT_MS, failing());
    const settled = settle(remove(record, SLOT_MS + 1), done);
    expect(settled.record.retry).toBeUndefined();
    expect(settled.dead).toBeUndefined();
  });

  test('and put it again under the same id does not touch the new one', () => {
    const record = registered({ maxRuns: 1 });
    const done = doneOf(record, SLOT_MS, succeeding({ completed: true, state: 'old' }));
    const anew = amend(remove(record, SLOT_MS + 1), taskOf(), SLOT_MS + 1);
    const { record: next, added } = settle(anew, done);
    expect(added).toMatchObject([{ slotMs: SLOT_MS }]);
    expect(next).toMatchObject({ state: null, launches: 0, nextSlotMs: SLOT_MS + 60_000 });
    expect(next.ended).toBeUndefined();
  });

  // Otherwise 00:01, which has just run, would be the first slot of the new task.
  test('and put it again with a clock that is behind is not launched a second time', () => {
    const { record, done } = begin();
    const anew = amend(remove(record, START_MS + 1), taskOf(), START_MS + 2);
    expect(anew.nextSlotMs).toBe(SLOT_MS);
    expect(settle(anew, done).record.nextSlotMs).toBe(SLOT_MS + 60_000);
    const late = amend(settle(remove(record, START_MS + 1), done).record, taskOf(), START_MS + 2);
    expect(late.nextSlotMs).toBe(SLOT_MS + 60_000);
  });
});

describe('a commit whose reply was lost', () => {
  test('is known again by what it has recorded, and by nothing else', () => {
    const record = registered();
    const done = doneOf(record, SLOT_MS, failing());
    const { record: after } = settle(record, done);
    expect(isRecorded(record, done)).toBe(false);
    expect(isRecorded(after, done)).toBe(true);
    // The same attempt under a later lease, and a later attempt under the same one, are others.
    expect(isRecorded(after, { ...done, fence: 8 })).toBe(false);
    expect(isRecorded(after, { ...done, launch: { slotMs: SLOT_MS, attempt: 2, revision: 1 } })).toBe(false);
  });

  test('is known again where it only skipped', () => {
    const record = registered({ misfire: { window: '1s' } });
    const { skipped } = decided(record, SLOT_MS + 30_000);
    const when = { startedMs: 0, finishedMs: 0, fence: 7, createdMs: record.createdMs, revision: record.revision };
    expect(isRecorded(settle(record, { skipped, ...when }).record, { skipped, ...when })).toBe(true);
    expect(isRecorded(record, { skipped, ...when })).toBe(false);
  });
});

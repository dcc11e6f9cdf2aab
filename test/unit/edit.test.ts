import { describe, expect, test } from '@jest/globals';
import { amend, ask, MANUAL_MAX, pause, register, remove, resume } from '../../src/edit.ts';
import { plan } from '../../src/plan.ts';
import { type TaskRecord, TOMBSTONE_MS } from '../../src/record.ts';
import { settle } from '../../src/settle.ts';
import type { TaskDocument } from '../../src/task.ts';
import { errorOf } from '../support/error-of.ts';
import { at, decided, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const registered = (document: Partial<TaskDocument> = {}): TaskRecord => register(taskOf(document), START_MS);

/** The record after what is due at `nowMs` has run. */
function ran(record: TaskRecord, nowMs: number): TaskRecord {
  const { skipped, launch } = decided(record, nowMs);
  if (launch === undefined) throw new Error('nothing is launched');
  const when = {
    startedMs: nowMs,
    finishedMs: nowMs,
    fence: 1,
    createdMs: record.createdMs,
    revision: record.revision,
  };
  return settle(record, { skipped, launch, outcome: succeeding({ state: 's' }), ...when }).record;
}

describe('a task that is put for the first time', () => {
  test.each<[Partial<TaskDocument>, string | undefined]>([
    [{ schedule: { every: '1h' } }, '2027-01-01T01:00:00Z'],
    [{ schedule: { cron: '0 9 * * *', timeZone: 'Europe/Berlin' } }, '2027-01-01T08:00:00Z'],
    // The moment of registration itself is over for slots that come again and again.
    [{ schedule: { every: '1h', anchor: '2027-01-01T00:00:00Z' } }, '2027-01-01T01:00:00Z'],
    [{ schedule: { after: '5m' } }, '2027-01-01T00:05:00Z'],
    [{ schedule: { after: '0s' } }, '2027-01-01T00:00:00Z'],
    [{ schedule: { at: '2027-01-01T00:00:01Z' } }, '2027-01-01T00:00:01Z'],
    [{ schedule: { at: '2026-12-31T23:59:59Z' } }, undefined],
    [{ start: '2027-01-02T00:00:00Z' }, '2027-01-02T00:00:00Z'],
    [{ start: '2027-01-02T00:00:01Z' }, '2027-01-02T00:01:00Z'],
    [{ start: '2020-01-01T00:00:00Z' }, '2027-01-01T00:01:00Z'],
    [{ end: '2027-01-01T00:01:00Z' }, '2027-01-01T00:01:00Z'],
    [{ end: '2027-01-01T00:00:59Z' }, undefined],
    [{ end: '2020-01-01T00:00:00Z' }, undefined],
    [{ schedule: { after: '5m' }, start: '2027-01-02T00:00:00Z' }, undefined],
  ])('%j is due first at %s', (document, first) => {
    const record = registered(document);
    expect(record.dueMs).toBe(first === undefined ? undefined : at(first));
    expect(record.ended).toBe(first === undefined ? 'exhausted' : undefined);
    expect(record).toMatchObject({ revision: 1, timer: 1, launches: 0, state: null });
  });

  test('paused, waits for nothing', () => {
    expect(registered({ paused: true }).dueMs).toBeUndefined();
  });
});

describe('a task that is put again', () => {
  test('the same changes nothing at all', () => {
    const record = ran(registered({ labels: { a: 'b' }, input: { x: [1] } }), START_MS + MINUTE_MS);
    expect(amend(record, taskOf({ labels: { a: 'b' }, input: { x: [1] } }), START_MS + HOUR_MS)).toBe(record);
  });

  test('with other code or policies keeps its schedule, its state and its timer', () => {
    const record = ran(registered(), START_MS + MINUTE_MS);
    const edited = amend(
      record,
      taskOf({ code: '2', misfire: { policy: 'all' }, timeout: '1s' }),
      START_MS + MINUTE_MS + 5,
    );
    const { revision, timer, dueMs, state, launches, runs } = record;
    expect(edited).toMatchObject({ revision: revision + 1, timer, dueMs, state, launches, runs });
    expect(edited.updatedMs).toBe(START_MS + MINUTE_MS + 5);
  });

  test.each<[string, Partial<TaskDocument>, string]>([
    ['a new schedule begins now', { schedule: { every: '1h' } }, '2027-01-01T01:00:00Z'],
    ['a new delay counts from now', { schedule: { after: '5m' } }, '2027-01-01T00:35:00Z'],
    ['a new start is waited for', { start: '2027-01-01T12:00:00Z' }, '2027-01-01T12:00:00Z'],
    ['an instant to come is waited for', { schedule: { at: '2027-02-01T00:00:00Z' } }, '2027-02-01T00:00:00Z'],
    ['a new limit does not make up for what was missed', { maxRuns: 5 }, '2027-01-01T00:31:00Z'],
  ])('%s', (_, document, first) => {
    const edited = amend(registered(), taskOf(document), START_MS + 30 * MINUTE_MS);
    expect(edited.nextSlotMs).toBe(at(first));
    expect(edited.timer).toBe(2);
  });

  test('after its end begins again with a schedule that has slots to come', () => {
    const ended = ran(registered({ schedule: { at: '2027-01-01T00:01:00Z' } }), START_MS + MINUTE_MS);
    expect(ended.ended).toBe('exhausted');
    const again = amend(ended, taskOf({ schedule: { at: '2027-01-01T00:09:00Z' } }), START_MS + 2 * MINUTE_MS);
    expect(again.ended).toBeUndefined();
    expect(again.dueMs).toBe(START_MS + 9 * MINUTE_MS);
  });

  test('with more runs than it has had goes on, with no more stays ended', () => {
    const ended = ran(registered({ maxRuns: 1 }), START_MS + MINUTE_MS);
    expect(amend(ended, taskOf({ maxRuns: 2 }), START_MS + MINUTE_MS).nextSlotMs).toBe(START_MS + 2 * MINUTE_MS);
    expect(amend(ended, taskOf({ maxRuns: 1, end: '2030-01-01T00:00:00Z' }), START_MS + MINUTE_MS).ended).toBe(
      'exhausted',
    );
  });

  test('moved by its spread gets another timer, and keeps its slot', () => {
    const record = registered({ id: 'spread-2' });
    const spread = amend(record, taskOf({ id: 'spread-2', spread: '1h' }), START_MS + 1);
    expect(spread.nextSlotMs).toBe(record.nextSlotMs);
    expect(spread.dueMs).toBeGreaterThan(record.dueMs as number);
    expect(spread.timer).toBe(record.timer + 1);
  });

  test('by a clock that is behind does not launch again what was launched', () => {
    const record = ran(registered(), START_MS + 5 * MINUTE_MS);
    const behindMs = START_MS + 2 * MINUTE_MS;
    expect(amend(record, taskOf({ schedule: { every: '30s' } }), behindMs).nextSlotMs).toBe(START_MS + 5.5 * MINUTE_MS);
    expect(resume(pause(record, behindMs), behindMs).nextSlotMs).toBe(START_MS + 6 * MINUTE_MS);
    expect(amend(remove(record, behindMs), taskOf(), behindMs).nextSlotMs).toBe(START_MS + 6 * MINUTE_MS);
    expect(ask(record, behindMs, {}).slotMs).toBe(START_MS + 5 * MINUTE_MS + 1);
  });
});

describe('a pause', () => {
  test('lets nothing fall due; the schedule then goes on from now, without what fell into the pause', () => {
    const paused = pause(registered(), START_MS + 1);
    expect(paused.dueMs).toBeUndefined();
    expect(plan(paused, START_MS + HOUR_MS)).toEqual({ do: 'wait' });
    expect(resume(paused, START_MS + HOUR_MS).nextSlotMs).toBe(START_MS + HOUR_MS + MINUTE_MS);
  });

  test('ends with a document that is not paused, in the same way', () => {
    const paused = amend(registered(), taskOf({ paused: true }), START_MS + 1);
    expect(paused.dueMs).toBeUndefined();
    expect(amend(paused, taskOf(), START_MS + HOUR_MS).dueMs).toBe(START_MS + HOUR_MS + MINUTE_MS);
  });

  test('shorter than the wait for the next slot changes nothing about it', () => {
    const record = { ...registered(), nextSlotMs: START_MS + HOUR_MS + 1 };
    expect(resume(pause(record, START_MS + 1), START_MS + 2).nextSlotMs).toBe(START_MS + HOUR_MS + 1);
  });

  test('longer than a schedule with one slot ends the task: it is said, and not silently skipped', () => {
    const paused = pause(registered({ schedule: { at: '2027-01-01T00:01:00Z' } }), START_MS + 1);
    expect(resume(paused, START_MS + HOUR_MS).ended).toBe('exhausted');
  });

  test('twice is once, and so is its end', () => {
    const paused = pause(registered(), START_MS + 1);
    expect(pause(paused, START_MS + 2)).toBe(paused);
    const resumed = resume(paused, START_MS + 3);
    expect(resume(resumed, START_MS + 4)).toBe(resumed);
    expect([paused.revision, resumed.revision]).toEqual([2, 3]);
  });

  test('still lets launch by hand', () => {
    const { record, slotMs } = ask(pause(registered(), START_MS + 1), START_MS + 2, { input: 1 });
    expect(record.dueMs).toBe(slotMs);
    const after = ran(record, slotMs);
    expect(after).toMatchObject({ manual: [], launches: 0 });
    expect(after.dueMs).toBeUndefined();
  });

  test('and its end revive a task that completed, and none whose schedule is over', () => {
    const completed: TaskRecord = { ...registered(), ended: 'completed' };
    const { nextSlotMs: _, dueMs: __, ...rest } = completed;
    expect(resume(rest, START_MS + HOUR_MS)).toMatchObject({ nextSlotMs: START_MS + HOUR_MS + MINUTE_MS });
    expect(resume(rest, START_MS + HOUR_MS).ended).toBeUndefined();
    // One that completed and has no slot to come stays completed.
    const single = { ...rest, task: taskOf({ schedule: { at: '2027-01-01T00:01:00Z' } }) };
    expect(resume(single, START_MS + HOUR_MS).ended).toBe('completed');
    const exhausted: TaskRecord = { ...rest, ended: 'exhausted' };
    expect(resume(exhausted, START_MS + HOUR_MS)).toBe(exhausted);
  });
});

describe('a task that is removed', () => {
  test('stays as a tombstone for a week, takes no launch, and then goes', () => {
    const asked = ask(ran(registered(), START_MS + MINUTE_MS), START_MS + 2 * MINUTE_MS, {}).record;
    const removed = remove(asked, START_MS + 3 * MINUTE_MS);
    expect(removed).toMatchObject({
      ended: 'removed',
      manual: [],
      state: null,
      dueMs: START_MS + 3 * MINUTE_MS + TOMBSTONE_MS,
    });
    expect(removed.runs).toHaveLength(1);
    expect(TOMBSTONE_MS).toBe(7 * 24 * HOUR_MS);
    expect(plan(removed, START_MS + HOUR_MS)).toEqual({ do: 'wait' });
    expect(plan(removed, START_MS + 3 * MINUTE_MS + TOMBSTONE_MS)).toEqual({ do: 'purge' });
  });

  test('and put again is a new one with the history of the old', () => {
    const removed = remove(ran(registered({ maxRuns: 1 }), START_MS + MINUTE_MS), START_MS + HOUR_MS);
    const anew = amend(removed, taskOf({ maxRuns: 1 }), START_MS + 2 * HOUR_MS);
    expect(anew).toMatchObject({ launches: 0, state: null, nextSlotMs: START_MS + 2 * HOUR_MS + MINUTE_MS });
    expect(anew.ended).toBeUndefined();
    expect(anew.runs).toBe(removed.runs);
    expect(anew.createdMs).toBe(START_MS + 2 * HOUR_MS);
    // Entries and ETags of the old one mean nothing for the new one.
    expect(anew.timer).toBeGreaterThan(removed.timer);
    expect(anew.revision).toBeGreaterThan(removed.revision);
  });

  test('and put again in the same millisecond is another task all the same', () => {
    const removed = remove(registered(), START_MS);
    expect(amend(removed, taskOf(), START_MS).createdMs).toBe(START_MS + 1);
  });
});

describe('a launch asked for by hand', () => {
  test('is due at once and leaves the schedule alone', () => {
    const { record, slotMs } = ask(registered(), START_MS + 7, { input: { x: 1 } });
    expect([slotMs, record.dueMs, record.nextSlotMs]).toEqual([START_MS + 7, START_MS + 7, START_MS + MINUTE_MS]);
    expect(decided(record, START_MS + 7).launch).toMatchObject({ slotMs, attempt: 1, manual: { input: { x: 1 } } });
    expect(ran(record, START_MS + 7)).toMatchObject({
      nextSlotMs: START_MS + MINUTE_MS,
      launches: 0,
      dueMs: START_MS + MINUTE_MS,
    });
  });

  test('twice with one key is one launch, also when it has long run; with another key it is another', () => {
    const first = ask(registered(), START_MS + 7, { key: 'a' });
    expect(ask(first.record, START_MS + 9, { key: 'a' })).toEqual(first);
    const after = ran(first.record, START_MS + 7);
    expect(ask(after, START_MS + 10, { key: 'a' })).toEqual({ record: after, slotMs: START_MS + 7 });
    expect(ask(after, START_MS + 10, { key: 'b' }).slotMs).toBe(START_MS + 10);
    expect(ask(after, START_MS + 10, {}).record.manual).toHaveLength(1);
  });

  test('many times in one millisecond are launches of different names', () => {
    let record = registered();
    const slots = Array.from({ length: MANUAL_MAX }, () => {
      const asked = ask(record, START_MS + 7, {});
      record = asked.record;
      return asked.slotMs;
    });
    expect(new Set(slots).size).toBe(MANUAL_MAX);
    expect(record.manual.map(({ slotMs }) => slotMs)).toEqual(slots);
  });

  test('never takes the name of a slot: not of the next one, of a later one, of one that waits, of one that ran', () => {
    const slotMs = START_MS + MINUTE_MS;
    expect(ask(registered(), slotMs, {}).slotMs).toBe(slotMs + 1);
    // The cursor is behind: 00:03 is still to be decided, though it is now.
    expect(ask(registered(), START_MS + 3 * MINUTE_MS, {}).slotMs).toBe(START_MS + 3 * MINUTE_MS + 1);
    expect(ask(ran(registered(), slotMs), slotMs, {}).slotMs).toBe(slotMs + 1);
    const manual = ask(registered(), START_MS + 7, {});
    expect(ask(ran(manual.record, START_MS + 7), START_MS + 7, {}).slotMs).toBe(START_MS + 8);
    const moved = { ...registered(), nextSlotMs: START_MS + 500 };
    expect(ask(moved, START_MS + 500, {}).slotMs).toBe(START_MS + 501);
  });

  test('is refused when too many wait, and remembers only so many keys', () => {
    let record = registered();
    for (let i = 0; i < MANUAL_MAX; i++) record = ask(record, START_MS + 7, { key: `k${i}` }).record;
    const error = errorOf(() => ask(record, START_MS + 7, { key: 'one more' }));
    expect(error.code).toBe('too-large');
    expect(error.message).toContain('allowed: 20');
    // Asking again for one that waits is no new launch.
    expect(ask(record, START_MS + 8, { key: 'k0' }).slotMs).toBe(START_MS + 7);
    for (let i = 0; i < 5; i++) record = ran(record, START_MS + HOUR_MS);
    for (let i = 0; i < 5; i++) record = ask(record, START_MS + HOUR_MS + 1, { key: `later${i}` }).record;
    expect(record.asked).toHaveLength(MANUAL_MAX);
  });

  test('by a clock that is ahead waits for its moment, and holds up no slot', () => {
    const { record } = ask(registered(), START_MS + HOUR_MS + 1, {});
    expect(record.dueMs).toBe(START_MS + MINUTE_MS);
    const { launch } = decided(record, START_MS + MINUTE_MS);
    expect(launch).toEqual({ slotMs: START_MS + MINUTE_MS, attempt: 1, revision: 1 });
  });

  test('waits until a launch that is to be tried again has ended: one at a time', () => {
    const retry = {
      slotMs: START_MS + MINUTE_MS,
      attempt: 2,
      dueMs: START_MS + HOUR_MS,
      sinceMs: START_MS + MINUTE_MS,
    };
    const { record } = ask({ ...registered(), retry }, START_MS + 2 * MINUTE_MS, {});
    expect(record.dueMs).toBe(START_MS + HOUR_MS);
    expect(decided(record, START_MS + HOUR_MS).launch).toMatchObject({ slotMs: retry.slotMs, attempt: 2 });
  });
});

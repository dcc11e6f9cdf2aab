import { describe, expect, test } from '@jest/globals';
import { register } from '../../src/edit.ts';
import { MISFIRE_TOLERANCE_MS, plan } from '../../src/plan.ts';
import type { TaskRecord } from '../../src/record.ts';
import { settle } from '../../src/settle.ts';
import { spreadOffsetMs } from '../../src/shard.ts';
import type { TaskDocument } from '../../src/task.ts';
import { at, clock, decided, ranges, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const MINUTE_MS = 60_000;

const registered = (document: Partial<TaskDocument>): TaskRecord => register(taskOf(document), START_MS);

/** What a tick that comes at `hh:mm:ss` decides for a task that was registered at midnight: skipped ranges, launch. */
function decide(document: Partial<TaskDocument>, time: string): [string[], string] {
  const { skipped, launch } = decided(registered(document), at(`2027-01-01T${time}Z`));
  return [ranges(skipped), launch === undefined ? 'none' : clock(launch.slotMs)];
}

describe('slots that nobody was there to launch', () => {
  test.each<[TaskDocument['misfire'], string, string[], string]>([
    // On time: one slot is due, and every policy launches it.
    [{ policy: 'skip' }, '00:01:00', [], '00:01:00'],
    [{ policy: 'once' }, '00:01:00', [], '00:01:00'],
    [{ policy: 'all' }, '00:01:00', [], '00:01:00'],
    // `skip` takes what a trigger that is late may take, and no later.
    [{ policy: 'skip' }, '00:01:59', [], '00:01:00'],
    [{ policy: 'skip' }, '00:04:10', ['missed 00:01:00..00:03:00 (3)'], '00:04:00'],
    // `once` stands for all of them, at the latest.
    [{ policy: 'once' }, '00:05:30', ['coalesced 00:01:00..00:04:00 (4)'], '00:05:00'],
    [{}, '00:05:30', ['coalesced 00:01:00..00:04:00 (4)'], '00:05:00'],
    // `all` begins with the oldest.
    [{ policy: 'all' }, '00:05:30', [], '00:01:00'],
    // At most `max` of them, the latest ones.
    [{ policy: 'all', max: 3 }, '00:05:30', ['too-many 00:01:00..00:02:00 (2)'], '00:03:00'],
    [{ policy: 'all', max: 1 }, '00:05:30', ['too-many 00:01:00..00:04:00 (4)'], '00:05:00'],
    [{ policy: 'all', max: 5 }, '00:05:30', [], '00:01:00'],
    [{ policy: 'once', max: 2 }, '00:05:30', ['coalesced 00:01:00..00:04:00 (4)'], '00:05:00'],
    [{ policy: 'skip', max: 2 }, '00:05:30', ['missed 00:01:00..00:04:00 (4)'], '00:05:00'],
    // None that is older than the window.
    [{ policy: 'all', window: '2m' }, '00:05:30', ['too-old 00:01:00..00:03:00 (3)'], '00:04:00'],
    [{ policy: 'all', window: '90s' }, '00:05:30', ['too-old 00:01:00..00:03:00 (3)'], '00:04:00'],
    [{ policy: 'once', window: '10s' }, '00:05:30', ['too-old 00:01:00..00:05:00 (5)'], 'none'],
    [
      { policy: 'once', window: '3m' },
      '00:05:30',
      ['too-old 00:01:00..00:02:00 (2)', 'coalesced 00:03:00..00:04:00 (2)'],
      '00:05:00',
    ],
    // Both bounds at once: those beyond `max` go first, and are called that.
    [
      { policy: 'all', window: '2m', max: 4 },
      '00:05:30',
      ['too-many 00:01:00..00:01:00 (1)', 'too-old 00:02:00..00:03:00 (2)'],
      '00:04:00',
    ],
  ])('%j at %s: %j are skipped and %s is launched', (misfire, time, skipped, launched) => {
    expect(decide({ misfire }, time)).toEqual([skipped, launched]);
  });

  test('a slot exactly as late as is tolerated is launched, one that is later is missed', () => {
    const document = { schedule: { every: '1h' }, misfire: { policy: 'skip' } } as const;
    const slotMs = START_MS + 60 * MINUTE_MS;
    expect(decided(registered(document), slotMs + MISFIRE_TOLERANCE_MS).launch?.slotMs).toBe(slotMs);
    const { skipped, launch } = decided(registered(document), slotMs + MISFIRE_TOLERANCE_MS + 1);
    expect([ranges(skipped), launch]).toEqual([['missed 01:00:00..01:00:00 (1)'], undefined]);
  });

  test('a slot exactly as old as the window is launched, one that is older is not', () => {
    const document = { schedule: { every: '1h' }, misfire: { policy: 'all', window: '10m' } } as const;
    const slotMs = START_MS + 60 * MINUTE_MS;
    expect(decided(registered(document), slotMs + 10 * MINUTE_MS).launch?.slotMs).toBe(slotMs);
    expect(decided(registered(document), slotMs + 10 * MINUTE_MS + 1).launch).toBeUndefined();
  });

  test('of a year without ticks take one record, not half a million', () => {
    const nowMs = START_MS + 365 * 24 * 60 * MINUTE_MS;
    const { skipped, launch } = decided(registered({ misfire: { policy: 'all', window: '366d' } }), nowMs);
    expect(skipped).toEqual([
      { firstSlotMs: START_MS + MINUTE_MS, lastSlotMs: nowMs - 100 * MINUTE_MS, count: 525_500, reason: 'too-many' },
    ]);
    expect(launch?.slotMs).toBe(nowMs - 99 * MINUTE_MS);
  });

  test('of `all` come one after the other, until none is left', () => {
    let record = registered({ misfire: { policy: 'all' } });
    const nowMs = START_MS + 4.5 * MINUTE_MS;
    const launched: string[] = [];
    for (let decision = plan(record, nowMs); decision.do === 'decide'; decision = plan(record, nowMs)) {
      const { skipped, launch } = decision;
      if (launch === undefined) throw new Error('nothing is launched');
      launched.push(clock(launch.slotMs));
      const when = {
        startedMs: nowMs,
        finishedMs: nowMs,
        fence: 1,
        createdMs: record.createdMs,
        revision: record.revision,
      };
      record = settle(record, { skipped, launch, outcome: succeeding(), ...when }).record;
    }
    expect(launched).toEqual(['00:01:00', '00:02:00', '00:03:00', '00:04:00']);
    expect(record.nextSlotMs).toBe(START_MS + 5 * MINUTE_MS);
  });

  test('beyond the end of the schedule do not exist', () => {
    expect(decide({ end: '2027-01-01T00:03:30Z' }, '01:00:00')).toEqual([
      ['coalesced 00:01:00..00:02:00 (2)'],
      '00:03:00',
    ]);
  });

  test('a single instant that was missed is launched late, within its window', () => {
    const document = { schedule: { at: '2027-01-01T00:03:00Z' } };
    expect(decide(document, '23:00:00')).toEqual([[], '00:03:00']);
    expect(decide({ ...document, misfire: { window: '1h' } }, '23:00:00')).toEqual([
      ['too-old 00:03:00..00:03:00 (1)'],
      'none',
    ]);
  });

  test('a task whose only slot was passed over has ended, and has no timer', () => {
    const record = registered({ schedule: { at: '2027-01-01T00:03:00Z' }, misfire: { window: '1h' } });
    const nowMs = START_MS + 180 * MINUTE_MS;
    const { skipped } = decided(record, nowMs);
    const { record: next, added } = settle(record, {
      skipped,
      startedMs: nowMs,
      finishedMs: nowMs,
      fence: 1,
      createdMs: record.createdMs,
      revision: record.revision,
    });
    expect(next).toMatchObject({ ended: 'exhausted', launches: 0 });
    expect(next.dueMs).toBeUndefined();
    expect(added).toMatchObject([{ status: 'skipped', attempt: 0, reason: 'too-old', count: 1 }]);
  });
});

describe('a launch that is spread', () => {
  // The id decides how far.
  const document = { id: 'spread-2', schedule: { every: '1h' }, spread: '1h' } as const;
  const offsetMs = spreadOffsetMs(taskOf(document));
  const slotMs = START_MS + 60 * MINUTE_MS;

  test('is due that much after its slot, and keeps the slot as its name', () => {
    expect(offsetMs).toBeGreaterThan(30 * MINUTE_MS);
    const record = registered(document);
    expect(record.dueMs).toBe(slotMs + offsetMs);
    expect(plan(record, slotMs + offsetMs - 1)).toEqual({ do: 'wait' });
    expect(decided(record, slotMs + offsetMs).launch?.slotMs).toBe(slotMs);
  });

  // Counted from the slot, each of them would always be too old.
  test('is not late for its window, nor for `skip`, while it waits for its turn', () => {
    for (const misfire of [{ window: '1m' }, { policy: 'skip' }, { policy: 'all', window: '1s' }] as const) {
      const { skipped, launch } = decided(registered({ ...document, misfire }), slotMs + offsetMs + 500);
      expect([skipped, launch?.slotMs]).toEqual([[], slotMs]);
    }
  });
});

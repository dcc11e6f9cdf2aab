import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  nextSlot,
  parseSchedule,
  previewSchedule,
  type Schedule,
  type ScheduleDocument,
  slotsBetween,
} from '../../src/schedule.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { errorOf } from '../support/error-of.ts';

const at = (instant: string): number => Date.parse(instant);
const END_MS = at('9999-12-31T23:59:59.999Z');

describe('an interval', () => {
  test('falls on :00 and :30, whoever computes it and whenever it was registered', () => {
    const schedule = parseSchedule({ every: '30s' });
    expect(nextSlot(schedule, at('2026-03-08T10:00:07.123Z'), at('2026-03-08T09:59:59Z'))).toBe(
      at('2026-03-08T10:00:30Z'),
    );
    expect(nextSlot(schedule, at('2026-03-08T10:00:30Z'), 0)).toBe(at('2026-03-08T10:01:00Z'));
    expect(nextSlot(schedule, at('2026-03-08T10:00:29.999Z'), 0)).toBe(at('2026-03-08T10:00:30Z'));
  });

  test('an anchor is a phase: slots lie before it too', () => {
    const schedule = parseSchedule({ every: '1h', anchor: '2030-01-01T00:10:00Z' });
    expect(nextSlot(schedule, at('2026-01-01T00:00:00Z'), 0)).toBe(at('2026-01-01T00:10:00Z'));
    expect(nextSlot(schedule, at('2031-01-01T00:10:00Z'), 0)).toBe(at('2031-01-01T01:10:00Z'));
  });

  test('does not drift over a million slots', () => {
    const everyMs = 1_234;
    const anchorMs = at('2026-01-01T00:00:00.007Z');
    const schedule: Schedule = { kind: 'every', everyMs, anchorMs };
    let slotMs = anchorMs;
    for (let count = 0; count < 1_000_000; count++) slotMs = nextSlot(schedule, slotMs, 0) ?? Number.NaN;
    expect(slotMs).toBe(anchorMs + 1_000_000 * everyMs);
  });

  test('every slot is a whole number of intervals from the anchor, and the first one later', () => {
    const instant = fc.integer({ min: 0, max: END_MS - 400 * 86_400_000 });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 366 * 86_400_000 }), instant, instant, (everyMs, anchorMs, afterMs) => {
        const slotMs = nextSlot({ kind: 'every', everyMs, anchorMs }, afterMs, 0) ?? Number.NaN;
        expect(Math.abs((slotMs - anchorMs) % everyMs)).toBe(0);
        expect(slotMs).toBeGreaterThan(afterMs);
        expect(slotMs - everyMs).toBeLessThanOrEqual(afterMs);
      }),
      { seed: PROPERTY_SEED, numRuns: 2_000 },
    );
  });
});

describe('a single launch', () => {
  test('at an instant comes once', () => {
    const schedule = parseSchedule({ at: '2026-03-08T02:30:00Z' });
    const atMs = at('2026-03-08T02:30:00Z');
    expect(nextSlot(schedule, atMs - 1, 0)).toBe(atMs);
    expect(nextSlot(schedule, atMs, 0)).toBeUndefined();
  });

  test('after a while counts from registration, not from the moment that asks', () => {
    const schedule = parseSchedule({ after: '5m' });
    expect(nextSlot(schedule, 0, 1_000)).toBe(301_000);
    expect(nextSlot(schedule, 300_999, 1_000)).toBe(301_000);
    expect(nextSlot(schedule, 301_000, 1_000)).toBeUndefined();
  });

  test('after no time at all still comes', () => {
    expect(nextSlot({ kind: 'after', afterMs: 0 }, 999, 1_000)).toBe(1_000);
  });
});

describe('the ends of time', () => {
  test('the epoch itself is a slot', () => {
    expect(nextSlot(parseSchedule({ every: '1d' }), -5, 0)).toBe(0);
    expect(nextSlot(parseSchedule({ cron: '@daily' }), -1_000_000, 0)).toBe(0);
    expect(nextSlot(parseSchedule({ at: '1970-01-01T00:00:00Z' }), Number.MIN_SAFE_INTEGER, 0)).toBe(0);
  });

  test.each<[ScheduleDocument]>([
    [{ every: '1d' }],
    [{ cron: '@daily' }],
    [{ cron: '@daily', timeZone: 'America/New_York' }],
    [{ cron: '@hourly', timeZone: 'Pacific/Apia', dst: 'skip' }],
    [{ after: '1d' }],
  ])('%j has no slot beyond the year 9999', (document) => {
    const schedule = parseSchedule(document);
    expect(nextSlot(schedule, END_MS, END_MS)).toBeUndefined();
    expect(nextSlot(schedule, 8e15, 8e15)).toBeUndefined();
    expect(slotsBetween(schedule, END_MS - 1, Infinity, END_MS - 1, 10).slots).toEqual([]);
  });

  test('a schedule that answers with the past fails, and does not fire for ever', () => {
    expect(errorOf(() => nextSlot({ kind: 'every', everyMs: 0, anchorMs: 0 }, 5, 0)).code).toBe('internal');
    expect(errorOf(() => nextSlot({ kind: 'every', everyMs: -100, anchorMs: 0 }, 5, 0)).code).toBe('internal');
    expect(errorOf(() => nextSlot(parseSchedule({ every: '1s' }), Number.NaN, 0)).code).toBe('internal');
  });
});

describe('the slots of an outage', () => {
  const yearMs = 365 * 86_400_000;
  const untilMs = at('2026-07-01T00:00:00Z');

  test('of an interval are counted, however many', () => {
    const result = slotsBetween({ kind: 'every', everyMs: 100, anchorMs: 0 }, untilMs - yearMs, untilMs, 0, 3);
    expect(result).toEqual({
      slots: [untilMs - 200, untilMs - 100, untilMs],
      total: yearMs / 100,
      totalIsExact: true,
      truncated: true,
    });
  });

  test('of a single launch are one or none', () => {
    const schedule = parseSchedule({ at: '2026-03-08T02:30:00Z' });
    const slots = (afterMs: number, until: number) => slotsBetween(schedule, afterMs, until, 0, 10).slots;
    const atMs = at('2026-03-08T02:30:00Z');
    expect(slots(0, untilMs)).toEqual([atMs]);
    expect(slots(atMs - 1, atMs)).toEqual([atMs]);
    expect(slots(atMs, untilMs)).toEqual([]);
    expect(slots(0, atMs - 1)).toEqual([]);
  });

  test('of a window that is empty, or runs backwards, are none', () => {
    for (const document of [{ every: '1s' }, { cron: '* * * * * *' }] as const) {
      const empty = { slots: [], total: 0, totalIsExact: true, truncated: false };
      expect(slotsBetween(parseSchedule(document), untilMs, untilMs, 0, 10)).toEqual(empty);
      expect(slotsBetween(parseSchedule(document), untilMs, untilMs - 5_000, 0, 10)).toEqual(empty);
    }
  });

  // Walking them all would take half an hour: it is the time-out of the test that fails.
  test.each([
    ['* * * * * *', 'UTC', untilMs],
    ['* * * * * *', 'America/New_York', untilMs],
    // Bursts: a second-by-second day each January, and then nothing until the end of the window.
    ['* * * 1 1 *', 'UTC', at('2026-01-01T23:59:59Z')],
    ['* * 0-5 1 1 *', 'UTC', at('2026-01-01T05:59:59Z')],
  ])('%s in %s, once a second and a year long, are found at its end', (cron, timeZone, lastMs) => {
    const schedule = parseSchedule({ cron, timeZone });
    for (const countMax of [1, 100, 2_500]) {
      const { slots, total, totalIsExact, truncated } = slotsBetween(schedule, untilMs - yearMs, untilMs, 0, countMax);
      expect(slots).toEqual(Array.from({ length: countMax }, (_, index) => lastMs - (countMax - 1 - index) * 1_000));
      expect(total).toBeGreaterThan(countMax);
      expect({ totalIsExact, truncated }).toEqual({ totalIsExact: false, truncated: true });
    }
  });

  test('never list more than they may', () => {
    const schedule = parseSchedule({ every: '1s' });
    for (const countMax of [0, -1, 1.5, 10_001, Number.NaN, Infinity]) {
      expect(errorOf(() => slotsBetween(schedule, 0, untilMs, 0, countMax)).code).toBe('internal');
    }
  });
});

describe('a preview', () => {
  const from = '2026-03-08T00:00:00Z';

  test('takes a document or text, and a start in any form', () => {
    const expected = ['2026-03-08T00:00:30.000Z', '2026-03-08T00:01:00.000Z'];
    for (const start of [from, at(from), new Date(from)]) {
      expect(previewSchedule({ every: '30s' }, { from: start, count: 2 })).toEqual(expected);
      expect(previewSchedule('every 30s', { from: start, count: 2 })).toEqual(expected);
    }
  });

  test('shows five slots unless told otherwise, and fewer when the schedule ends', () => {
    expect(previewSchedule('@daily', { from })).toHaveLength(5);
    expect(previewSchedule('@daily', { from, count: 1_000 })).toHaveLength(1_000);
    expect(previewSchedule('after 5m', { from })).toEqual(['2026-03-08T00:05:00.000Z']);
    expect(previewSchedule('at 2026-01-01T00:00:00Z', { from })).toEqual([]);
  });

  test('takes the zone and the rule from its options when the schedule names none', () => {
    const options = { from: '2026-03-08T00:00:00Z', count: 1, timeZone: 'America/New_York' } as const;
    expect(previewSchedule('30 2 * * *', options)).toEqual(['2026-03-08T07:00:00.000Z']);
    expect(previewSchedule('30 2 * * *', { ...options, dst: 'skip' })).toEqual(['2026-03-09T06:30:00.000Z']);
    expect(previewSchedule({ cron: '30 2 * * *', timeZone: 'UTC' }, options)).toEqual(['2026-03-08T02:30:00.000Z']);
  });

  test.each([0, -1, 1.5, 1_001, Number.NaN])('of %d slots is refused', (count) => {
    expect(errorOf(() => previewSchedule('@daily', { from, count })).message).toContain('count: received');
  });

  test.each(['yesterday', '2026-03-08', '2026-03-08T00:00', -1, 0.5, Number.NaN, new Date('x')])(
    'from %p is refused',
    (start) => {
      const error = errorOf(() => previewSchedule('@daily', { from: start }));
      expect(error.problems.map(({ field }) => field)).toEqual(['from']);
      expect(error.message).toContain('from: received');
    },
  );
});

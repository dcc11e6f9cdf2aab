import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  nextSlot,
  parseSchedule,
  parseScheduleText,
  previewSchedule,
  type Schedule,
  type ScheduleDocument,
  slotsBetween,
} from '../../src/schedule.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { errorOf } from '../support/error-of.ts';

const at = (instant: string): number => Date.parse(instant);
const END_MS = at('9999-12-31T23:59:59.999Z');

describe('a schedule document', () => {
  test.each<[ScheduleDocument, Schedule]>([
    [{ cron: '0 9 * * 1-5' }, { kind: 'cron', expression: '0 9 * * 1-5', timeZone: 'UTC', dst: 'vixie' }],
    [
      { cron: ' 0  9\t* * MON-FRI ', timeZone: 'Europe/Berlin', dst: 'skip' },
      { kind: 'cron', expression: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', dst: 'skip' },
    ],
    [{ cron: '@Daily' }, { kind: 'cron', expression: '@daily', timeZone: 'UTC', dst: 'vixie' }],
    [{ every: '30s' }, { kind: 'every', everyMs: 30_000, anchorMs: 0 }],
    [
      { every: '1h30m', anchor: '2026-01-01T00:15:00+01:00' },
      { kind: 'every', everyMs: 5_400_000, anchorMs: at('2025-12-31T23:15:00Z') },
    ],
    [{ at: '2026-03-08T02:30:00-05:00' }, { kind: 'at', atMs: at('2026-03-08T07:30:00Z') }],
    [{ at: '2026-03-08T02:30Z' }, { kind: 'at', atMs: at('2026-03-08T02:30:00Z') }],
    [{ after: '5m' }, { kind: 'after', afterMs: 300_000 }],
  ])('%j is read', (document, schedule) => {
    expect(parseSchedule(document)).toEqual(schedule);
  });

  test.each<[unknown, string[]]>([
    [{}, ['schedule']],
    [[], ['schedule']],
    [null, ['schedule']],
    ['@daily', ['schedule']],
    [{ cron: '@daily', every: '30s' }, ['schedule']],
    [{ timeZone: 'UTC' }, ['schedule']],
    [{ cron: '@daily', timezone: 'UTC' }, ['schedule.timezone']],
    [{ cron: '@reboot' }, ['schedule.cron']],
    [{ cron: 5 }, ['schedule.cron']],
    [{ cron: '* * * * *\n' }, ['schedule.cron']],
    [{ cron: '* * * * '.repeat(64) }, ['schedule.cron']],
    [
      { cron: `${Array.from({ length: 60 }, (_, minute) => minute).join()},${'0,'.repeat(40)}0 * * * *` },
      ['schedule.cron'],
    ],
    [{ cron: '@daily', timeZone: 'Mars/Olympus' }, ['schedule.timeZone']],
    [{ cron: '@daily', timeZone: '+02:00' }, ['schedule.timeZone']],
    [{ cron: '@daily', timeZone: null }, ['schedule.timeZone']],
    [{ cron: '@daily', dst: 'quartz' }, ['schedule.dst']],
    [{ cron: '0 0 30 2 *' }, ['schedule.cron']],
    // Every second Sunday of March at 02:30, and only then: the clocks of New York never show it.
    [{ cron: '30 2 * 3 0#2', timeZone: 'America/New_York', dst: 'skip' }, ['schedule.cron']],
    [{ every: '30' }, ['schedule.every']],
    [{ every: 30 }, ['schedule.every']],
    [{ every: '99ms' }, ['schedule.every']],
    [{ every: '367d' }, ['schedule.every']],
    [{ every: '30s', anchor: '2026-01-01' }, ['schedule.anchor']],
    [{ every: '30s', timeZone: 'UTC' }, ['schedule.timeZone']],
    [{ at: '2026-03-08T02:30:00' }, ['schedule.at']],
    [{ at: '2026-02-29T00:00:00Z' }, ['schedule.at']],
    [{ at: '2026-01-01T24:00:00Z' }, ['schedule.at']],
    [{ at: '2026-01-01T00:00:00+24:00' }, ['schedule.at']],
    [{ at: '1969-12-31T23:59:59Z' }, ['schedule.at']],
    [{ at: '9999-12-31T23:59:59-01:00' }, ['schedule.at']],
    [{ at: 1_772_000_000_000 }, ['schedule.at']],
    [{ after: '11y' }, ['schedule.after']],
    [
      { cron: '61 * * * *', timeZone: 'Nowhere', dst: 'no', foo: 1 },
      ['schedule.foo', 'schedule.cron', 'schedule.timeZone', 'schedule.dst'],
    ],
  ])('%j is refused, naming every wrong field', (document, fields) => {
    const error = errorOf(() => parseSchedule(document));
    expect(error.code).toBe('invalid');
    expect(error.problems.map(({ field }) => field)).toEqual(fields);
    for (const { field, message } of error.problems) {
      expect(message).toContain('allowed');
      expect(error.message).toContain(`${field}: ${message}`);
    }
  });

  test.each([
    ['60 * * * *', '0-59 and * , - / as the minute, not "60"'],
    ['* * 0 * *', '1-31, L, LW, 15W and * , - / as the day of month, not "0"'],
    ['* * * 13 *', 'as the month, not "13"'],
    ['99 * * * * *', 'as the second, not "99"'],
    ['* * * *', 'these are 4 fields'],
  ])('%s: the message says which field is wrong', (cron, text) => {
    expect(errorOf(() => parseSchedule({ cron })).message).toContain(text);
  });

  test('a flood of unknown keys does not become a flood of problems', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => [`key${index}`.repeat(100), 1]);
    const { problems } = errorOf(() => parseSchedule({ at: '2026-01-01T00:00:00Z', ...Object.fromEntries(keys) }));
    expect(problems).toHaveLength(10);
    expect(problems.every(({ field }) => field.length < 100)).toBe(true);
  });

  test('problems carry the path of the document around it', () => {
    expect(errorOf(() => parseSchedule({ after: 5 }, '')).problems.map(({ field }) => field)).toEqual(['after']);
    expect(errorOf(() => parseSchedule({ after: 5 }, 'tasks.3.schedule')).message).toContain('tasks.3.schedule.after:');
  });
});

describe('a schedule on the command line', () => {
  test.each<[string, Schedule]>([
    ['30 2 * * *', { kind: 'cron', expression: '30 2 * * *', timeZone: 'UTC', dst: 'vixie' }],
    ['@hourly', { kind: 'cron', expression: '@hourly', timeZone: 'UTC', dst: 'vixie' }],
    ['every 30s', { kind: 'every', everyMs: 30_000, anchorMs: 0 }],
    ['at 2026-03-08T02:30:00Z', { kind: 'at', atMs: at('2026-03-08T02:30:00Z') }],
    ['  after   5m ', { kind: 'after', afterMs: 300_000 }],
    [
      '{ "cron": "@daily", "timeZone": "Asia/Tokyo" }',
      { kind: 'cron', expression: '@daily', timeZone: 'Asia/Tokyo', dst: 'vixie' },
    ],
  ])('%s', (text, schedule) => {
    expect(parseScheduleText(text)).toEqual(schedule);
  });

  test('a zone and a rule from flags go to a cron expression that names none', () => {
    const flags = { timeZone: 'Europe/Paris', dst: 'skip' } as const;
    expect(parseScheduleText('@daily', flags)).toMatchObject(flags);
    expect(parseScheduleText('{"cron":"@daily","timeZone":"Asia/Tokyo"}', flags)).toMatchObject({
      timeZone: 'Asia/Tokyo',
      dst: 'skip',
    });
    expect(errorOf(() => parseScheduleText('every 30s', flags)).message).toContain('schedule.timeZone: unknown key');
  });

  test.each(['', 'every', 'every 30', 'daily', '{"cron":', `every ${' '.repeat(2_000)}30s`])(
    '%j is refused',
    (text) => {
      expect(errorOf(() => parseScheduleText(text)).code).toBe('invalid');
    },
  );
});

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

describe('what happens when clocks are changed', () => {
  interface Row {
    readonly cron: string;
    readonly timeZone: string;
    readonly from: string;
    readonly vixie: readonly string[];
    readonly skip: readonly string[];
  }

  test.each<Row>([
    {
      // The CLI's own example: New York, 8 March 2026, 02:00 to 03:00.
      cron: '30 2 * * *',
      timeZone: 'America/New_York',
      from: '2026-03-07T00:00Z',
      vixie: ['2026-03-07T07:30Z', '2026-03-08T07:00Z', '2026-03-09T06:30Z'],
      skip: ['2026-03-07T07:30Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z'],
    },
    {
      cron: '30 1-3 * * *',
      timeZone: 'America/New_York',
      from: '2026-03-08T05:00Z',
      vixie: ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-09T05:30Z'],
      skip: ['2026-03-08T06:30Z', '2026-03-08T07:30Z', '2026-03-09T05:30Z'],
    },
    {
      // Two missing times, and the first one after them, are one launch.
      cron: '0,30 2,3 * * *',
      timeZone: 'America/New_York',
      from: '2026-03-08T05:00Z',
      vixie: ['2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-09T06:00Z'],
      skip: ['2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-09T06:00Z'],
    },
    {
      cron: '*/30 * * * *',
      timeZone: 'America/New_York',
      from: '2026-03-08T06:00Z',
      vixie: ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z'],
      skip: ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z'],
    },
    {
      // 1 November 2026, 02:00 to 01:00.
      cron: '30 1 * * *',
      timeZone: 'America/New_York',
      from: '2026-11-01T00:00Z',
      vixie: ['2026-11-01T05:30Z', '2026-11-02T06:30Z'],
      skip: ['2026-11-01T05:30Z', '2026-11-02T06:30Z'],
    },
    {
      // Asked for during the second 01:xx: what was shown the first time is over.
      cron: '45 1 * * *',
      timeZone: 'America/New_York',
      from: '2026-11-01T06:10Z',
      vixie: ['2026-11-02T06:45Z'],
      skip: ['2026-11-02T06:45Z'],
    },
    {
      cron: '*/30 * * * *',
      timeZone: 'America/New_York',
      from: '2026-11-01T04:45Z',
      vixie: ['2026-11-01T05:00Z', '2026-11-01T05:30Z', '2026-11-01T06:00Z', '2026-11-01T06:30Z', '2026-11-01T07:00Z'],
      skip: ['2026-11-01T05:00Z', '2026-11-01T05:30Z', '2026-11-01T07:00Z', '2026-11-01T07:30Z'],
    },
    {
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      from: '2026-03-28T12:00Z',
      vixie: ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
      skip: ['2026-03-30T00:30Z', '2026-03-31T00:30Z'],
    },
    {
      // Half an hour: 02:00 to 02:30 on 4 October.
      cron: '15 2 * * *',
      timeZone: 'Australia/Lord_Howe',
      from: '2026-10-03T00:00Z',
      vixie: ['2026-10-03T15:30Z', '2026-10-04T15:15Z'],
      skip: ['2026-10-04T15:15Z', '2026-10-05T15:15Z'],
    },
    {
      // And back, 02:00 to 01:30 on 5 April: an hourly job waits 1.5 hours or 1, and 01:45 comes twice.
      cron: '*/45 1-2 * * *',
      timeZone: 'Australia/Lord_Howe',
      from: '2026-04-04T13:00Z',
      vixie: ['2026-04-04T14:00Z', '2026-04-04T14:45Z', '2026-04-04T15:15Z', '2026-04-04T15:30Z', '2026-04-04T16:15Z'],
      skip: ['2026-04-04T14:00Z', '2026-04-04T14:45Z', '2026-04-04T15:30Z', '2026-04-04T16:15Z'],
    },
    {
      // Midnight is missing: 00:00 to 01:00 on 9 March 2025.
      cron: '@daily',
      timeZone: 'America/Havana',
      from: '2025-03-08T12:00Z',
      vixie: ['2025-03-09T05:00Z', '2025-03-10T04:00Z'],
      skip: ['2025-03-10T04:00Z', '2025-03-11T04:00Z'],
    },
    {
      // Midnight comes twice: 01:00 to 00:00 on 2 November 2025.
      cron: '@daily',
      timeZone: 'America/Havana',
      from: '2025-11-01T12:00Z',
      vixie: ['2025-11-02T04:00Z', '2025-11-03T05:00Z'],
      skip: ['2025-11-02T04:00Z', '2025-11-03T05:00Z'],
    },
    {
      // The last hour of 28 March is missing: the job runs at the change, which is midnight.
      cron: '30 23 * * *',
      timeZone: 'America/Nuuk',
      from: '2026-03-28T12:00Z',
      vixie: ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
      skip: ['2026-03-30T00:30Z', '2026-03-31T00:30Z'],
    },
    {
      // 30 December 2011 is missing altogether. That is no daylight saving: its jobs go with it, under either rule.
      cron: '30 12 * * *',
      timeZone: 'Pacific/Apia',
      from: '2011-12-29T00:00Z',
      vixie: ['2011-12-29T22:30Z', '2011-12-30T22:30Z', '2011-12-31T22:30Z'],
      skip: ['2011-12-29T22:30Z', '2011-12-30T22:30Z', '2011-12-31T22:30Z'],
    },
    {
      cron: '0 0 30 12 *',
      timeZone: 'Pacific/Apia',
      from: '2011-06-01T00:00Z',
      vixie: ['2012-12-29T10:00Z'],
      skip: ['2012-12-29T10:00Z'],
    },
  ])('$cron in $timeZone from $from', ({ cron, timeZone, from, vixie, skip }) => {
    const iso = (instants: readonly string[]) => instants.map((instant) => new Date(instant).toISOString());
    const preview = (dst: 'vixie' | 'skip', count: number) => previewSchedule({ cron, timeZone, dst }, { from, count });
    expect(preview('vixie', vixie.length)).toEqual(iso(vixie));
    expect(preview('skip', skip.length)).toEqual(iso(skip));
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

/**
 * Cron against three oracles that share no code with it: cron-parser, croner with its own handling of zones, and a
 * brute-force model. Where an oracle is known to differ, the case stands in a table with the reason, and a test says
 * that it still differs: when a new version agrees, the exception goes.
 */
import { describe, expect, test } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import fc from 'fast-check';
import { isCronkeeperError } from '../../src/errors.ts';
import { nextSlot, parseSchedule, type Schedule, slotsBetween } from '../../src/schedule.ts';
import {
  CLOCK_CHANGES,
  clockChange,
  fiveFields,
  fiveFieldsByNight,
  PROPERTY_SEED,
  sixFields,
} from '../support/cron-arbitraries.ts';
import { minutesOf, modelSlots } from '../support/cron-model.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FAR_MS = Date.UTC(2100, 0, 1);

/** The schedule, or undefined when the expression never fires: half of the random ones on 30 February. */
function scheduleOf(cron: string, timeZone: string, dst: 'vixie' | 'skip' = 'vixie'): Schedule | undefined {
  try {
    return parseSchedule({ cron, timeZone, dst });
  } catch (error) {
    if (isCronkeeperError(error, 'invalid') && error.message.includes('never')) return undefined;
    throw error;
  }
}

function slotsAfter(schedule: Schedule, afterMs: number, count: number): string[] {
  const slots: string[] = [];
  for (let slotMs = nextSlot(schedule, afterMs, 0); slotMs !== undefined; slotMs = nextSlot(schedule, slotMs, 0)) {
    slots.push(new Date(slotMs).toISOString());
    if (slots.length === count) break;
  }
  return slots;
}

const ours = (cron: string, zone: string, from: string | number, count: number): string[] => {
  const schedule = scheduleOf(cron, zone);
  return schedule === undefined ? [] : slotsAfter(schedule, new Date(from).getTime(), count);
};

function cronParser(cron: string, zone: string, from: string | number, count: number): string[] | string {
  try {
    const iterator = CronExpressionParser.parse(cron, { currentDate: new Date(from), tz: zone });
    return Array.from({ length: count }, () => iterator.next().toDate().toISOString());
  } catch (error) {
    return String(error);
  }
}

function croner(cron: string, zone: string, from: string | number, count: number): string[] | string {
  try {
    const job = new Cron(cron, { paused: true, timezone: zone, fixedTimeRule: 'no-wildcard' });
    return job.nextRuns(count, new Date(from)).map((date) => date.toISOString());
  } catch (error) {
    return String(error);
  }
}

/** cron-parser refuses some of what everybody takes; see the table below. */
const cronParserRefuses = (answer: string[] | string): boolean =>
  typeof answer === 'string' && /duplicate values|Invalid explicit day of month/.test(answer);

const from = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) });

describe('cron without daylight saving', () => {
  test.each([
    ['5 fields', fiveFields],
    ['6 fields', sixFields],
  ])('%s: the same slots as cron-parser, in zones that keep their clocks', (_, fields) => {
    const zone = fc.constantFrom('UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Africa/Nairobi', 'Etc/GMT+12');
    fc.assert(
      fc.property(fields, zone, from, (cron, timeZone, fromMs) => {
        const expected = cronParser(cron, timeZone, fromMs, 4);
        fc.pre(!cronParserRefuses(expected));
        expect(ours(cron, timeZone, fromMs, 4)).toEqual(expected);
      }),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
  });

  test('the calendar of croner is the same through its fixed offset, which is used, as through its zones', () => {
    fc.assert(
      fc.property(sixFields, from, (cron, fromMs) => {
        expect(ours(cron, 'UTC', fromMs, 4)).toEqual(croner(cron, 'UTC', fromMs, 4));
      }),
      { seed: PROPERTY_SEED, numRuns: 200 },
    );
  });
});

describe('cron while clocks are changed', () => {
  test.each(CLOCK_CHANGES)('$zone $day, $what: every slot is the brute-force one', ({ zone, day }) => {
    const middleMs = Date.parse(`${day}T00:00:00Z`);
    const startMs = middleMs - 24 * HOUR_MS;
    const endMs = middleMs + 36 * HOUR_MS;
    const minutes = minutesOf(zone, startMs, endMs);
    fc.assert(
      fc.property(fiveFieldsByNight, fc.constantFrom('vixie', 'skip'), (cron, dst) => {
        const schedule = scheduleOf(cron, zone, dst);
        fc.pre(schedule !== undefined);
        // Not the first six hours: the model does not know what had been shown before them.
        const firstMs = startMs + 6 * HOUR_MS;
        const expected = modelSlots(cron, dst, minutes).filter((slotMs) => slotMs > firstMs);
        const { slots } = slotsBetween(schedule, firstMs, endMs - 1, 0, 10_000);
        expect(slots).toEqual(expected);
      }),
      { seed: PROPERTY_SEED, numRuns: 15 },
    );
  });

  test('vixie: the same slots as croner, but where croner loses them', () => {
    const elsewhere = clockChange.filter(({ zone, day }) => !(zone === 'America/Nuuk' || day === '2018-05-04'));
    const before = fc.integer({ min: 0, max: 2 * DAY_MS });
    fc.assert(
      fc.property(elsewhere, fc.oneof(fiveFieldsByNight, sixFields), before, ({ zone, day }, cron, beforeMs) => {
        const fromMs = Date.parse(`${day}T18:00:00Z`) - beforeMs;
        expect(ours(cron, zone, fromMs, 8)).toEqual(croner(cron, zone, fromMs, 8));
      }),
      { seed: PROPERTY_SEED, numRuns: 300 },
    );
  });
});

describe('known disagreements still exist', () => {
  test.each([
    {
      why: 'a fixed job whose time is missing runs at the change (cron(8)), not an hour late',
      cron: '30 2 * * *',
      zone: 'America/New_York',
      from: '2026-03-08T00:00:00Z',
      ours: ['2026-03-08T07:00:00.000Z'],
      theirs: ['2026-03-08T07:30:00.000Z'],
    },
    {
      why: 'an interval job does not run at a time that is missing',
      cron: '52 0-4/2 * * *',
      zone: 'America/New_York',
      from: '2026-03-08T06:00:00Z',
      ours: ['2026-03-08T08:52:00.000Z'],
      theirs: ['2026-03-08T07:52:00.000Z'],
    },
    {
      why: 'an interval job runs both times',
      cron: '52 0-4/2 * * *',
      zone: 'Europe/Berlin',
      from: '2026-10-25T00:00:00Z',
      ours: ['2026-10-25T00:52:00.000Z', '2026-10-25T01:52:00.000Z'],
      theirs: ['2026-10-25T00:52:00.000Z', '2026-10-25T03:52:00.000Z'],
    },
    {
      why: 'a fixed job runs once, even when two hours come again',
      cron: '58 2 * * *',
      zone: 'Antarctica/Troll',
      from: '2026-10-25T01:00:00Z',
      ours: ['2026-10-26T02:58:00.000Z'],
      theirs: ['2026-10-25T02:58:00.000Z'],
    },
    {
      why: 'half an hour of daylight saving is no reason to give up',
      cron: '5 2,3 * * *',
      zone: 'Australia/Lord_Howe',
      from: '2026-04-04T14:00:00Z',
      ours: ['2026-04-04T15:35:00.000Z'],
      theirs: 'Error: Invalid expression, loop limit exceeded',
    },
    {
      why: 'a value may be named twice',
      cron: '0,0-10/5 * * * *',
      zone: 'UTC',
      from: '2026-01-01T00:00:00Z',
      ours: ['2026-01-01T00:05:00.000Z'],
      theirs: 'Error: CronMinute Validation error, duplicate values found: 0',
    },
    {
      why: 'a step from Monday stays within the week: it does not reach Sunday as day 7',
      cron: '0 0 * * 1/2',
      zone: 'UTC',
      from: '2026-01-03T00:00:00Z',
      ours: ['2026-01-05T00:00:00.000Z'],
      theirs: ['2026-01-04T00:00:00.000Z'],
    },
  ])('cron-parser, $cron in $zone: $why', ({ cron, zone, from: fromText, ours: expected, theirs }) => {
    expect(ours(cron, zone, fromText, expected.length)).toEqual(expected);
    expect(cronParser(cron, zone, fromText, expected.length)).toEqual(theirs);
  });

  test.each([
    {
      why: 'a nightly job is not lost when the missing time ends at midnight',
      cron: '30 23 * * *',
      zone: 'America/Nuuk',
      from: '2026-03-28T12:00:00Z',
      ours: ['2026-03-29T01:00:00.000Z'],
      theirs: ['2026-03-30T00:30:00.000Z'],
    },
    {
      why: 'the same, by half an hour',
      cron: '45 23 * * *',
      zone: 'Asia/Pyongyang',
      from: '2018-05-04T12:00:00Z',
      ours: ['2018-05-04T15:00:00.000Z'],
      theirs: ['2018-05-05T14:45:00.000Z'],
    },
    {
      why: 'a step may start at a number',
      cron: '5/20 * * * *',
      zone: 'UTC',
      from: '2026-01-01T00:00:00Z',
      ours: ['2026-01-01T00:05:00.000Z'],
      theirs:
        "TypeError: CronPattern: Syntax error, stepping with numeric prefix ('5/20') is not allowed. Use wildcard (*/step) or range (min-max/step) instead.",
    },
  ])('croner, $cron in $zone: $why', ({ cron, zone, from: fromText, ours: expected, theirs }) => {
    expect(ours(cron, zone, fromText, expected.length)).toEqual(expected);
    expect(croner(cron, zone, fromText, expected.length)).toEqual(theirs);
  });

  test.each(['', '* * * *'])('cron-parser takes %j for an expression', (cron) => {
    expect(Array.isArray(cronParser(cron, 'UTC', 0, 1))).toBe(true);
    expect(() => parseSchedule({ cron })).toThrow('allowed: 5 fields');
  });

  test.each(['0 0 0 1 1 * 2030', '0 0 1 1 +MON'])('croner takes %j, a dialect of its own', (cron) => {
    expect(Array.isArray(croner(cron, 'UTC', 0, 1))).toBe(true);
    expect(() => parseSchedule({ cron })).toThrow('allowed: 5 fields');
  });
});

describe('the slots of a cron job', () => {
  const anyCron = fc.oneof(fiveFieldsByNight, sixFields);
  const rule = fc.constantFrom<'vixie' | 'skip'>('vixie', 'skip');
  const offset = fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS });

  test('are one ordered set, wherever the search starts', () => {
    fc.assert(
      fc.property(anyCron, clockChange, rule, offset, offset, (cron, { zone, day }, dst, one, other) => {
        const schedule = scheduleOf(cron, zone, dst);
        fc.pre(schedule !== undefined);
        const dayMs = Date.parse(`${day}T00:00:00Z`);
        const [earlyMs, lateMs] = [dayMs + Math.min(one, other), dayMs + Math.max(one, other)];
        const early = nextSlot(schedule, earlyMs, 0) ?? FAR_MS;
        const late = nextSlot(schedule, lateMs, 0) ?? FAR_MS;
        expect(early).toBeGreaterThan(earlyMs);
        expect(late).toBeGreaterThan(lateMs);
        if (early > lateMs) expect(late).toBe(early);
        expect(nextSlot(schedule, early - 1, 0) ?? FAR_MS).toBe(early);
      }),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
  });

  test('are the same in a range as one by one, and the latest of them when they are cut', () => {
    const countMax = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(anyCron, clockChange, rule, offset, countMax, (cron, { zone, day }, dst, offsetMs, max) => {
        const schedule = scheduleOf(cron, zone, dst);
        fc.pre(schedule !== undefined);
        const afterMs = Date.parse(`${day}T00:00:00Z`) + offsetMs;
        const oneByOne = slotsAfter(schedule, afterMs, 100).map((instant) => Date.parse(instant));
        const untilMs = oneByOne.at(-1) ?? afterMs + DAY_MS;
        expect(slotsBetween(schedule, afterMs, untilMs, 0, max)).toEqual({
          slots: oneByOne.slice(-max),
          total: oneByOne.length,
          totalIsExact: true,
          truncated: oneByOne.length > max,
        });
      }),
      { seed: PROPERTY_SEED, numRuns: 100 },
    );
  });
});

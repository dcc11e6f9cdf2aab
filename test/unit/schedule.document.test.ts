import { describe, expect, test } from '@jest/globals';
import { parseSchedule, parseScheduleText, type Schedule, type ScheduleDocument } from '../../src/schedule.ts';
import { errorOf } from '../support/error-of.ts';

const at = (instant: string): number => Date.parse(instant);

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

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseSchedule, previewSchedule } from '../../src/schedule.ts';
import { errorOf } from '../support/error-of.ts';

interface Case {
  readonly id: string;
  readonly cat: string;
  readonly expr: string;
  readonly tz: string;
  readonly from: string;
  readonly next: readonly string[];
  /** `any`: implementations agree whatever their daylight-saving rule; `vixie`: those that keep Vixie cron's. */
  readonly policy: 'any' | 'vixie';
}

interface InvalidCase {
  readonly expr: string;
  readonly rule: 'must-reject' | 'never-fires';
}

const read = <Content>(name: string): Content =>
  JSON.parse(readFileSync(new URL(`../corpus/${name}`, import.meta.url), 'utf8'));

const cases = read<readonly Case[]>('cron-dev.json');
const invalidCases = read<readonly InvalidCase[]>('cron-invalid-dev.json');

describe('a cron job fires when other implementations say it does', () => {
  test.each(cases)('$id $cat: $expr in $tz', ({ expr, tz, from, next }) => {
    const expected = next.map((instant) => new Date(instant).toISOString());
    const options = { from, count: next.length };
    expect(previewSchedule({ cron: expr, timeZone: tz }, options)).toEqual(expected);
  });

  test('the corpus is there', () => {
    expect(cases.length).toBe(141);
    expect(cases.every(({ policy }) => policy === 'any' || policy === 'vixie')).toBe(true);
  });
});

describe('a cron expression that everybody refuses is not registered', () => {
  test.each(invalidCases)('$rule: $expr', ({ expr }) => {
    const error = errorOf(() => parseSchedule({ cron: expr }));
    expect(error.code).toBe('invalid');
    expect(error.problems.map(({ field }) => field)).toEqual(['schedule.cron']);
    expect(error.message).toContain(JSON.stringify(expr));
  });

  test.each(invalidCases.filter(({ rule }) => rule === 'never-fires'))('$expr: the message says why', ({ expr }) => {
    for (const timeZone of ['UTC', 'America/New_York']) {
      expect(errorOf(() => parseSchedule({ cron: expr, timeZone })).message).toContain('never');
    }
  });
});

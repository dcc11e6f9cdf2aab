import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DURATION_MAX_MS, formatDuration, parseDuration } from '../../src/duration.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { errorOf } from '../support/error-of.ts';

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['1.005s', 1_005],
    ['0.000005w', 3_024],
    ['1.5h1.5m', 5_490_000],
    ['90m', 5_400_000],
    ['0s', 0],
    ['3652.5d', DURATION_MAX_MS],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each([
    '5', // Seconds or milliseconds? Each is a guess, and one of them is wrong by a thousand.
    '',
    ' ',
    '5 m',
    ' 5m',
    '-5m',
    '+5m',
    '5M',
    '5min',
    '1y',
    '.5s',
    '5.s',
    '1e3s',
    '30m1h',
    '1h1h',
    '0.5ms',
    '0.0001s',
    '1.0000001s',
    '1,5h',
    '１s',
    '5m\n',
    '3653d',
    '999999999999w',
    `${'0'.repeat(1_000)}1s`,
  ])('%j is refused, saying what came and what may', (text) => {
    const error = errorOf(() => parseDuration(text));
    expect(error.code).toBe('invalid');
    expect(error.message).toContain(`received ${JSON.stringify(text).slice(0, 40)}`);
    expect(error.message).toContain('1h30m');
  });

  test.each([5, null, undefined, true, ['5m'], { ms: 5 }, Number.NaN])('%p is no text, and refused', (value) => {
    expect(errorOf(() => parseDuration(value)).code).toBe('invalid');
  });
});

describe('a written duration', () => {
  test.each([
    [0, '0s'],
    [1, '1ms'],
    [1_500, '1s500ms'],
    [5_400_000, '1h30m'],
    [604_800_000, '1w'],
    [864_000_000, '10d'],
    [90_061_001, '1d1h1m1s1ms'],
    [DURATION_MAX_MS, '3652d12h'],
  ])('%d ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  test('reads back as what it was, to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DURATION_MAX_MS }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
      { seed: PROPERTY_SEED, numRuns: 2_000 },
    );
  });

  test.each([-1, 0.5, Number.NaN, Infinity, DURATION_MAX_MS + 1])('%d ms cannot be written', (durationMs) => {
    expect(errorOf(() => formatDuration(durationMs)).code).toBe('invalid');
  });
});

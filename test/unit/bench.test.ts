/** The benchmark's arithmetic and tables: a wrong median, or a ratio the wrong way round, would be quoted by somebody. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { median, percentile, summarize, timesAsFast } from '../../bench/measure.ts';
import type { Report, Row } from '../../bench/suite.ts';
import { formatReport, reportAsJson } from '../../bench/table.ts';

const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 50 });

describe('statistics', () => {
  test('a percentile is the smallest value that covers its share', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.01, 0.5, 0.99, 0.991, 1].map((p) => percentile(hundred, p))).toEqual([1, 1, 50, 99, 100, 100]);
    expect(percentile([7], 0.99)).toBe(7);
  });

  test('a median of an even number lies between the middle two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 10, 2])).toBe(3);
  });

  test('numbers are sorted as numbers', () => {
    expect(median([1000, 9, 80])).toBe(80);
    expect(percentile([1000, 9, 80], 1)).toBe(1000);
  });

  test('as many values lie below a median as above, and none outside of the range', () => {
    fc.assert(
      fc.property(values, (given) => {
        const { median: middle, low, high } = summarize(given);
        expect(given.filter((value) => value < middle).length).toBeLessThanOrEqual(given.length / 2);
        expect(given.filter((value) => value > middle).length).toBeLessThanOrEqual(given.length / 2);
        expect(given.every((value) => value >= low && value <= high)).toBe(true);
        expect(middle >= low && middle <= high).toBe(true);
      }),
    );
  });

  test('statistics leave the values in the order of their rounds', () => {
    const given = [3, 1, 2];
    summarize(given);
    percentile(given, 0.5);
    expect(given).toEqual([3, 1, 2]);
  });

  test('nothing is not taken for a number', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
    expect(() => percentile([1], 99)).toThrow(/percentile 99: a share from 0 to 1/);
  });
});

describe('comparisons', () => {
  test('twice the rate is twice as fast, and so is half the time', () => {
    expect(timesAsFast([20], [10], true)).toBe(2);
    expect(timesAsFast([10], [20], false)).toBe(2);
  });

  test('each round is compared with itself, so a slow minute does not count', () => {
    expect(timesAsFast([20, 2, 20], [10, 1, 10], true)).toBe(2);
    expect(timesAsFast([20, 20, 2], [1, 10, 1], true)).toBe(2);
  });

  test('where there is nothing to compare, nothing is said', () => {
    expect(timesAsFast([], [], true)).toBeUndefined();
    expect(timesAsFast([1, 2], [], true)).toBeUndefined();
    expect(timesAsFast([1], [0], true)).toBeUndefined();
  });
});

describe('a report', () => {
  const theirs: Row = { name: 'theirs', unit: 'runs/s' };
  const ours: Row = { name: 'ours', unit: 'runs/s', peer: theirs };
  const absent: Row = { name: 'absent', unit: 'ms', peer: theirs };
  const measure = async () => [];
  const report: Report = {
    suite: 'example',
    peer: 'them',
    sections: [
      {
        title: 'Rates',
        probes: [
          { rows: [ours], measure },
          { rows: [theirs, absent], measure },
        ],
        comparisons: [
          { what: 'the same', own: ours, peer: theirs },
          { what: 'the other', own: absent, peer: theirs },
        ],
      },
    ],
    results: new Map<Row, number[] | string>([
      [ours, [12_000, 10_000, 11_000]],
      [theirs, [1_200, 1_000, 1_100]],
      [absent, 'not installed'],
    ]),
    notes: ['The machine limits.'],
  };

  test('has a line for every row, with what could not be measured', () => {
    const lines = formatReport(report)
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines).toEqual([
      'Rates | median | low to high | unit | × them',
      'ours | 11,000 | 10,000 to 12,000 | runs/s | 10.0',
      'theirs | 1,100 | 1,000 to 1,200 | runs/s',
      'absent | – | not installed | ms',
      '× 10.0 (10.0 to 10.0) | the same: ours : theirs',
      '',
      'The machine limits.',
    ]);
  });

  test('has as data what the table shows, and every round', () => {
    expect(reportAsJson(report)).toEqual({
      suite: 'example',
      peer: 'them',
      rows: [
        {
          ...{ section: 'Rates', name: 'ours', unit: 'runs/s', timesAsFastAsPeer: 10 },
          ...{ median: 11_000, low: 10_000, high: 12_000, values: [12_000, 10_000, 11_000] },
        },
        {
          ...{ section: 'Rates', name: 'theirs', unit: 'runs/s' },
          ...{ median: 1_100, low: 1_000, high: 1_200, values: [1_200, 1_000, 1_100] },
        },
        { section: 'Rates', name: 'absent', unit: 'ms', absent: 'not installed' },
      ],
      comparisons: [{ section: 'Rates', what: 'the same', own: 'ours', peer: 'theirs', median: 10, low: 10, high: 10 }],
      notes: ['The machine limits.'],
    });
  });
});

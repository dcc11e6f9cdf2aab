/** The costs that docs/SCALING.md shows: somebody may decide by them, so they are what is computed, and computed right. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ASSUMED, costOf, costTable, PRICES, SIZES, type Size } from '../tools/cost.ts';

const page = readFileSync(new URL('../docs/SCALING.md', import.meta.url), 'utf8');
const [small, , large] = SIZES as readonly [Size, Size, Size];

describe('docs/SCALING.md', () => {
  test('shows the costs as they are computed (write them with: npm run -s cost)', () => {
    expect(/<!-- costs -->\n([\s\S]*?)\n<!-- \/costs -->/.exec(page)?.[1]).toBe(costTable());
  });

  test('names prices no older than it says, each with its source', () => {
    const source = readFileSync(new URL('../tools/cost.ts', import.meta.url), 'utf8');
    const [, prices = ''] = /PRICES = \{([\s\S]*?)\n\}/.exec(source) ?? [];
    const first = prices.trim().split('\n')[0];
    expect([Object.keys(PRICES).length, first?.trim().startsWith('/**')]).toEqual([15, true]);
  });
});

describe('a month', () => {
  test('of a hundred hourly tasks is the price of three small servers: the rest is within what is free', () => {
    const { functions, launches, items } = costOf(small);
    expect([functions, launches, items.lambda, items.scheduler]).toEqual([1, 73_000, 0, 0]);
    // 3 × (730 h × 0.0168 + 20 GB × 0.08)
    expect(items.zookeeper).toBeCloseTo(41.592, 3);
  });

  test('of ten thousand tasks each ten seconds is 1,000 launches a second, by three functions that linger', () => {
    const { functions, launches, gbSeconds, items } = costOf(large);
    expect([functions, launches]).toEqual([3, 2_628_000_000]);
    expect(gbSeconds).toBeCloseTo((3 * 43_800 * 56 * 1_769) / 1_024, 0);
    // 12,711,194 GB-s less 400,000, and 131,400 requests, which are free.
    expect(items.lambda).toBeCloseTo((gbSeconds - 400_000) * 0.0000133334, 6);
    // 2.628 billion × 400 bytes, taken in and kept.
    expect(items.runLogs).toBeCloseTo(1_051.2 * 0.53, 3);
  });

  test('adds up, and grows with what is asked of it', () => {
    for (const size of SIZES) {
      const { items, total } = costOf(size);
      expect(Object.values(items).reduce((sum, item) => sum + item)).toBeCloseTo(total, 9);
      expect(Object.values(items).every((item) => item >= 0)).toBe(true);
      expect(costOf({ ...size, tasks: 10 * size.tasks }).total).toBeGreaterThan(total);
    }
    expect(ASSUMED.nodes % 2).toBe(1);
  });
});

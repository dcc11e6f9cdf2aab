/** What the benchmarks say of starts: late, early, doubled, missed. */
import { expect, test } from '@jest/globals';
import { punctualityOf } from '../../bench/lateness.ts';

test('each start counts, a launch once', () => {
  const starts = [
    { id: 'a', dueMs: 1_000, startedMs: 1_004 },
    { id: 'a', dueMs: 1_000, startedMs: 1_100 },
    { id: 'a', dueMs: 2_000, startedMs: 1_999 },
    { id: 'b', dueMs: 1_000, startedMs: 1_002 },
  ];
  expect(punctualityOf(starts, 5)).toEqual({
    ...{ starts: 4, doubled: 1, missed: 2, early: 1 },
    ...{ p50: 2, p95: 100, p99: 100, max: 100 },
  });
});

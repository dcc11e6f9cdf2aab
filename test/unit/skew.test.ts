import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { estimateSkewMs } from '../../src/skew.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';

describe('the estimated skew', () => {
  test.each([
    ['a request that takes its time', 1_000, 1_400, 1_200, 0],
    ['an answer in the same millisecond', 1_000, 1_000, 1_000, 0],
    ['a server that rounds its clock up', 1_000, 1_000, 1_001, 0],
    ['a local clock that is five minutes ahead', 301_000, 301_400, 1_200, 299_800],
    ['a local clock that is five minutes behind', 1_000, 1_400, 301_200, -299_800],
  ])('of %s', (_, sentMs, receivedMs, serverMs, skewMs) => {
    expect(estimateSkewMs(sentMs, receivedMs, serverMs)).toBe(skewMs);
  });

  test('is never larger than the true one, of its sign, and no more wrong than the request took', () => {
    const delay = fc.integer({ min: 0, max: 5_000 });
    fc.assert(
      fc.property(fc.integer({ min: -400_000, max: 400_000 }), delay, delay, (skewMs, thereMs, backMs) => {
        const sentMs = 1e12 + skewMs;
        const serverMs = 1e12 + thereMs;
        const estimate = estimateSkewMs(sentMs, sentMs + thereMs + backMs, serverMs);
        expect(Math.abs(estimate)).toBeLessThanOrEqual(Math.abs(skewMs));
        expect(Math.abs(skewMs - estimate)).toBeLessThanOrEqual(thereMs + backMs + 1);
      }),
      { seed: PROPERTY_SEED, numRuns: 1_000 },
    );
  });
});

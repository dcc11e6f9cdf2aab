import { describe, expect, test } from '@jest/globals';
import { bucketNames, bucketOf, hash32, seedOf, shardOf, spreadOffsetMs, visitingOrder } from '../../src/shard.ts';

const IDS = Array.from({ length: 20_000 }, (_, i) => `task-${i}`);

/** Chi-squared over its degrees of freedom: about 1 when names fall evenly, large when they gather. */
function unevenness(counts: ReadonlyMap<unknown, number>, places: number): number {
  const expected = IDS.length / places;
  const sum = [...counts.values()].reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  return (sum + (places - counts.size) * expected) / (places - 1);
}

const countBy = (place: (id: string) => unknown): Map<unknown, number> => {
  const counts = new Map<unknown, number>();
  for (const id of IDS) counts.set(place(id), (counts.get(place(id)) ?? 0) + 1);
  return counts;
};

describe('where a task belongs', () => {
  // Written down: a hash that changes would lose every stored task.
  test('never changes', () => {
    expect(['', 'a', 'daily-report', 'ä€'].map(hash32)).toEqual([2872998923, 444641715, 2835880773, 2336405208]);
    expect(['a', 'daily-report'].map((id) => [shardOf(id, 8), bucketOf(id)])).toEqual([
      [3, '9e'],
      [5, 'f3'],
    ]);
  });

  test.each([2, 3, 7, 8, 256])('is spread evenly over %d shards, for ids that hardly differ', (shards) => {
    expect(
      unevenness(
        countBy((id) => shardOf(id, shards)),
        shards,
      ),
    ).toBeLessThan(1.6);
  });

  test('is spread evenly over the buckets, also for the tasks of one shard', () => {
    expect(unevenness(countBy(bucketOf), bucketNames.length)).toBeLessThan(1.6);
    const ofOneShard = new Set(IDS.filter((id) => shardOf(id, 8) === 0).map(bucketOf));
    expect(ofOneShard.size).toBe(bucketNames.length);
  });
});

describe('spread', () => {
  test('moves a task by less than its window, always by the same, and not at all by default', () => {
    for (const id of IDS.slice(0, 1_000)) {
      const offsetMs = spreadOffsetMs({ id, spreadMs: 60_000 });
      expect(offsetMs).toBeGreaterThanOrEqual(0);
      expect(offsetMs).toBeLessThan(60_000);
      expect(Number.isInteger(offsetMs)).toBe(true);
      expect(spreadOffsetMs({ id, spreadMs: 60_000 })).toBe(offsetMs);
      expect(spreadOffsetMs({ id, spreadMs: 0 })).toBe(0);
    }
  });

  test('takes a herd apart: in each second of a minute about as many', () => {
    const seconds = countBy((id) => Math.floor(spreadOffsetMs({ id, spreadMs: 60_000 }) / 1_000));
    expect(unevenness(seconds, 60)).toBeLessThan(1.6);
  });
});

test('every attempt has a seed of its own', () => {
  const seeds = new Set(IDS.flatMap((id) => [seedOf(`${id}@0`, 1), seedOf(`${id}@0`, 2)]));
  // 40,000 of four billion: about one in ten thousand by chance.
  expect(seeds.size).toBeGreaterThan(39_980);
});

describe('the order in which shards are tried', () => {
  test('has each of them once, and begins where chance says', () => {
    const firsts = new Set<number>();
    for (let random = 0; random < 1; random += 0.01) {
      const order = visitingOrder(8, random);
      expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      firsts.add(order[0] as number);
    }
    expect(firsts.size).toBe(8);
    expect(visitingOrder(1, 0.999_999)).toEqual([0]);
  });
});

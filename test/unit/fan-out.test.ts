/** Ticks that call ticks: they must never run away, nor send two after the same shard. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Asker, FAN_OUT_MAX, fanOut, GENERATIONS_MAX, type Invocation } from '../../src/fan-out.ts';

const asker = (rest: Partial<Asker> = {}): Asker => ({ max: 4, shardsPerTick: 2, ...rest });
const sets = (invocations: readonly Invocation[]) => invocations.map(({ shards }) => shards);

describe('fan-out', () => {
  test.each([
    ['a share for each', asker(), [1, 2, 3, 4, 5, 6], [[1, 4], [2, 5], [3, 6]]], // biome-ignore format: as it is read
    ['more for each, when there are more shares than calls', asker({ max: 2 }), [0, 1, 2, 3, 4], [[0, 2, 4], [1, 3]]], // biome-ignore format: as it is read
    ['one for each shard, where a tick takes all it finds', asker({ shardsPerTick: 0 }), [3, 7], [[3], [7]]],
    ['nothing, unless it is allowed', asker({ max: 0 }), [1, 2], []],
    ['nothing, where nothing waits', asker(), [], []],
    ['nothing outside of what it was told itself', asker({ shards: [1, 2] }), [1, 3], [[1]]],
    ['nothing, when it is the last generation', asker({ generation: GENERATIONS_MAX }), [1, 2], []],
  ])('asks for %s', (_, given, loaded, expected) => {
    expect(sets(fanOut(given, loaded))).toEqual(expected);
  });

  test('does not ask twice for a shard, and keeps its bound over both times', () => {
    const before = fanOut(asker({ max: 2 }), [1, 2]);
    expect(sets(fanOut(asker({ max: 2 }), [1, 2, 3, 4, 5], before))).toEqual([[3, 4, 5]]);
    expect(fanOut(asker({ max: 1 }), [3], before)).toEqual([]);
  });

  test('says all that the next tick must know', () => {
    expect(fanOut(asker({ generation: 1, lingerMs: 0 }), [5])).toEqual([
      { command: 'tick', shards: [5], generation: 2, lingerMs: 0 },
    ]);
  });

  test('of one trigger there are at most Σ min(max^g, shards) invocations, whatever every tick claims to see', () => {
    const claims = fc.array(fc.array(fc.nat({ max: 40 }), { maxLength: 60 }), { minLength: 1, maxLength: 40 });
    const property = (shards: number, max: number, shardsPerTick: number, claimed: number[][]) => {
      let claim = 0;
      const told = () => (claimed[claim++ % claimed.length] ?? []).filter((shard) => shard < shards);
      let callers: Asker[] = [{ max, shardsPerTick }];
      let total = 0;
      let bound = 0;
      for (let generation = 1; callers.length > 0; generation++) {
        // Each twice: while it is busy, and when its time is up.
        const invoked = callers.flatMap((caller) => {
          const early = fanOut(caller, told());
          return [...early, ...fanOut(caller, told(), early)];
        });
        const all = invoked.flatMap((invocation) => invocation.shards);
        expect(new Set(all).size).toBe(all.length);
        expect(invoked.every((invocation) => invocation.shards.length > 0)).toBe(true);
        expect(invoked.length).toBeLessThanOrEqual(Math.min(max ** generation, shards));
        total += invoked.length;
        bound += generation <= GENERATIONS_MAX ? Math.min(max ** generation, shards) : 0;
        callers = invoked.map((invocation) => ({ max, shardsPerTick, ...invocation }));
      }
      expect(total).toBeLessThanOrEqual(bound);
    };
    const [shards, max, share] = [
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: FAN_OUT_MAX }),
      fc.nat({ max: 8 }),
    ];
    fc.assert(fc.property(shards, max, share, claims, property));
  });
});

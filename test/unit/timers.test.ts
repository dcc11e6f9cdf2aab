import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RING_GAP_MS, Timers } from '../../src/timers.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Due {
  readonly dueMs: number;
  readonly name?: string;
}

/** Timers on a clock that stands still, and what they fire, with the time at which they did. */
function rig() {
  const clock = new VirtualClock(0);
  const fired: { readonly nowMs: number; readonly due: Due[] }[] = [];
  const timers = new Timers<Due>(clock, clock.now, (due) => fired.push({ nowMs: clock.now(), due }));
  return { clock, timers, fired };
}

describe('timers', () => {
  test('fire everything once, in order, never early, and late by less than the rest between two rings', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -50, max: 1_000 }), { maxLength: 60 }), async (times) => {
        const { clock, timers, fired } = rig();
        for (const dueMs of times) timers.add({ dueMs });
        expect(timers.size).toBe(times.length);
        await clock.advance(1_000 + RING_GAP_MS);
        expect(fired.flatMap(({ due }) => due.map(({ dueMs }) => dueMs))).toEqual(times.toSorted((a, b) => a - b));
        for (const { nowMs, due } of fired) {
          for (const { dueMs } of due) {
            expect(nowMs).toBeGreaterThanOrEqual(dueMs);
            expect(nowMs - Math.max(0, dueMs)).toBeLessThanOrEqual(RING_GAP_MS);
          }
        }
        for (const [i, { nowMs }] of fired.entries()) {
          const restMs = nowMs - (fired[i - 1]?.nowMs ?? -Infinity);
          expect(restMs).toBeGreaterThanOrEqual(RING_GAP_MS);
          // What falls due alone is on time.
          if (restMs > RING_GAP_MS) expect(nowMs).toBe(Math.max(0, fired[i]?.due[0]?.dueMs as number));
        }
        expect([timers.size, clock.waiting]).toEqual([0, 0]);
      }),
      { seed: PROPERTY_SEED, numRuns: 200 },
    );
  });

  test('that are due together fire together, however many', async () => {
    const { clock, timers, fired } = rig();
    for (let i = 0; i < 500; i++) timers.add({ dueMs: 10, name: String(i) });
    await clock.advance(10);
    expect(fired).toHaveLength(1);
    expect(fired[0]?.due).toHaveLength(500);
  });

  test('hold one real timer, moved forward by what is due sooner', async () => {
    const { clock, timers, fired } = rig();
    for (const dueMs of [500, 400, 300, 600]) timers.add({ dueMs });
    expect(clock.waiting).toBe(1);
    await clock.advance(300);
    expect(fired).toMatchObject([{ nowMs: 300, due: [{ dueMs: 300 }] }]);
  });

  test('wait again when the wall clock was set back, and catch up when it was set forward', async () => {
    const { clock, timers, fired } = rig();
    timers.add({ dueMs: 100 });
    clock.step(-1_000);
    await clock.advance(1_099);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toMatchObject([{ nowMs: 100 }]);
    timers.add({ dueMs: 200 });
    clock.step(5_000);
    await clock.advance(100);
    expect(fired[1]?.due).toEqual([{ dueMs: 200 }]);
  });

  test('may be added to by what they fire, in the past too', async () => {
    const clock = new VirtualClock(0);
    const seen: number[] = [];
    const timers: Timers<Due> = new Timers<Due>(clock, clock.now, (due) => {
      for (const { dueMs } of due) {
        seen.push(dueMs);
        if (dueMs < 500) timers.add({ dueMs: dueMs + 100 });
        if (dueMs === 200) timers.add({ dueMs: 1 });
      }
    });
    timers.add({ dueMs: 100 });
    await clock.advance(1_000);
    expect(seen).toEqual([100, 200, 1, 101, 201, 300, 301, 400, 401, 500, 501]);
  });

  test('tell what is due until a moment, and keep it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 })), fc.integer({ min: -1, max: 101 }), (times, untilMs) => {
        const { timers } = rig();
        for (const dueMs of times) timers.add({ dueMs });
        const until = [...timers.until(untilMs)].map(({ dueMs }) => dueMs).sort((a, b) => a - b);
        expect(until).toEqual(times.filter((dueMs) => dueMs <= untilMs).sort((a, b) => a - b));
        expect(timers.size).toBe(times.length);
      }),
      { seed: PROPERTY_SEED, numRuns: 300 },
    );
  });

  test('that are stopped give back what has not fired, hold no timer, and can be used again', async () => {
    const { clock, timers, fired } = rig();
    for (const dueMs of [10, 20, 30]) timers.add({ dueMs });
    await clock.advance(10);
    expect(
      timers
        .stop()
        .map(({ dueMs }) => dueMs)
        .sort(),
    ).toEqual([20, 30]);
    expect([timers.size, clock.waiting]).toEqual([0, 0]);
    await clock.advance(100);
    expect(fired).toHaveLength(1);
    timers.add({ dueMs: 200 });
    await clock.advance(100);
    expect(fired).toHaveLength(2);
  });
});

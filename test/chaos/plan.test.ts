/** What the nemesis is going to do: the same for the same seed, often enough, and never more than an ensemble stands. */
import { expect, test } from '@jest/globals';
import { isEnsembleFault, type PlanOptions, planFaults, plannedLine } from './plan.ts';

const MINUTE: PlanOptions = { seed: 0, durationMs: 60_000, workers: 4, sessionTimeoutMs: 2_000 };
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const planOf = (seed: number, durationMs = MINUTE.durationMs) => planFaults({ ...MINUTE, seed, durationMs });

test('a seed repeats its plan, and another one has another', () => {
  expect(planOf(7)).toEqual(planOf(7));
  expect(planOf(7)).not.toEqual(planOf(8));
  expect(new Set(planOf(7).map(plannedLine)).size).toBe(planOf(7).length);
});

test('a fault comes every 4 to 12 seconds, and all are undone in the end', () => {
  for (const seed of SEEDS) {
    const plan = planOf(seed);
    const gaps = plan.slice(1).map(({ atMs }, i) => atMs - (plan[i]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(12_000);
    expect(Math.max(...plan.map(({ atMs, lastsMs }) => atMs + lastsMs))).toBeLessThanOrEqual(60_000);
  }
});

test('the ensemble has recovered from one fault before the next one', () => {
  for (const seed of SEEDS) {
    const faults = planOf(seed, 600_000).filter(({ kind }) => isEnsembleFault(kind));
    for (const [i, { atMs }] of faults.slice(1).entries()) {
      const before = faults[i] ?? { atMs: 0, lastsMs: 0 };
      expect(atMs).toBeGreaterThanOrEqual(before.atMs + before.lastsMs + 5_000);
    }
  }
});

test('frozen workers are frozen for one to three session time-outs, some of them in the middle of a run', () => {
  const frozen = SEEDS.flatMap((seed) => planOf(seed, 120_000))
    .filter(({ kind }) => kind === 'freeze-worker')
    .filter(({ atMs, lastsMs }) => atMs + lastsMs < 120_000);
  for (const { lastsMs } of frozen) expect([lastsMs >= 2_000, lastsMs <= 6_000]).toEqual([true, true]);
  expect(new Set(frozen.map(({ inRun }) => inRun)).size).toBe(2);
});

test('each kind of fault comes up, and some seeds leave some out', () => {
  const kinds = SEEDS.map((seed) => planOf(seed, 600_000).map(({ kind }) => kind));
  expect(new Set(kinds.flat()).size).toBe(15);
  expect(Math.min(...kinds.map((some) => new Set(some).size))).toBeLessThan(12);
});

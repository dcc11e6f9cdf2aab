/** How a peer is measured: a function that runs one piece of work in a fresh state, in the thread of its caller. */
import { percentile } from '../measure.ts';
import type { Probe, Row } from '../suite.ts';
import { contextJson, type Work } from './workload.ts';

/** Makes a piece of work ready, once; what it returns runs it, with the context as JSON, for a result as JSON. */
export type Prepare = (work: Work) => (json: string) => string;

/** Runs once, for the `n`th time. */
export type RunOnce = (n: number) => void;

export function ratePerSecond(run: RunOnce, count: number): number {
  const startedAt = performance.now();
  for (let n = 0; n < count; n++) run(n);
  return (count / (performance.now() - startedAt)) * 1000;
}

export function roundTripsUs(run: RunOnce, count: number): readonly [p50: number, p99: number] {
  const us = Array.from({ length: count }, (_, n) => {
    const startedAt = performance.now();
    run(n);
    return (performance.now() - startedAt) * 1000;
  });
  return [percentile(us, 0.5), percentile(us, 0.99)];
}

export const peerRate = (row: Row, count: number, make: () => RunOnce): Probe => ({
  rows: [row],
  measure: async () => [ratePerSecond(make(), count)],
});

export const peerLatency = (
  rows: { readonly p50: Row; readonly p99: Row },
  count: number,
  make: () => RunOnce,
): Probe => ({
  rows: [rows.p50, rows.p99],
  measure: async () => roundTripsUs(make(), count),
});

/** One piece of work again and again. */
export function repeat(prepare: Prepare, work: Work): RunOnce {
  const run = prepare(work);
  return (n) => assertResult(work, run(contextJson(n)));
}

/** Another piece of work every time. */
export const each =
  (prepare: Prepare, works: readonly Work[]): RunOnce =>
  (n) => {
    const work = works[n]!;
    assertResult(work, prepare(work)(contextJson(n)));
  };

/** What came to something else was not fast. */
function assertResult({ result }: Work, received: string): void {
  if (received !== result) throw new Error(`a peer came to ${received} in place of ${result}`);
}

/** Cronkeeper's evaluator through its port: all counted at the caller, with the way to the worker and back. */
import type { Worker } from 'node:worker_threads';
import type { Capability, Evaluator, Run } from '../../src/evaluator.ts';
import { percentile } from '../measure.ts';
import type { Probe, Row } from '../suite.ts';
import { cpuPerRun } from '../threads.ts';
import { runOf, WAITING, type Work } from './workload.ts';

/** As the tick sends them. */
const BATCH_RUNS = 64;
const BATCHES_IN_FLIGHT = 10;

export const CAPABILITIES: Readonly<Record<string, Capability>> = { add: (a: number, b: number) => a + b };

/** The evaluator to be measured, and its one worker. */
export interface Subject {
  readonly evaluator: Evaluator;
  readonly worker: Worker;
}

/** The `n`th run, and what it must come to. */
export type WorkSource = (n: number) => Work;

export interface ThroughputRows {
  readonly rate: Row;
  readonly main: Row;
  readonly worker: Row;
  readonly others: Row;
}

/** Batches in flight, as the tick keeps them: a rate, and what each thread spends on a run. */
export function throughput({ evaluator, worker }: Subject, rows: ThroughputRows, count: number, works: WorkSource) {
  let next = 0;
  return {
    rows: [rows.rate, rows.main, rows.worker, rows.others],
    async measure() {
      const due = Array.from({ length: count }, () => works(next++));
      let elapsedMs = 0;
      const cpu = await cpuPerRun(worker, count, async () => {
        const startedAt = performance.now();
        await runAll(evaluator, due);
        elapsedMs = performance.now() - startedAt;
      });
      return [(count / elapsedMs) * 1000, cpu.main, cpu.worker, cpu.others];
    },
  } satisfies Probe;
}

export async function runAll(evaluator: Evaluator, due: readonly Work[]): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < due.length) {
      const works = due.slice(next, next + BATCH_RUNS);
      const runs = works.map((work, i) => runOf(work, next + i, CAPABILITIES));
      next += works.length;
      await runBatch(evaluator, runs, works);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, lane));
}

/** What was not run, or came to something else, was not fast. */
async function runBatch(evaluator: Evaluator, runs: readonly Run[], works: readonly Work[]): Promise<void> {
  let right = 0;
  await evaluator.run(runs, (i, { status, value, error }) => {
    if (status !== 'succeeded') throw new Error(`a run ${status}: ${error?.class}: ${error?.message}`);
    if (JSON.stringify(value) !== works[i]?.result) {
      throw new Error(`a run came to ${JSON.stringify(value)} in place of ${works[i]?.result}`);
    }
    right++;
  });
  if (right !== runs.length) throw new Error(`${right} of ${runs.length} runs were reported`);
}

export interface LatencyRows {
  readonly p50: Row;
  readonly p99: Row;
}

/** One run at a time, from the call to its end. */
export const latency = ({ evaluator }: Subject, rows: LatencyRows, count: number, work: Work): Probe => ({
  rows: [rows.p50, rows.p99],
  async measure() {
    const us: number[] = [];
    for (let n = 0; n < count; n++) {
      const run = runOf(work, n, CAPABILITIES);
      const startedAt = performance.now();
      await runBatch(evaluator, [run], [work]);
      us.push((performance.now() - startedAt) * 1000);
    }
    return [percentile(us, 0.5), percentile(us, 0.99)];
  },
});

/** Runs that all wait for the same time: what it takes them together is what they do not wait at the same time. */
export const waitTogether = ({ evaluator }: Subject, row: Row, count: number, waitMs: number): Probe => ({
  rows: [row],
  async measure() {
    const wait = () => new Promise<null>((resolve) => setTimeout(resolve, waitMs, null));
    const works = Array.from({ length: count }, () => WAITING);
    const startedAt = performance.now();
    await runBatch(
      evaluator,
      works.map((work, n) => runOf(work, n, { wait })),
      works,
    );
    return [performance.now() - startedAt];
  },
});

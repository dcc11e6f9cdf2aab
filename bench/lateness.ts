/** Starts against the moments at which they were due. Pure. */
import { percentile } from './measure.ts';

/** One start of one launch. */
export interface Start {
  readonly id: string;
  readonly dueMs: number;
  readonly startedMs: number;
}

export interface Punctuality {
  readonly starts: number;
  /** Launches that were started more than once. */
  readonly doubled: number;
  /** Launches that were due, and not started. */
  readonly missed: number;
  /** Started before they were due. */
  readonly early: number;
  /** Start behind the moment, ms. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * @param expected launches that were to be started: how many different ones.
 * @throws RangeError when nothing was started.
 */
export function punctualityOf(starts: readonly Start[], expected: number): Punctuality {
  const counts = new Map<string, number>();
  for (const { id, dueMs } of starts) {
    const launch = `${id}@${dueMs}`;
    counts.set(launch, (counts.get(launch) ?? 0) + 1);
  }
  const lates = starts.map(({ dueMs, startedMs }) => startedMs - dueMs);
  return {
    starts: starts.length,
    doubled: [...counts.values()].filter((count) => count > 1).length,
    missed: expected - counts.size,
    early: lates.filter((late) => late < 0).length,
    p50: percentile(lates, 0.5),
    p95: percentile(lates, 0.95),
    p99: percentile(lates, 0.99),
    max: percentile(lates, 1),
  };
}

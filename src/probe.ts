/** What can be told of a coordinator without touching what it keeps: for `cronkeeper doctor`. */
import type { Clock } from './clock.ts';
import type { Coordinator } from './coordinator.ts';
import { measureSkewMs } from './coordinator-time.ts';
import { namespacePath } from './layout.ts';
import { assertNamespace } from './namespace.ts';

/** Reads that the round-trip time is the median of. */
const ROUND_TRIPS = 5;

export interface Probe {
  /** Where the coordinator is, without secrets. */
  readonly coordinator: string;
  readonly namespace: string;
  /** Whether the namespace has been made; the first use makes it. */
  readonly exists: boolean;
  /** To open a session, ms. */
  readonly connectMs: number;
  /** Median of a few reads, ms. */
  readonly roundTripMs: number;
  /** Local clock minus the coordinator's, ms; 0 when the time that requests take explains the difference. */
  readonly clockSkewMs: number;
}

/**
 * Opens a session, reads, and writes one node, which goes with the session: the namespace is not made by looking at it.
 * @param name unique, for that node.
 * @throws CronkeeperError what connecting, reading or writing failed with.
 */
export async function probe(coordinator: Coordinator, namespace: string, clock: Clock, name: string): Promise<Probe> {
  assertNamespace(namespace);
  const startMs = clock.elapsed();
  const session = await coordinator.connect();
  try {
    const connectMs = clock.elapsed() - startMs;
    const tripsMs: number[] = [];
    let exists = false;
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const sentMs = clock.elapsed();
      exists = (await session.get(namespacePath(namespace))) !== undefined;
      tripsMs.push(clock.elapsed() - sentMs);
    }
    const roundTripMs = tripsMs.sort((a, b) => a - b)[ROUND_TRIPS >> 1] ?? 0;
    const clockSkewMs = await measureSkewMs(session, clock, `/cronkeeper-probe-${name}`);
    return { coordinator: coordinator.url, namespace, exists, connectMs, roundTripMs, clockSkewMs };
  } finally {
    await session.close();
  }
}

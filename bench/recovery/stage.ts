/** What the probes of recovery have in common: a namespace of their own, and waiting for something to be so. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 5;
const PATIENCE_MS = 60_000;

export const urlOf = (addresses: readonly string[]): string => `zookeeper://${addresses.join(',')}`;

export const freshNamespace = (): string => `bench-${randomUUID()}`;

/** Looks again until `holds` does. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await delay(POLL_MS);
  }
}

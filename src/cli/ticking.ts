/** Tick after tick, for as long as a process lives: what a cloud's scheduler is to a function. */
import { type Clock, type Random, sleep } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { TickReport } from '../report.ts';

/** After a failure, doubling up to the second; a random part of it is left out, so that many do not come at once. */
const BACKOFF_MS = { first: 250, max: 30_000 } as const;

/** Between ticks that had no shard, or that ended at once: how soon a free lease is seen. */
const IDLE_PAUSE_MS = 1_000;

export interface Ticking {
  readonly tick: () => Promise<TickReport>;
  readonly clock: Clock;
  readonly random: Random;
  /** Ends it, once the tick under way has ended. */
  readonly signal: AbortSignal;
  /** Others hold every shard now; called once until that changes. */
  readonly onIdle: () => void;
  readonly onFailure: (message: string, retryMs: number) => void;
}

/**
 * A tick that failed is followed by another one.
 * @throws what the last tick failed with, when none is to follow it.
 */
export async function keepTicking(ticking: Ticking): Promise<void> {
  const { tick, clock, random, signal, onIdle, onFailure } = ticking;
  let failures = 0;
  let isIdle = false;
  while (!signal.aborted) {
    const startMs = clock.elapsed();
    try {
      const { shards } = await tick();
      failures = 0;
      if (shards === 0 && !isIdle) onIdle();
      isIdle = shards === 0;
      // One that lingered is followed at once, so that no slot has to wait.
      if (clock.elapsed() - startMs < IDLE_PAUSE_MS) await sleep(clock, IDLE_PAUSE_MS, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const fullMs = Math.min(BACKOFF_MS.max, BACKOFF_MS.first * 2 ** failures++);
      const retryMs = fullMs / 2 + (fullMs / 2) * random();
      onFailure(messageOf(error), retryMs);
      await sleep(clock, retryMs, signal);
    }
  }
}

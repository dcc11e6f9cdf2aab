/** How far the local clock is from the coordinator's: pure. */
import type { EpochMs } from './clock.ts';

/**
 * A request sent at `sentMs` and answered at `receivedMs`, both by the local clock, was carried out in between, at
 * `serverMs` by the coordinator's. The smallest difference that explains this; 0 when none is needed, so that the time
 * a request takes is never mistaken for skew. Positive: the local clock is ahead.
 * Source: F. Cristian, "Probabilistic clock synchronization" (1989).
 */
export function estimateSkewMs(sentMs: EpochMs, receivedMs: EpochMs, serverMs: EpochMs): number {
  if (serverMs < sentMs) return sentMs - serverMs;
  // The server's clock counts whole milliseconds: one that ends within the last of them is no difference yet.
  return serverMs > receivedMs + 1 ? receivedMs - serverMs : 0;
}

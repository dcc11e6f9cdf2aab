/**
 * One tick, the engine's whole work: lease → due → plan → begin → run → settle → commit. READ FIRST.
 *
 * A tick takes the leases of the shards that nobody holds, learns what an earlier holder had begun, runs what is due,
 * lingers on exact timers if it was asked to, and gives everything back. It keeps nothing: should it die at any point,
 * the next one finds all it needs in the coordinator. What happens between taking the leases and giving them back is
 * in `shift.ts`.
 */
import type { Session } from './coordinator.ts';
import type { Layout } from './layout.ts';
import { acquire, type Lease } from './lease.ts';
import { openNamespace } from './namespace.ts';
import { Tally, type TickReport } from './report.ts';
import { visitingOrder } from './shard.ts';
import { Shift, type TickDeps, type TickOptions } from './shift.ts';
import { estimateSkewMs } from './skew.ts';

export { LINGER_MS_MAX, type TickDeps, type TickOptions } from './shift.ts';

/**
 * @throws CronkeeperError `unavailable`, `session-lost` or `outcome-unknown` when the coordinator failed it in the
 * middle. Nothing is lost then: what is not recorded is still due.
 */
export async function tick(deps: TickDeps, options: TickOptions = {}): Promise<TickReport> {
  const startedMs = deps.clock.elapsed();
  const tally = new Tally();
  const session = await deps.coordinator.connect();
  try {
    const layout = await openNamespace(session, deps.namespace, deps.shards);
    const sentMs = deps.clock.now();
    const leases = await acquireAll(session, layout, deps);
    tally.shards = leases.length;
    const [first] = leases;
    if (first !== undefined) {
      tally.clockSkewMs = estimateSkewMs(sentMs, deps.clock.now(), first.takenMs);
      await new Shift(deps, options, session, layout, leases, tally, startedMs).work();
    }
  } finally {
    await session.close();
  }
  return tally.report(Math.round(deps.clock.elapsed() - startedMs));
}

/** Every shard that nobody else holds. */
async function acquireAll(session: Session, layout: Layout, { random, holder }: TickDeps): Promise<Lease[]> {
  const name = holder();
  const shards = visitingOrder(layout.shards, random());
  const leases = await Promise.all(shards.map((shard) => acquire(session, layout, shard, name)));
  return leases.filter((lease) => lease !== undefined);
}

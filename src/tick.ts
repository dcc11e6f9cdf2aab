/**
 * One tick, the engine's whole work: lease → due → plan → begin → run → settle → commit. READ FIRST.
 *
 * A tick takes the leases of the shards that nobody holds, or a share of them, learns what an earlier holder had begun,
 * runs what is due, lingers on exact timers if it was asked to, and gives everything back. It keeps nothing: should it die at any point,
 * the next one finds all it needs in the coordinator. What happens between taking the leases and giving them back is
 * in `shift.ts`.
 */
import { askingTheTime, measureSkewMs } from './coordinator-time.ts';
import type { Layout } from './layout.ts';
import { openNamespace } from './namespace.ts';
import { Tally, type TickReport } from './report.ts';
import { Share } from './share.ts';
import { Shift } from './shift.ts';
import type { TickDeps, TickOptions } from './tick-options.ts';

export { assertTickOptions, LINGER_MS_MAX, type TickDeps, type TickOptions } from './tick-options.ts';

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
    const skewMs = askingTheTime(deps.clock);
    const { clock, holder } = deps;
    const share = new Share({ session, layout, clock, holder, random: deps.random(), ...sharing(options, layout) });
    const leases = await share.first();
    const [first] = leases;
    tally.leaseConflicts = share.wanted - leases.length;
    const standsBy = first === undefined && isStandby(options);
    if (standsBy) options.onStandby?.();
    if (first !== undefined || standsBy) {
      tally.clockSkewMs =
        first === undefined
          ? await measureSkewMs(session, deps.clock, `${layout.root}/time-${deps.holder()}`)
          : skewMs(first.takenMs);
      await new Shift(deps, options, session, layout, share, leases, tally, startedMs).work();
    }
  } finally {
    await session.close();
  }
  return tally.report(Math.round(deps.clock.elapsed() - startedMs));
}

/** Without a shard, only who is to stand by stays. */
const isStandby = ({ standby = false, lingerMs = 0 }: TickOptions): boolean => standby && lingerMs > 0;

function sharing({ shardsMax, shards, tasks }: TickOptions, layout: Layout) {
  const ofTasks = tasks === undefined ? undefined : [...new Set(tasks.map((id) => layout.shardOf(id)))];
  const only = shards ?? ofTasks;
  return { ...(shardsMax !== undefined && { shardsMax }), ...(only !== undefined && { shards: only }) };
}

/** Work that waits: which shards have something due, told without their leases and without reading a page. */
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { dueMinutes } from './due.ts';
import { type Layout, pageFirstDueMs } from './layout.ts';

/** Directories of minutes that are looked at together, the oldest first: mostly the first one tells. */
const MINUTES_AT_A_TIME = 4;

/**
 * Those of the shards in which something is due at `nowMs`, or was left behind: launches of a holder that died, messages
 * to destinations. Three or four round trips, whatever is registered. A task that cannot run here (its record is damaged) counts like any other.
 */
export async function loadedShards(
  session: Session,
  layout: Layout,
  shards: readonly number[],
  nowMs: EpochMs,
): Promise<number[]> {
  const [minutes, journals, outboxes] = await Promise.all([
    dueMinutes(session, layout, shards, nowMs),
    Promise.all(shards.map((shard) => session.children(layout.journal(shard)))),
    Promise.all(shards.map((shard) => session.children(layout.outbox(shard)))),
  ]);
  const isLoaded = await Promise.all(
    shards.map(async (shard, i) => {
      if ([...(journals[i] ?? []), ...(outboxes[i] ?? [])].length > 0) return true;
      const paths = minutes.filter((minute) => minute.shard === shard).map(({ path }) => path);
      return hasDuePage(session, paths, nowMs);
    }),
  );
  return shards.filter((_, i) => isLoaded[i]);
}

/** Directories of minutes may be empty: they are swept only when they are past. */
async function hasDuePage(session: Session, directories: readonly string[], nowMs: EpochMs): Promise<boolean> {
  for (let i = 0; i < directories.length; i += MINUTES_AT_A_TIME) {
    const some = directories.slice(i, i + MINUTES_AT_A_TIME);
    const names = await Promise.all(some.map((path) => session.children(path)));
    // A page whose name tells no time is somebody's mistake, and for its holder to sweep.
    if (names.flat().some((name) => name !== undefined && !(pageFirstDueMs(name) > nowMs))) return true;
  }
  return false;
}

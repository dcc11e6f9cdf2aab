/**
 * The first look of a tick at its shards: what is in their directories, all in one request. Where nothing is due and
 * nothing was left behind, that is all that a tick asks for.
 */
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import type { Days } from './due.ts';
import type { Layout } from './layout.ts';
import type { Lease } from './lease.ts';
import { isSweepable, SWEEPING_SHARD, sweepable } from './sweep.ts';

/** What one shard has in its journal, by the names of the nodes. */
export interface ShardLook {
  readonly lease: Lease;
  readonly journals: readonly string[];
}

export interface Look {
  readonly shards: readonly ShardLook[];
  /** Of each shard, the days in its due index. */
  readonly days: Days;
  /** Whether there is something to sweep, as far as this look could see. */
  hasSweepable(nowMs: EpochMs): boolean;
}

/** Directories of a shard that are looked at. */
const PER_SHARD = 2;

export async function lookAt(session: Session, layout: Layout, leases: readonly Lease[]): Promise<Look> {
  const own = leases.flatMap(({ shard }) => [layout.journal(shard), layout.due(shard)]);
  const sweeps = leases.some(({ shard }) => shard === SWEEPING_SHARD);
  const names = await session.childrenMany([...own, ...(sweeps ? sweepable(layout) : [])]);
  const of = (i: number, which: number): readonly string[] => names[i * PER_SHARD + which] ?? [];
  const swept = names.slice(own.length);
  return {
    shards: leases.map((lease, i) => ({ lease, journals: of(i, 0) })),
    days: new Map(leases.map(({ shard }, i) => [shard, of(i, 1)])),
    hasSweepable: (nowMs) => sweeps && isSweepable(layout, swept, nowMs),
  };
}

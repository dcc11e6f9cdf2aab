/**
 * The lease: the right to run a shard's tasks, with a fence. Taken in one transaction: create the ephemeral lock,
 * set the epoch; the epoch's new version is the fence. Every later write of the holder checks both, so a holder that
 * was frozen, cut off or left over from an earlier invocation writes nothing, even through a new session.
 *
 * Why an epoch: M. Kleppmann, "How to do distributed locking" (2016), fencing tokens. A lock node's own version is no
 * token (each new lock starts at 0), and a session is none either (a thawed promise of the last invocation shares it).
 */
import type { EpochMs } from './clock.ts';
import { CoordinatorError, isRefused, type Op, type Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';

export interface Lease {
  readonly shard: number;
  readonly fence: number;
  /** The coordinator's clock when the lease was taken. */
  readonly takenMs: EpochMs;
  /** Put these before every write. */
  readonly guard: readonly Op[];
}

/** Operations of a guard. */
const GUARD_OPS = 2;

/**
 * Takes the lease of a shard, or undefined when somebody holds it: try-lock, no queue, since a holder is already at
 * work. `holder` names this invocation and nothing else, ever.
 */
export async function acquire(
  session: Session,
  layout: Layout,
  shard: number,
  holder: string,
): Promise<Lease | undefined> {
  const lock = layout.lock(shard);
  const epoch = layout.epoch(shard);
  try {
    const [, epochSet] = await session.multi([
      { op: 'create', path: lock, data: holder, mode: 'ephemeral' },
      { op: 'set', path: epoch, data: holder },
    ]);
    if (epochSet === undefined) throw new CronkeeperError('internal', 'the coordinator answered too few results');
    return leaseOf(layout, shard, epochSet.version, epochSet.modifiedMs);
  } catch (error) {
    if (isRefused(error, 'node-exists')) return undefined;
    if (!isCronkeeperError(error, 'outcome-unknown')) throw error;
    return readBack(session, layout, shard, holder);
  }
}

/** The leases of those of the shards that nobody holds. */
export async function acquireFree(
  session: Session,
  layout: Layout,
  shards: readonly number[],
  holder: string,
): Promise<Lease[]> {
  const leases = await Promise.all(shards.map((shard) => acquire(session, layout, shard, holder)));
  return leases.filter((lease) => lease !== undefined);
}

/** The reply was lost: the lease is ours if both nodes carry our name. */
async function readBack(session: Session, layout: Layout, shard: number, holder: string): Promise<Lease | undefined> {
  const [lock, epoch] = await session.getMany([layout.lock(shard), layout.epoch(shard)]);
  const isOurs = lock?.data === holder && epoch?.data === holder;
  return isOurs ? leaseOf(layout, shard, epoch.version, epoch.modifiedMs) : undefined;
}

function leaseOf(layout: Layout, shard: number, fence: number, takenMs: EpochMs): Lease {
  const guard: Op[] = [
    { op: 'check', path: layout.lock(shard) },
    { op: 'check', path: layout.epoch(shard), version: fence },
  ];
  return { shard, fence, takenMs, guard };
}

/** Gives leases back, with what else is to be written at the end. A lease that is lost already needs no release. */
export async function release(session: Session, layout: Layout, lease: Lease, ops: readonly Op[] = []): Promise<void> {
  const unlock: Op = { op: 'remove', path: layout.lock(lease.shard) };
  try {
    await session.multi([...lease.guard, ...ops, unlock]);
  } catch (error) {
    if (!(error instanceof CoordinatorError)) throw error;
  }
}

/** The guards of several leases, for a write that concerns several shards. */
export const guardsOf = (leases: readonly Lease[]): Op[] => leases.flatMap(({ guard }) => guard);

/** The lease that is lost, where the guard of one is what refused a write that began with the guards of `leases`. */
export function lostLease(leases: readonly Lease[], error: unknown): Lease | undefined {
  if (!isRefused(error) || error.opIndex === undefined) return undefined;
  return leases[Math.floor(error.opIndex / GUARD_OPS)];
}

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
  const [lease] = await acquireFree(session, layout, [shard], holder);
  return lease;
}

/**
 * The leases of those of the shards that nobody holds. That is mostly all of them, and then it is one transaction; else
 * it is tried for each that has no lock: a refused try costs the servers as much as a write.
 */
export async function acquireFree(
  session: Session,
  layout: Layout,
  shards: readonly number[],
  holder: string,
): Promise<Lease[]> {
  try {
    return await acquireAll(session, layout, shards, holder);
  } catch (error) {
    if (!isRefused(error, 'node-exists')) throw error;
    if (shards.length === 1) return [];
  }
  const locks = await session.getMany(shards.map((shard) => layout.lock(shard)));
  const free = shards.filter((_, i) => locks[i] === undefined);
  return (await Promise.all(free.map((shard) => acquireFree(session, layout, [shard], holder)))).flat();
}

/** @throws CoordinatorError when any of them is held. */
async function acquireAll(
  session: Session,
  layout: Layout,
  shards: readonly number[],
  holder: string,
): Promise<Lease[]> {
  const ops = shards.flatMap((shard): Op[] => [
    { op: 'create', path: layout.lock(shard), data: holder, mode: 'ephemeral' },
    { op: 'set', path: layout.epoch(shard), data: holder },
  ]);
  try {
    const results = await session.multi(ops);
    return shards.map((shard, i) => {
      const epochSet = results[i * 2 + 1];
      if (epochSet === undefined) throw new CronkeeperError('internal', 'the coordinator answered too few results');
      return leaseOf(layout, shard, epochSet.version, epochSet.modifiedMs);
    });
  } catch (error) {
    if (!isCronkeeperError(error, 'outcome-unknown')) throw error;
    return readBack(session, layout, shards, holder);
  }
}

/** The reply was lost: those leases are ours whose nodes both carry our name. */
async function readBack(session: Session, layout: Layout, shards: readonly number[], holder: string): Promise<Lease[]> {
  const locks = await session.getMany(shards.map((shard) => layout.lock(shard)));
  const epochs = await session.getMany(shards.map((shard) => layout.epoch(shard)));
  return shards.flatMap((shard, i) => {
    const epoch = epochs[i];
    const isOurs = locks[i]?.data === holder && epoch?.data === holder;
    return isOurs ? leaseOf(layout, shard, epoch.version, epoch.modifiedMs) : [];
  });
}

function leaseOf(layout: Layout, shard: number, fence: number, takenMs: EpochMs): Lease {
  const guard: Op[] = [
    { op: 'check', path: layout.lock(shard) },
    { op: 'check', path: layout.epoch(shard), version: fence },
  ];
  return { shard, fence, takenMs, guard };
}

/** Gives a lease back, with what else is to be written at the end. A lease that is lost already needs no release. */
export const release = (session: Session, layout: Layout, lease: Lease, ops: readonly Op[] = []): Promise<void> =>
  releaseAll(session, layout, [{ lease, ops }]);

export interface Release {
  readonly lease: Lease;
  readonly ops: readonly Op[];
}

/** Gives leases back, all in one transaction; where one of them is lost already, each in its own. */
export async function releaseAll(session: Session, layout: Layout, releases: readonly Release[]): Promise<void> {
  const guards = releases.flatMap(({ lease }) => lease.guard);
  const ops = releases.flatMap((each) => each.ops);
  const unlocks = releases.map(({ lease }): Op => ({ op: 'remove', path: layout.lock(lease.shard) }));
  try {
    await session.multi([...guards, ...ops, ...unlocks]);
  } catch (error) {
    if (!(error instanceof CoordinatorError)) throw error;
    if (releases.length === 1 || !isCronkeeperError(error, 'conflict', 'too-large')) return;
    await Promise.all(releases.map((each) => releaseAll(session, layout, [each])));
  }
}

/** The guards of several leases, for a write that concerns several shards. */
export const guardsOf = (leases: readonly Lease[]): Op[] => leases.flatMap(({ guard }) => guard);

/** The lease that is lost, where the guard of one is what refused a write that began with the guards of `leases`. */
export function lostLease(leases: readonly Lease[], error: unknown): Lease | undefined {
  if (!isRefused(error) || error.opIndex === undefined) return undefined;
  return leases[Math.floor(error.opIndex / GUARD_OPS)];
}

/** How a namespace is doing: who holds what, read in one round trip or two. */
import type { Session } from './coordinator.ts';
import { formatInstant } from './instant.ts';
import { dueMinute, type Layout } from './layout.ts';

export interface ShardStatus {
  readonly shard: number;
  /** A tick has its lease now. */
  readonly held: boolean;
  /** Of the latest lease; 0 when there was none yet. */
  readonly fence: number;
  /** When the latest lease was taken; null when there was none yet. */
  readonly lastLeaseAt: string | null;
  /** Days in the due index that are over: not 0 for long means that nobody ticks. */
  readonly overdueDays: number;
}

export interface Status {
  readonly coordinator: string;
  readonly namespace: string;
  readonly shards: readonly ShardStatus[];
}

export async function readStatus(
  session: Session,
  layout: Layout,
  coordinator: string,
  namespace: string,
): Promise<Status> {
  const numbers = Array.from({ length: layout.shards }, (_, shard) => shard);
  const [locks, epochs, days] = await Promise.all([
    session.getMany(numbers.map((shard) => layout.lock(shard))),
    session.getMany(numbers.map((shard) => layout.epoch(shard))),
    Promise.all(numbers.map((shard) => session.children(layout.due(shard)))),
  ]);
  const latestMs = Math.max(...epochs.map((epoch) => epoch?.modifiedMs ?? 0));
  const today = dueMinute(latestMs).day;
  const shards = numbers.map((shard): ShardStatus => {
    const epoch = epochs[shard];
    const fence = epoch?.version ?? 0;
    return {
      shard,
      held: locks[shard] !== undefined,
      fence,
      lastLeaseAt: epoch === undefined || fence === 0 ? null : formatInstant(epoch.modifiedMs),
      overdueDays: (days[shard] ?? []).filter((day) => day < today).length,
    };
  });
  return { coordinator, namespace, shards };
}

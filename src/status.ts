/** How a namespace is doing: who holds what, read in one round trip or two. */
import type { Session } from './coordinator.ts';
import { formatInstant } from './instant.ts';
import { dueMinute, type Layout } from './layout.ts';
import { readPages } from './outbox.ts';

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
  /** Messages to destinations that wait to be delivered. */
  readonly outbox: number;
  /** Messages that were given up, as far as they are kept. */
  readonly undelivered: number;
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
  const messages = (directory: (shard: number) => string) =>
    Promise.all(numbers.map(async (shard) => messagesIn(await session.children(directory(shard)))));
  const [locks, epochs, days, outbox, undelivered] = await Promise.all([
    session.getMany(numbers.map((shard) => layout.lock(shard))),
    session.getMany(numbers.map((shard) => layout.epoch(shard))),
    Promise.all(numbers.map((shard) => session.children(layout.due(shard)))),
    messages(layout.outbox),
    messages(layout.undelivered),
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
      outbox: outbox[shard] ?? 0,
      undelivered: undelivered[shard] ?? 0,
      overdueDays: (days[shard] ?? []).filter((day) => day < today).length,
    };
  });
  return { coordinator, namespace, shards };
}

/** The names of the pages say it. */
const messagesIn = (names: readonly string[] | undefined): number =>
  readPages('', names).reduce((sum, { count }) => sum + count, 0);

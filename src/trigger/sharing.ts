/** What a tick may be told of its shards, and of the ticks that asked for it. Sent by `lambda/fan-out.ts`. */
import { received } from '../errors.ts';
import { GENERATIONS_MAX } from '../fan-out.ts';
import { isShards, SHARDS_ALLOWED } from '../shard.ts';
import type { TickCommand } from '../trigger.ts';

/** What is wrong with each field, if anything is. */
export const SHARING_FIELDS = {
  shards: (value: unknown): string | undefined =>
    value === undefined || isShards(value) ? undefined : `received ${received(value)}; allowed: ${SHARDS_ALLOWED}`,
  generation: (value: unknown): string | undefined =>
    value === undefined || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= GENERATIONS_MAX)
      ? undefined
      : `received ${received(value)}; allowed: a whole number from 1 to ${GENERATIONS_MAX}`,
};

/** Of fields that are right. */
export const sharingOf = ({
  shards,
  generation,
}: Readonly<Record<string, unknown>>): Pick<TickCommand, 'shards' | 'generation'> => ({
  ...(isShards(shards) && { shards }),
  ...(generation !== undefined && { generation: Number(generation) }),
});

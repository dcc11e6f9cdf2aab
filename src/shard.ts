/** Which shard and which directories a task belongs to: stable hashes of its id, the same on every machine. */

/** Shards that a namespace may have. */
export const SHARDS_MAX = 256;

/** What {@link isShards} asks for, in words. */
export const SHARDS_ALLOWED = `a list of 1 to ${SHARDS_MAX} different numbers from 0 to ${SHARDS_MAX - 1}`;

/** Whether this names shards that a namespace may have, each once. */
export const isShards = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= SHARDS_MAX &&
  new Set(value).size === value.length &&
  value.every((shard) => Number.isInteger(shard) && shard >= 0 && shard < SHARDS_MAX);

const FNV_OFFSET = 0x811c9dc5;

/** FNV-1a, 32 bits. What comes later is hashed on from what came before. */
function fnv(text: string, before = FNV_OFFSET): number {
  let hash = before;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The final mix of murmur3, so that the low bits of similar ids differ. */
function mixed(fnvHash: number): number {
  let hash = Math.imul(fnvHash ^ (fnvHash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export const hash32 = (text: string): number => mixed(fnv(text));

export const shardOf = (taskId: string, shards: number): number => hash32(taskId) % shards;

/** Directories of tasks, code and dead letters: as many as two hexadecimal digits can name. */
export const bucketNames: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

const BUCKET_SALT = fnv('bucket:');

/** Independent of the shard: other bits decide. */
export const bucketOf = (name: string): string =>
  bucketNames[mixed(fnv(name, BUCKET_SALT)) % bucketNames.length] as string;

/** How far `spread` moves the task inside its window, 0 … spreadMs - 1. */
export const spreadOffsetMs = ({ id, spreadMs }: { readonly id: string; readonly spreadMs: number }): number =>
  spreadMs === 0 ? 0 : Math.floor((hash32(`spread:${id}`) / 2 ** 32) * spreadMs);

/** A seed for decisions about one attempt. */
export const seedOf = (launchId: string, attempt: number): number => hash32(`${launchId}#${attempt}`);

/** The order in which a tick tries the shards: rotated by chance, so that parallel ticks do not start at the same one. */
export function visitingOrder(shards: number, random: number): number[] {
  const first = Math.floor(random * shards);
  return Array.from({ length: shards }, (_, i) => (first + i) % shards);
}

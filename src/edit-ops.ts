/** What an edit of tasks writes besides code, pages and the index of events: their records, and what hangs on them. */
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import { CronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';
import type { TaskRecord } from './record.ts';
import { encodeRecord } from './record-text.ts';
import { hintOps, replacedCode } from './retention.ts';
import type { Loaded } from './store.ts';

/** A change that falls due sooner than the longest linger rings the doorbell, so that a lingering tick sees it. */
const DOORBELL_AHEAD_MS = 15 * 60_000;

/** Bytes of a record with what waits in it, well below what a node may hold. */
const RECORD_BYTES_MAX = 200 * 1024;
/** A character has three bytes at most. */
const RECORD_CHARS_SAFE = Math.floor(RECORD_BYTES_MAX / 3);

/** A record as it was found, if it was there, and as it is to be. */
export interface Edited {
  readonly found: Loaded | undefined;
  readonly record: TaskRecord;
  /** The record's text. */
  readonly data: string;
}

/** Whether a record has room for what was added. */
export const fits = (record: TaskRecord): boolean => doesFit(encodeRecord(record));

const doesFit = (data: string): boolean =>
  data.length <= RECORD_CHARS_SAFE || Buffer.byteLength(data) <= RECORD_BYTES_MAX;

/** The record, if it has room for what was added to `before`. */
export function fitting(record: TaskRecord, before: TaskRecord): TaskRecord {
  if (record !== before) assertFits(record, encodeRecord(record));
  return record;
}

/** For changes that add something. Others are always taken: whatever a task carries, it can be paused and removed. */
export function assertFits({ task }: TaskRecord, data: string): void {
  if (doesFit(data)) return;
  const bytes = Buffer.byteLength(data);
  const message = `task ${task.id}: its record would take ${bytes} bytes; allowed: at most ${RECORD_BYTES_MAX}`;
  throw new CronkeeperError('too-large', message);
}

export function editOps(layout: Layout, nowMs: EpochMs, edited: readonly Edited[], maker: () => string): Op[] {
  const records = edited.map(({ found, record, data }): Op => {
    const path = layout.task(record.task.id);
    return found === undefined ? { op: 'create', path, data } : { op: 'set', path, data, version: found.version };
  });
  // A dead letter that is redriven goes in the very moment in which its launch comes.
  const dead = edited.flatMap(({ found, record: { task, deadSlots } }) =>
    (found?.record.deadSlots ?? [])
      .filter((slotMs) => !deadSlots.includes(slotMs))
      .map((slotMs): Op => ({ op: 'remove', path: layout.dead(task.id, slotMs) })),
  );
  const soonMs = nowMs + DOORBELL_AHEAD_MS;
  const soon = edited.filter(
    ({ found, record }) => Math.min(record.dueMs ?? Infinity, found?.record.dueMs ?? Infinity) <= soonMs,
  );
  const shards = new Set(soon.map(({ record }) => layout.shardOf(record.task.id)));
  const rings = [...shards].map((shard): Op => ({ op: 'set', path: layout.doorbell(shard), data: '' }));
  const replaced = edited.flatMap(({ found, record }) => replacedCode(found?.record, record));
  return [...records, ...dead, ...rings, ...hintOps(layout, nowMs, maker, replaced)];
}

/** What is to be recorded for one due entry, and the operations that record it, beside those on due pages. Pure. */
import type { Op } from './coordinator.ts';
import type { Page, TimedEntry } from './due.ts';
import { encodeChunk, UNCHANGED } from './history.ts';
import type { RunError } from './launch.ts';
import type { DueEntry, Layout } from './layout.ts';
import type { Lease } from './lease.ts';
import { bytesOfMail, type Mail, mailOf } from './mail.ts';
import type { TaskRecord } from './record.ts';
import { encodeRecord } from './record-text.ts';
import { type Done, isRecorded, type Settled, settle } from './settle.ts';
import { type Found, isLoaded, type Loaded } from './store.ts';

/** Bytes around the path and the data of an operation, and of what an item adds to pages: its line, at most a page. */
const OP_BYTES = 64;
const ITEM_BYTES = 384;

/** UTF-8 bytes of a record after a run: edits may add to it still, below what a node may hold. */
const SETTLED_BYTES_MAX = 240 * 1024;

/** What is to be recorded for one due entry. */
export interface Item {
  readonly entry: TimedEntry;
  readonly lease: Lease;
  /** `stale`: the entry counts no more; `purge`: a tombstone's time is over; otherwise what to settle. */
  readonly done: 'stale' | 'purge' | Done;
  /** The record that this is based on; none for a stale entry. */
  readonly loaded?: Loaded;
}

/** An item with what it writes beside pages. */
export interface Prepared {
  readonly item: Item;
  readonly settled: Settled | undefined;
  readonly ops: readonly Op[];
  /** What is to be told of it, written with it. */
  readonly mail?: Mail | undefined;
  readonly bytes: number;
}

/** A task that is due again so soon must be recorded at once: its timer, and the journal ahead of it, wait for that. */
const NEXT_SOON_MS = 250;

/** Whether nobody waits for it to be recorded: no caller, no destination, and no launch that is due soon. */
export const mayWait = ({ item: { done }, settled, mail }: Prepared): boolean =>
  typeof done !== 'string' &&
  done.launch?.manual === undefined &&
  mail === undefined &&
  (settled?.record.dueMs ?? Infinity) > done.finishedMs + NEXT_SOON_MS;

export const NOTHING_KNOWN: ReadonlyMap<string, boolean> = new Map();

export const dueEntries = (prepared: readonly Prepared[]): DueEntry[] =>
  prepared.flatMap(({ settled }) => (settled === undefined ? [] : dueEntryOf(settled.record)));

/** `known` says of paths whether they are there, where that was looked up after a refusal. */
export function prepare(layout: Layout, item: Item, known: ReadonlyMap<string, boolean>): Prepared {
  const { done, loaded } = item;
  if (done === 'stale' || loaded === undefined) return { item, settled: undefined, ops: [], bytes: 0 };
  if (done === 'purge') {
    const ops = purgeOps(layout, loaded, known);
    return { item, settled: undefined, ops, bytes: bytesOf(ops) };
  }
  const { settled, ops, mail } = settleOps(layout, loaded, done, known);
  const mailBytes = mail === undefined ? 0 : bytesOfMail(mail);
  return { item, settled, ops, mail, bytes: ITEM_BYTES + bytesOf(ops) + mailBytes };
}

/** What is settled on a record, and the operations that write it: the record by its version, and what is beside it. */
export function settleOps(
  layout: Layout,
  { record, version }: Loaded,
  done: Done,
  known: ReadonlyMap<string, boolean> = NOTHING_KNOWN,
): { settled: Settled; ops: readonly Op[]; mail: Mail | undefined } {
  const { settled, data } = settleFitting(record, done);
  const set: Op = { op: 'set', path: layout.task(record.task.id), version, data };
  const mail = mailOf(record, done, settled);
  return { settled, ops: [set, ...besideOps(layout, settled, known)], mail };
}

/** The due entry of a record that waits for something. */
export const dueEntryOf = ({ task, dueMs, timer }: TaskRecord): DueEntry[] =>
  dueMs === undefined ? [] : [{ taskId: task.id, dueMs, timer }];

/**
 * Where the record has no room for all of it, a run cannot be repeated; and if that is not enough, its result is an
 * error: a record that nobody can write stops its task.
 */
function settleFitting(record: TaskRecord, done: Done): { settled: Settled; data: string } {
  const settled = settle(record, done);
  const data = encodeRecord(settled.record);
  const { outcome, given } = done;
  if (outcome === undefined || data.length * 3 <= SETTLED_BYTES_MAX) return { settled, data };
  const bytes = Buffer.byteLength(data);
  if (bytes <= SETTLED_BYTES_MAX) return { settled, data };
  if (typeof given?.seen === 'object')
    return settleFitting(record, { ...done, given: { ...given, seen: 'too-large' } });
  const message = `with it the task's record would take ${bytes} bytes; allowed: at most ${SETTLED_BYTES_MAX}`;
  const error: RunError = { class: 'ResultTooLarge', name: 'ResultTooLarge', message };
  const { usage } = outcome;
  const failed = settle(record, { ...done, outcome: { status: 'failed', error, logs: [], truncated: true, usage } });
  return { settled: failed, data: encodeRecord(failed.record) };
}

const bytesOf = (ops: readonly Op[]): number =>
  ops.reduce((sum, op) => sum + OP_BYTES + op.path.length + ('data' in op ? Buffer.byteLength(op.data) : 0), 0);

/** At most what is left of a page is written again. */
export function pageBytes({ path, left }: Page): number {
  let bytes = OP_BYTES + path.length;
  for (const line of left.keys()) bytes += line.length + 1;
  return bytes;
}

/** Chunks of history and dead letters. */
function besideOps(layout: Layout, settled: Settled, known: ReadonlyMap<string, boolean>): Op[] {
  const { record, history, dead, evictedSlotMs } = settled;
  if (history === UNCHANGED && dead === undefined) return [];
  const { id } = record.task;
  const put = (path: string, data: string, exists: boolean): Op =>
    (known.get(path) ?? exists) ? { op: 'set', path, data } : { op: 'create', path, data };
  const drop = (path: string): Op[] => (known.get(path) === false ? [] : [{ op: 'remove', path }]);
  return [
    ...(history.write === undefined
      ? []
      : [put(layout.chunk(id, history.write.index), encodeChunk(history.write.runs), history.write.exists)]),
    ...history.removed.flatMap((index) => drop(layout.chunk(id, index))),
    ...(dead === undefined ? [] : [put(layout.dead(id, dead.slotMs), JSON.stringify(dead), false)]),
    ...(evictedSlotMs === undefined ? [] : drop(layout.dead(id, evictedSlotMs))),
  ];
}

/** A tombstone goes with all that was kept for it; children before their parent. */
function purgeOps(layout: Layout, { record, version }: Loaded, known: ReadonlyMap<string, boolean>): Op[] {
  const { id } = record.task;
  const beside = [
    ...record.chunks.map(({ index }) => layout.chunk(id, index)),
    ...record.deadSlots.map((slotMs) => layout.dead(id, slotMs)),
  ].filter((path) => known.get(path) !== false);
  return [...beside.map((path): Op => ({ op: 'remove', path })), { op: 'remove', path: layout.task(id), version }];
}

/** A commit is atomic, so one launch that is recorded shows that all are. */
export const wasApplied = (items: readonly Item[], found: readonly Found[]): boolean =>
  items.some(({ done }, i) => {
    const loaded = found[i];
    return typeof done !== 'string' && isLoaded(loaded) && isRecorded(loaded.record, done);
  });

/**
 * The item on what is there now. A node that is gone leaves only its due entry to clear away, and so does a tombstone
 * that is none any more, or has a later end: its task was put again meanwhile.
 */
export function renewed(item: Item, found: Found): Item {
  const { loaded: _, ...rest } = item;
  if (!isLoaded(found)) return { ...rest, done: 'stale' };
  if (item.done === 'purge' && found.record.timer !== item.entry.timer) return { ...rest, done: 'stale' };
  return { ...item, loaded: found };
}

/**
 * Which code may go. A transaction that drops a reference leaves a *hint*; the sweep asks later whether any other
 * record names what is hinted at. Here is what is decided about it; `sweep.ts` acts. Pure.
 */
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import type { Layout } from './layout.ts';
import { runsIn, type TaskRecord } from './record.ts';
import { decodeRecord } from './record-text.ts';
import { bucketNames } from './shard.ts';

/** A hint is left alone for so long: a run that is under way when its code is edited is recorded long before. */
export const CODE_GRACE_MS = 86_400_000;

/** Code that only kept runs name is looked at again after so long: nothing says when history drops the last of them. */
export const LOOK_AGAIN_MS = 7 * 86_400_000;

/** Hex digits between others that are none; where a text is damaged, the hash may be anywhere in a longer row. */
const HEX_ROW = /[0-9a-f]{32,}/g;
const HASH_DIGITS = 32;

/** Every hash that a text could name, whatever its form. */
export function hashesIn(text: string): Set<string> {
  const found = new Set<string>();
  for (const [row] of text.matchAll(HEX_ROW)) {
    for (let from = 0; from + HASH_DIGITS <= row.length; from++) found.add(row.slice(from, from + HASH_DIGITS));
  }
  return found;
}

/** What a record's task and its latest runs name. */
export const codeNamedBy = (record: TaskRecord): string[] => [
  record.task.code.hash,
  ...runsIn(record).flatMap(({ code }) => code ?? []),
];

/** What an edit has put other code in the place of. */
export const replacedCode = (before: TaskRecord | undefined, { task }: TaskRecord): string[] =>
  before === undefined || before.task.code.hash === task.code.hash ? [] : [before.task.code.hash];

/** What leaves a hint, in the transaction that drops the references. Its name is nobody else's, so it meets nobody. */
export function hintOps(layout: Layout, droppedMs: EpochMs, maker: () => string, hashes: Iterable<string>): Op[] {
  const data = [...new Set(hashes)].join('\n');
  return data === '' ? [] : [{ op: 'create', path: layout.hint(`${Math.floor(droppedMs)}-${maker()}`), data }];
}

/** Hints whose grace is over, oldest first. */
export function dueHints(names: readonly string[], nowMs: EpochMs, graceMs: number): string[] {
  const droppedMs = (name: string) => Number.parseInt(name, 10) || 0;
  return names.filter((name) => droppedMs(name) + graceMs <= nowMs).sort((a, b) => droppedMs(a) - droppedMs(b));
}

/** How a record names a hash. `task`: dropping it will leave a hint. `history`: nothing will. */
export type Naming = 'task' | 'history';

export interface Named {
  readonly hashes: ReadonlyMap<string, Naming>;
  /** Numbers of the chunks that may name more; undefined where the record cannot be read: all there are. */
  readonly chunks: readonly number[] | undefined;
}

/** A record that cannot be read, or that a newer version wrote, names whatever its text contains. */
export function namedBy(id: string, text: string, trashed: ReadonlySet<string>): Named {
  const hashes = new Map<string, Naming>();
  for (const hash of hashesIn(text)) if (trashed.has(hash)) hashes.set(hash, 'history');
  try {
    const { task, chunks } = decodeRecord(id, text);
    if (hashes.has(task.code.hash)) hashes.set(task.code.hash, 'task');
    return { hashes, chunks: chunks.map(({ index }) => index) };
  } catch {
    return { hashes, chunks: undefined };
  }
}

/** How far a pass over all records has come. */
export interface Cursor {
  /** Index of the bucket; beyond the last one: every record was seen. */
  readonly bucket: number;
  /** The last task of the bucket that was seen, by the order of ids as text. */
  readonly after: string;
}

export const START: Cursor = { bucket: 0, after: '' };

export const isOver = ({ bucket }: Cursor): boolean => bucket >= bucketNames.length;

export const encodeCursor = ({ bucket, after }: Cursor): string => JSON.stringify({ bucket, after });

/** One that cannot be read begins the pass again: to see a record twice does no harm. */
export function decodeCursor(text: string): Cursor {
  try {
    const { bucket, after } = JSON.parse(text) as { bucket?: unknown; after?: unknown };
    const isSound = typeof bucket === 'number' && Number.isSafeInteger(bucket) && bucket >= 0;
    return isSound && typeof after === 'string' ? { bucket, after } : START;
  } catch {
    return START;
  }
}

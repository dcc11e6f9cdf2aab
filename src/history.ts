/**
 * The history of a task's runs: the latest are kept in its record, where a launch writes anyway; when they become
 * many, all but the newest move to a chunk beside it. So a launch costs one small write, nothing needs sweeping, and
 * a task with all its history is a bounded number of nodes. Pure.
 */
import type { EpochMs } from './clock.ts';
import { type Chunk, type RunRecord, runsIn, type TaskRecord } from './record.ts';

/** Runs in a record before the older ones move to a chunk. */
export const INLINE_RUNS_MAX = 8;

/** About how many characters of runs a record carries before they move to a chunk. */
export const INLINE_CHARS_MAX = 4_096;

/** What a commit has to write beside the record. */
export interface HistoryChange {
  readonly write?: { readonly index: number; readonly runs: readonly RunRecord[]; readonly exists: boolean };
  /** Chunks that are no longer needed. */
  readonly removed: readonly number[];
}

/** Nothing is to be written beside the record. */
export const UNCHANGED: HistoryChange = { removed: [] };

/** Adds runs, given oldest first. */
export function recordRuns(
  record: TaskRecord,
  added: readonly RunRecord[],
): { record: TaskRecord; history: HistoryChange } {
  if (added.length === 0) return { record, history: UNCHANGED };
  const runs = [...added.toReversed(), ...record.runs];
  if (fits(runs, record.unread?.runs)) return { record: { ...record, runs }, history: UNCHANGED };

  const [newest, ...older] = runsIn({ ...record, runs });
  if (newest === undefined || older.length === 0) return { record: { ...record, runs }, history: UNCHANGED };
  const { kept, dropped } = retain(record.chunks, 1 + older.length, record.task.history);
  const reused = dropped[0]?.index;
  const index = reused ?? firstFree(kept);
  const untilMs = latestSlot(older);
  const chunk: Chunk = { index, count: older.length, ...(untilMs !== undefined && { untilMs }) };
  return {
    record: { ...withoutUnread(forgetting(record, dropped)), runs: [newest], chunks: [chunk, ...kept] },
    history: {
      write: { index, runs: older, exists: reused !== undefined },
      removed: dropped.slice(1).map((each) => each.index),
    },
  };
}

function fits(runs: readonly RunRecord[], unread: readonly string[] = []): boolean {
  const count = runs.length + unread.length;
  const chars = () => unread.reduce((sum, line) => sum + line.length, charsOf(runs));
  return count === 1 || (count <= INLINE_RUNS_MAX && chars() <= INLINE_CHARS_MAX);
}

function withoutUnread(record: TaskRecord): TaskRecord {
  const { unread: _, ...read } = record;
  return read;
}

/** The latest slot of the schedule that runs tell of, those included that they have moved it to. */
function latestSlot(runs: readonly RunRecord[]): EpochMs | undefined {
  const slots = runs.flatMap(({ slotMs, lastSlotMs = slotMs, movedMs, manual }) => [
    ...(manual === undefined ? [lastSlotMs] : []),
    ...(movedMs === undefined ? [] : [movedMs]),
  ]);
  return slots.length === 0 ? undefined : Math.max(...slots);
}

/** Of chunks that do not say what they hold, all may have been about the latest slot. */
function forgetting(record: TaskRecord, dropped: readonly Chunk[]): TaskRecord {
  if (dropped.length === 0) return record;
  const latest = dropped.map(({ untilMs }) => untilMs ?? record.decidedMs ?? 0);
  return { ...record, forgottenMs: Math.max(record.forgottenMs ?? 0, ...latest) };
}

/** Drops the oldest chunks as long as the rest holds the runs that the task keeps. */
function retain(chunks: readonly Chunk[], newerRuns: number, keep: number): { kept: Chunk[]; dropped: Chunk[] } {
  const kept: Chunk[] = [];
  const dropped: Chunk[] = [];
  let total = newerRuns;
  for (const chunk of chunks) {
    if (total >= keep) dropped.push(chunk);
    else kept.push(chunk);
    total += chunk.count;
  }
  return { kept, dropped };
}

const firstFree = (chunks: readonly Chunk[]): number => {
  const used = new Set(chunks.map(({ index }) => index));
  let index = 0;
  while (used.has(index)) index++;
  return index;
};

/** An estimate that costs nothing for the many runs without logs. */
export function charsOf(runs: readonly RunRecord[]): number {
  return runs.reduce((sum, { logs = [], error, output, granted, seen }) => {
    const logChars = logs.reduce((chars, line) => chars + line.length + 4, 0);
    const errorChars = error === undefined ? 0 : error.message.length + (error.stack?.length ?? 0) + 64;
    const others = [output, granted, seen].reduce<number>((chars, value) => chars + jsonChars(value), 0);
    return sum + 208 + logChars + errorChars + others;
  }, 0);
}

const jsonChars = (value: unknown): number =>
  typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value).length + 10 : 8;

export const encodeChunk = (runs: readonly RunRecord[]): string => JSON.stringify(runs);

/** A chunk that cannot be read holds no runs: history is shown as far as it can be. */
export function decodeChunk(text: string): RunRecord[] {
  try {
    const runs: unknown = JSON.parse(text);
    return Array.isArray(runs) ? runs.filter((run): run is RunRecord => Number.isSafeInteger(run?.slotMs)) : [];
  } catch {
    return [];
  }
}

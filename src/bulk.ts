/** Many documents at once: checked together before the first is stored, and cut into batches that fit a transaction. */
import { atEndOfTurn } from './clock.ts';
import { invalidDocument } from './document.ts';
import { CronkeeperError, isCronkeeperError, received } from './errors.ts';
import { PAGE_ENTRIES_MAX } from './new-pages.ts';
import { type Unread, written } from './record-lines.ts';
import { type ParsedTask, parseTask, type Task } from './task.ts';

/** Documents that one call may put. */
export const PUT_MANY_MAX = 100_000;

/** Documents that are parsed before others have their turn: a session wants its pings. */
const PARSED_IN_A_TURN = 500;

/**
 * Tasks of one transaction, as many as a due page holds, and its bytes. ZooKeeper keeps its last 500 transactions in memory:
 * twice as many would take 5 % less of our time, and twice the memory there.
 */
const BATCH_TASKS_MAX = PAGE_ENTRIES_MAX;
const BATCH_BYTES_MAX = 384 * 1024;

/** @throws CronkeeperError `invalid`, naming the document by its index; `too-large` for too many. */
export async function parseDocuments(documents: readonly unknown[]): Promise<ParsedTask[]> {
  if (documents.length > PUT_MANY_MAX) {
    throw new CronkeeperError('too-large', `received ${documents.length} documents; allowed: at most ${PUT_MANY_MAX}`);
  }
  const parsed: ParsedTask[] = [];
  for (const [i, document] of documents.entries()) {
    parsed.push(atIndex(i, () => parseTask(document)));
    if (i % PARSED_IN_A_TURN === PARSED_IN_A_TURN - 1) await new Promise<void>(atEndOfTurn);
  }
  const first = new Map<string, number>();
  for (const [i, { task }] of parsed.entries()) {
    const earlier = first.get(task.id);
    if (earlier !== undefined) {
      const message = `received ${received(task.id)} again; it is the id of document ${earlier} already`;
      throw invalidDocument('tasks', [{ field: `${i}.id`, message }]);
    }
    first.set(task.id, i);
  }
  return parsed;
}

/** A task with its text, by which it is measured, named and stored. */
export interface WrittenTask extends Omit<ParsedTask, 'task'> {
  readonly written: Unread;
}

export const writtenTask = ({ task, program, saysPaused }: ParsedTask): WrittenTask => ({
  ...{ program, saysPaused },
  written: written(task),
});

/** What one transaction puts. */
export interface Batch {
  /** Which of all documents they are. */
  readonly indices: number[];
  readonly tasks: WrittenTask[];
}

/**
 * Batches that fit a transaction, by number and by bytes. Where there are several, each is of one shard as far as possible: what
 * falls due in the same minute is then on one page, and not on one for each shard. They are made as they are asked for: while
 * the coordinator stores some, the next are written, and no more texts than that are in memory.
 */
export function* batchesOf(parsed: readonly ParsedTask[], shardOf: (id: string) => number): Generator<Batch, void> {
  let batch: Batch = { indices: [], tasks: [] };
  let bytes = 0;
  for (const index of parsed.length > BATCH_TASKS_MAX ? byShard(parsed, shardOf) : parsed.keys()) {
    const task = writtenTask(parsed[index] as ParsedTask);
    const more = bytesOf(task);
    const { length } = batch.tasks;
    if (length === BATCH_TASKS_MAX || (length > 0 && bytes + more > BATCH_BYTES_MAX)) {
      yield batch;
      batch = { indices: [], tasks: [] };
      bytes = 0;
    }
    batch.indices.push(index);
    batch.tasks.push(task);
    bytes += more;
  }
  if (batch.tasks.length > 0) yield batch;
}

/** Their indices, those of one shard one after the other. */
function byShard(parsed: readonly ParsedTask[], shardOf: (id: string) => number): number[] {
  const shards = new Map<number, number[]>();
  for (const [i, { task }] of parsed.entries()) {
    const shard = shardOf(task.id);
    const indices = shards.get(shard);
    if (indices === undefined) shards.set(shard, [i]);
    else indices.push(i);
  }
  return [...shards.values()].flat();
}

const bytesOf = ({ program, written }: WrittenTask): number =>
  Buffer.byteLength(program.source) + Buffer.byteLength(written.taskText) + rulesBytes(written.task) + 1_024;

/** They are written a second time, into the index of events. */
const rulesBytes = ({ on = [] }: Task): number => (on.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(on)));

function atIndex<T>(index: number, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isCronkeeperError(error, 'invalid')) throw error;
    const problems = error.problems.map(({ field, message }) => ({
      field: field === '' ? `${index}` : `${index}.${field}`,
      message,
    }));
    throw invalidDocument('tasks', problems);
  }
}

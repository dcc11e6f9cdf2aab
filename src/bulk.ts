/** Many documents at once: checked together before the first is stored, and cut into batches that fit a transaction. */
import { atEndOfTurn } from './clock.ts';
import { invalidDocument } from './document.ts';
import { CronkeeperError, isCronkeeperError, received } from './errors.ts';
import { type ParsedTask, parseTask } from './task.ts';

/** Documents that one call may put. */
export const PUT_MANY_MAX = 100_000;

/** Documents that are parsed before others have their turn: a session wants its pings. */
const PARSED_IN_A_TURN = 500;

/** Tasks of one transaction, and its bytes. */
const BATCH_TASKS_MAX = 50;
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

export interface Batch {
  readonly from: number;
  readonly tasks: ParsedTask[];
}

/** Batches that fit a transaction, by number and by bytes. */
export function batchesOf(parsed: readonly ParsedTask[]): Batch[] {
  const batches: Batch[] = [];
  let bytes = 0;
  for (const [from, each] of parsed.entries()) {
    const more =
      Buffer.byteLength(each.program.source) + Buffer.byteLength(JSON.stringify(each.task)) + rulesBytes(each) + 1_024;
    const last = batches.at(-1);
    if (last === undefined || last.tasks.length === BATCH_TASKS_MAX || bytes + more > BATCH_BYTES_MAX) {
      batches.push({ from, tasks: [each] });
      bytes = more;
    } else {
      last.tasks.push(each);
      bytes += more;
    }
  }
  return batches;
}

/** They are written a second time, into the index of events. */
const rulesBytes = ({ task: { on = [] } }: ParsedTask): number =>
  on.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(on));

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

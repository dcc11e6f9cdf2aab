/** Lists of tasks, of their runs and of dead letters: a page costs the same however many tasks there are. */
import type { Session } from './coordinator.ts';
import { CronkeeperError, received } from './errors.ts';
import { decodeChunk } from './history.ts';
import { launchId } from './launch.ts';
import { bucketNames, type Layout } from './layout.ts';
import { isRemoved, type RunRecord } from './record.ts';
import type { DeadLetter } from './settle.ts';
import { isLoaded, loadRecords } from './store.ts';
import { assertTaskId, invalidDocument } from './task.ts';
import { type DeadLetterView, type ListOptions, type Page, pageLimit, type RunsOptions } from './tasks.ts';
import { type QuarantinedView, type Run, runView, TASK_STATUSES, type TaskView, taskView } from './view.ts';

/** Buckets whose names are read at a time, and records that one page looks at, at most. */
const BUCKETS_AHEAD = 32;
const RECORDS_READ_MAX = 5_000;

export async function listTasks(
  session: Session,
  layout: Layout,
  options: ListOptions,
): Promise<Page<TaskView | QuarantinedView>> {
  const limit = pageLimit(options.limit);
  const matches = filterOf(options);
  const items: (TaskView | QuarantinedView)[] = [];
  let read = 0;
  for await (const { bucket, ids } of bucketsFrom(session, layout, options.cursor)) {
    const wanted = ids.filter((id) => id.startsWith(options.prefix ?? ''));
    for (let i = 0; i < wanted.length; i += limit) {
      const part = wanted.slice(i, i + limit);
      const views = await viewsOf(session, layout, part);
      read += part.length;
      for (const [k, view] of views.entries()) {
        if (view !== undefined && matches(view)) items.push(view);
        if (items.length === limit) return pageOf(items, cursorAt(bucket, part[k] as string));
      }
      if (read >= RECORDS_READ_MAX) return pageOf(items, cursorAt(bucket, part.at(-1) as string));
    }
  }
  return pageOf(items);
}

const cursorAt = (bucket: string, id: string): string => Buffer.from(`${bucket}/${id}`).toString('base64url');

const pageOf = (items: (TaskView | QuarantinedView)[], cursor?: string): Page<TaskView | QuarantinedView> => ({
  items: items.sort((a, b) => (a.id < b.id ? -1 : 1)),
  ...(cursor !== undefined && { cursor }),
});

/** Names of the tasks, sorted within their bucket, after the cursor. */
async function* bucketsFrom(session: Session, layout: Layout, cursor: string | undefined) {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const from = after === undefined ? 0 : bucketNames.indexOf(after.bucket);
  for (let i = from; i < bucketNames.length; i += BUCKETS_AHEAD) {
    const part = bucketNames.slice(i, i + BUCKETS_AHEAD);
    const names = await Promise.all(part.map((bucket) => session.children(layout.taskBucket(bucket))));
    for (const [k, bucket] of part.entries()) {
      const sorted = (names[k] ?? []).sort();
      yield { bucket, ids: after?.bucket === bucket ? sorted.filter((id) => id > after.id) : sorted };
    }
  }
}

function readCursor(cursor: string): { bucket: string; id: string } {
  const match = /^([0-9a-f]{2})\/(.+)$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match !== null) return { bucket: match[1] as string, id: match[2] as string };
  const message = `received ${received(cursor)}; allowed: the cursor of an earlier answer`;
  throw invalidDocument('request', [{ field: 'cursor', message }]);
}

async function viewsOf(session: Session, layout: Layout, ids: readonly string[]) {
  const found = await loadRecords(session, layout, ids);
  return found.map((loaded, i): TaskView | QuarantinedView | undefined => {
    if (loaded === undefined) return undefined;
    if (!isLoaded(loaded)) return { id: ids[i] as string, status: 'quarantined', problem: loaded.message };
    return isRemoved(loaded.record) ? undefined : taskView(loaded.record);
  });
}

function filterOf({ status, label }: ListOptions): (view: TaskView | QuarantinedView) => boolean {
  if (status !== undefined && !TASK_STATUSES.includes(status)) {
    const message = `received ${received(status)}; allowed: ${TASK_STATUSES.join(', ')}`;
    throw invalidDocument('request', [{ field: 'status', message }]);
  }
  const [name = '', value] = label?.split(/=(.*)/s) ?? [];
  return (view) => {
    if (status !== undefined && view.status !== status) return false;
    if (label === undefined) return true;
    if (view.status === 'quarantined') return false;
    const { labels } = view as TaskView;
    return Object.hasOwn(labels, name) && (value === undefined || labels[name] === value);
  };
}

export async function listDeadLetters(
  session: Session,
  layout: Layout,
  options: { readonly limit?: number },
): Promise<Page<DeadLetterView>> {
  const limit = pageLimit(options.limit);
  const items: DeadLetterView[] = [];
  for (let i = 0; i < bucketNames.length && items.length < limit; i += BUCKETS_AHEAD) {
    const part = bucketNames.slice(i, i + BUCKETS_AHEAD);
    const names = await Promise.all(part.map((bucket) => session.children(layout.deadBucket(bucket))));
    const paths = part.flatMap((bucket, k) => (names[k] ?? []).map((name) => `${layout.deadBucket(bucket)}/${name}`));
    const nodes = await session.getMany(paths.slice(0, limit - items.length));
    for (const node of nodes) if (node !== undefined) items.push(...readDeadLetter(node.data));
  }
  return { items };
}

function readDeadLetter(text: string): DeadLetterView[] {
  try {
    const { taskId, slotMs, code, input, run } = JSON.parse(text) as DeadLetter;
    return [{ launchId: launchId(taskId, slotMs), taskId, codeHash: code, input, run: runView(taskId, run) }];
  } catch {
    return []; // a node that is no dead letter is none
  }
}

/** The latest runs first: those in the record, then those in its chunks. A tombstone still has them. */
export async function listRuns(session: Session, layout: Layout, id: string, options: RunsOptions): Promise<Page<Run>> {
  assertTaskId(id);
  const limit = pageLimit(options.limit);
  const [found] = await loadRecords(session, layout, [id]);
  if (found === undefined) throw notFound(id);
  if (!isLoaded(found)) throw found;
  const { record } = found;
  const chunks = await session.getMany(record.chunks.map(({ index }) => layout.chunk(id, index)));
  const kept = [...record.runs, ...chunks.flatMap((node) => (node === undefined ? [] : decodeChunk(node.data)))];
  const runs = kept.slice(0, record.task.history);
  const from = options.cursor === undefined ? 0 : afterCursor(runs, options.cursor);
  const items = runs.slice(from, from + limit);
  const last = items.at(-1);
  const more = last !== undefined && from + limit < runs.length;
  return { items: items.map((run) => runView(id, run)), ...(more && { cursor: cursorOf(last) }) };
}

export const notFound = (id: string): CronkeeperError => new CronkeeperError('not-found', `task ${id} does not exist`);

const cursorOf = ({ slotMs, attempt, finishedMs }: RunRecord): string => `${finishedMs}-${slotMs}-${attempt}`;

/** Where the list goes on. Runs that came since are before it; if its own run is gone, what is older follows. */
function afterCursor(runs: readonly RunRecord[], cursor: string): number {
  const match = /^(\d{1,16})-(\d{1,16})-(\d{1,9})$/.exec(cursor);
  if (match === null) {
    const message = `received ${received(cursor)}; allowed: the cursor of an earlier answer`;
    throw invalidDocument('request', [{ field: 'cursor', message }]);
  }
  const index = runs.findIndex((run) => cursorOf(run) === cursor);
  if (index >= 0) return index + 1;
  const older = runs.findIndex((run) => run.finishedMs < Number(match[1]));
  return older < 0 ? runs.length : older;
}

/** Lists of tasks and of their runs: a page costs the same however many tasks there are. */
import type { Session } from './coordinator.ts';
import { assertTaskId, invalidDocument } from './document.ts';
import { CronkeeperError, received } from './errors.ts';
import { decodeChunk } from './history.ts';
import type { Layout } from './layout.ts';
import { isRemoved, type RunRecord, type TaskRecord } from './record.ts';
import { bucketNames } from './shard.ts';
import { isLoaded, loadRecords } from './store.ts';
import { type ListOptions, type Page, pageLimit, type RunsOptions } from './tasks.ts';
import { type QuarantinedView, type Run, runView, TASK_STATUSES, type TaskView, taskView } from './view.ts';

/** Buckets whose names are read at a time: one, which is a page where there are many tasks; more when it holds little. */
const BUCKETS_AHEAD = { first: 1, next: 8, most: 64 } as const;

/** Records that are read at a time at least where many may not match, and that one page looks at, at most. */
const RECORDS_AT_ONCE = 100;
const RECORDS_READ_MAX = 5_000;

export async function listTasks(
  session: Session,
  layout: Layout,
  options: ListOptions,
): Promise<Page<TaskView | QuarantinedView>> {
  const limit = pageLimit(options.limit);
  const matches = filterOf(options);
  const items: (TaskView | QuarantinedView)[] = [];
  const isFiltered = options.status !== undefined || options.label !== undefined;
  let size = isFiltered ? Math.max(limit, RECORDS_AT_ONCE) : limit;
  let read = 0;
  for await (const names of namesFrom(session, (bucket) => layout.taskBucket(bucket), options.cursor)) {
    const wanted = names.filter(({ id }) => id.startsWith(options.prefix ?? ''));
    for (let i = 0; i < wanted.length; ) {
      const part = wanted.slice(i, i + size);
      const views = await viewsOf(
        session,
        layout,
        part.map(({ id }) => id),
      );
      for (const [k, view] of views.entries()) {
        if (view !== undefined && matches(view)) items.push(view);
        if (items.length === limit) return pageOf(items, cursorAt(part[k] as Name));
      }
      i += part.length;
      size = Math.max(limit, RECORDS_AT_ONCE); // what was read was not enough: some are removed, or do not match
      read += part.length;
      if (read >= RECORDS_READ_MAX) return pageOf(items, cursorAt(part.at(-1) as Name));
    }
  }
  return pageOf(items);
}

/** A node, and the bucket it is in. */
export interface Name {
  readonly bucket: string;
  readonly id: string;
}

export const cursorAt = ({ bucket, id }: Name): string => Buffer.from(`${bucket}/${id}`).toString('base64url');

const pageOf = (items: (TaskView | QuarantinedView)[], cursor?: string): Page<TaskView | QuarantinedView> => ({
  items: items.sort((a, b) => (a.id < b.id ? -1 : 1)),
  ...(cursor !== undefined && { cursor }),
});

/** Names of nodes after the cursor, some buckets at a time, sorted within each. */
export async function* namesFrom(
  session: Session,
  pathOf: (bucket: string) => string,
  cursor: string | undefined,
  buckets: readonly string[] = bucketNames,
): AsyncGenerator<Name[], void> {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  let ahead: number = BUCKETS_AHEAD.first;
  for (let i = after === undefined ? 0 : Math.max(0, buckets.indexOf(after.bucket)); i < buckets.length; ) {
    const part = buckets.slice(i, i + ahead);
    const names = await Promise.all(part.map((bucket) => session.children(pathOf(bucket))));
    yield part.flatMap((bucket, k) => {
      const sorted = (names[k] ?? []).sort().map((id) => ({ bucket, id }));
      return after?.bucket === bucket ? sorted.filter(({ id }) => id > after.id) : sorted;
    });
    i += ahead;
    ahead = Math.min(Math.max(2 * ahead, BUCKETS_AHEAD.next), BUCKETS_AHEAD.most);
  }
}

function readCursor(cursor: string): Name {
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

/** The latest runs first: those in the record, then those in its chunks. A tombstone still has them. */
export async function listRuns(session: Session, layout: Layout, id: string, options: RunsOptions): Promise<Page<Run>> {
  assertTaskId(id);
  const limit = pageLimit(options.limit);
  const { runs } = await readRuns(session, layout, id);
  const from = options.cursor === undefined ? 0 : afterCursor(runs, options.cursor);
  const items = runs.slice(from, from + limit);
  const last = items.at(-1);
  const more = last !== undefined && from + limit < runs.length;
  return { items: items.map((run) => runView(id, run)), ...(more && { cursor: cursorOf(last) }) };
}

/** A task's record, or its tombstone, with the runs that it keeps. @throws CronkeeperError `not-found` */
export async function readRuns(
  session: Session,
  layout: Layout,
  id: string,
): Promise<{ record: TaskRecord; runs: RunRecord[] }> {
  const [found] = await loadRecords(session, layout, [id]);
  if (found === undefined) throw notFound(id);
  if (!isLoaded(found)) throw found;
  const { record } = found;
  const chunks = await session.getMany(record.chunks.map(({ index }) => layout.chunk(id, index)));
  const kept = [...record.runs, ...chunks.flatMap((node) => (node === undefined ? [] : decodeChunk(node.data)))];
  return { record, runs: kept.slice(0, record.task.history) };
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

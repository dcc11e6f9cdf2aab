/** What one does with tasks from a terminal. Each command asks, and says the result. */
import { stringify } from 'yaml';
import { sleep } from '../clock.ts';
import { CronkeeperError } from '../errors.ts';
import type { Tasks } from '../tasks.ts';
import type { QuarantinedView, Run, TaskStatus, TaskView } from '../view.ts';
import { collect, PAGE_MAX, sayMore } from './collect.ts';
import { type Context, connect } from './connection.ts';
import { SaidFailure } from './exit.ts';
import { printable } from './output.ts';
import { launchedBy, localTime, lookOf, nextText, relativeTo, roughly, runSummary } from './present.ts';
import { type Column, formatTable, oneLine } from './table.ts';

/** How often `run --wait` looks. */
const WAIT_POLL_MS = 250;

type AnyView = TaskView | QuarantinedView;

const isReadable = (view: AnyView): view is TaskView => view.status !== 'quarantined';

export interface ListFlags {
  readonly prefix?: string;
  readonly status?: TaskStatus;
  readonly label?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export async function list(context: Context, flags: ListFlags): Promise<void> {
  const { output, clock } = context;
  await using connection = await connect(context);
  const { limit, cursor, ...filters } = flags;
  const page = await collect(limit, cursor, (part) => connection.tasks.list({ ...filters, ...part }));
  const items = page.items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  output.result({ ...page, items }, () =>
    items.length === 0 ? 'no tasks' : formatTable(taskColumns(context, clock.now()), items),
  );
  sayMore(context, page.cursor);
}

function taskColumns({ output }: Context, nowMs: number): Column<AnyView>[] {
  const status = (cell: string, view: AnyView) =>
    view.status === 'active' ? cell : output.paint(view.status === 'quarantined' ? 'red' : 'dim', cell);
  const last = (cell: string, view: AnyView) =>
    isReadable(view) && view.lastRun !== null ? output.paint(lookOf(view.lastRun.status).colour, cell) : cell;
  return [
    { title: 'TASK', text: ({ id }) => id },
    { title: 'STATUS', text: (view) => view.status, paint: status },
    { title: 'SCHEDULE', text: (view) => (isReadable(view) ? launchedBy(view) : view.problem) },
    { title: 'NEXT', text: (view) => (isReadable(view) ? nextText(view, nowMs) : '') },
    { title: 'LAST RUN', text: (view) => (isReadable(view) ? lastRunText(view.lastRun, nowMs) : ''), paint: last },
  ];
}

const lastRunText = (run: Run | null, nowMs: number): string =>
  run === null ? '–' : `${lookOf(run.status).sign} ${relativeTo(nowMs, Date.parse(run.finishedAt))}`;

export async function get(context: Context, id: string): Promise<void> {
  await using connection = await connect(context);
  const view = await existing(connection.tasks, id);
  context.output.result(view, () => (isReadable(view) ? documentText(view, context.clock.now()) : problemText(view)));
}

const problemText = ({ id, problem }: QuarantinedView): string => `# quarantined: ${oneLine(problem)}\nid: ${id}`;

/** The task document, which `apply` takes as it is, under comments that say where the task stands. */
function documentText(view: TaskView, nowMs: number): string {
  const {
    codeHash,
    status,
    revision,
    createdAt,
    updatedAt,
    nextAt,
    launches,
    state,
    lastRun,
    deadLetters,
    backfill,
    ...document
  } = view;
  const lines = [
    `${status}; next ${nextText(view, nowMs)}`,
    `launches: ${launches}; dead letters: ${deadLetters}; last run: ${lastRunText(lastRun, nowMs)}`,
    ...(lastRun === null ? [] : [`  ${oneLine(runSummary(lastRun))}`]),
    ...(backfill === undefined ? [] : [`backfill: ${backfill.from} to ${backfill.to}; next ${backfill.next}`]),
    `state: ${JSON.stringify(state)}`,
    `revision ${revision}; created ${createdAt}; updated ${updatedAt}; code ${codeHash}`,
  ];
  const comments = lines.map((line) => `# ${line}`.trimEnd()).join('\n');
  return printable(`${comments}\n${stringify(document, { lineWidth: 0, blockQuote: 'literal' }).trimEnd()}`);
}

export interface RunsFlags {
  readonly limit: number;
  readonly cursor?: string;
}

export async function runs(context: Context, id: string, { limit, cursor }: RunsFlags): Promise<void> {
  const { output } = context;
  await using connection = await connect(context);
  const page = await collect(limit, cursor, (part) => connection.tasks.runs(id, part));
  output.result(page, () => (page.items.length === 0 ? 'no runs' : formatTable(runColumns(context), page.items)));
  sayMore(context, page.cursor);
}

function runColumns({ output }: Context): Column<Run>[] {
  return [
    { title: 'SLOT', text: ({ slot }) => localTime(slot) },
    {
      title: 'STATUS',
      text: ({ status }) => `${lookOf(status).sign} ${status}`,
      paint: (cell, { status }) => output.paint(lookOf(status).colour, cell),
    },
    { title: 'TRY', text: ({ attempt }) => (attempt === 0 ? '–' : String(attempt)), align: 'right' },
    { title: 'LATE', text: ({ lateMs }) => roughly(lateMs), align: 'right' },
    {
      title: 'TOOK',
      text: ({ durationMs, status }) => (status === 'skipped' ? '–' : roughly(durationMs)),
      align: 'right',
    },
    { title: 'RESULT', text: runSummary },
  ];
}

export interface RunFlags {
  readonly input?: unknown;
  readonly key?: string;
  /** ms */
  readonly wait?: number;
}

/** Asks for a launch; with `wait`, stays until its end is recorded. @throws SaidFailure unless it succeeded. */
export async function run(context: Context, id: string, flags: RunFlags): Promise<void> {
  const { output } = context;
  await using connection = await connect(context);
  const { wait: waitMs, ...request } = flags;
  const asked = await connection.tasks.run(id, request);
  if (waitMs === undefined) {
    output.result(asked, () => `launch ${asked.launchId} will run at the next tick`);
    return;
  }
  const ended = await ofLaunch(context, connection.tasks, id, asked.launchId, waitMs);
  output.result({ ...asked, run: ended }, () => formatTable(runColumns(context), [ended]));
  if (ended.status !== 'succeeded') throw new SaidFailure();
}

/** The last run of a launch, once there is one. */
async function ofLaunch({ clock }: Context, tasks: Tasks, id: string, launchId: string, waitMs: number): Promise<Run> {
  const untilMs = clock.elapsed() + waitMs;
  for (;;) {
    const { items } = await tasks.runs(id, { limit: PAGE_MAX });
    const last = items.find((item) => item.launchId === launchId);
    if (last !== undefined && last.retryAt === undefined) return last;
    if (clock.elapsed() > untilMs) {
      const state = last === undefined ? 'has not run' : `is to be tried again at ${last.retryAt}`;
      const hint = 'Is anything ticking? See "cronkeeper worker" and "cronkeeper tick".';
      throw new CronkeeperError('unavailable', `launch ${launchId} ${state} after ${roughly(waitMs)}. ${hint}`);
    }
    await sleep(clock, WAIT_POLL_MS);
  }
}

export async function pause(context: Context, id: string): Promise<void> {
  await using connection = await connect(context);
  const view = await connection.tasks.pause(id);
  context.output.result(view, () => `paused ${id}`);
}

export async function resume(context: Context, id: string): Promise<void> {
  await using connection = await connect(context);
  const view = await connection.tasks.resume(id);
  context.output.result(view, () => `resumed ${id}; next ${nextText(view, context.clock.now())}`);
}

export async function remove(context: Context, id: string): Promise<void> {
  await using connection = await connect(context);
  if (!(await connection.tasks.remove(id))) throw notFound(id);
  context.output.result({ id, removed: true }, () => `removed ${id}`);
}

async function existing(tasks: Tasks, id: string): Promise<AnyView> {
  const view = await tasks.get(id);
  if (view === undefined) throw notFound(id);
  return view;
}

const notFound = (id: string): CronkeeperError => new CronkeeperError('not-found', `task ${id} does not exist`);

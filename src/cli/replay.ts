/** `cronkeeper replay`: a recorded run again, in the sandbox of this machine, beside what is recorded of it. */
import { type Cronkeeper, openCronkeeper } from '../app.ts';
import { TASK_LIMITS } from '../document.ts';
import { endOf } from '../end.ts';
import { CronkeeperError } from '../errors.ts';
import type { Replay } from '../tasks.ts';
import type { Run } from '../view.ts';
import { assertDirect, type Context, keeperOptions } from './connection.ts';
import { readFileBounded } from './documents.ts';
import { SaidFailure } from './exit.ts';
import { localTime, lookOf, runSummary } from './present.ts';
import { type Column, formatTable, oneLine } from './table.ts';

/** Runs among which the latest that can be repeated is looked for; no task keeps more. */
const RUNS_MAX = TASK_LIMITS.historyMax;

export interface ReplayFlags {
  readonly launch?: string;
  readonly attempt?: number;
  /** Path of a file with JavaScript. */
  readonly code?: string;
  readonly input?: unknown;
}

/**
 * Says how the run went then and now. As it was, a run should take the same course; with other code or input, it should
 * succeed. @throws SaidFailure when it does not.
 */
export async function replay(context: Context, id: string, flags: ReplayFlags): Promise<void> {
  assertDirect(context, 'replay');
  const { output } = context;
  const { launch, code, ...options } = flags;
  const source = code === undefined ? {} : { code: await readFileBounded(code, TASK_LIMITS.codeBytesMax) };
  const keeper = await openCronkeeper(keeperOptions(context));
  try {
    const { launchId, ...attempt } = launch === undefined ? await latestRun(keeper, id, flags) : { launchId: launch };
    const replayed = await keeper.tasks.replay(id, launchId, { ...attempt, ...options, ...source });
    output.result(replayed, () => replayText(context, replayed));
    const isChanged = code !== undefined || Object.hasOwn(flags, 'input');
    if (!(isChanged ? replayed.outcome.status === 'succeeded' : replayed.same)) throw new SaidFailure();
  } finally {
    await keeper.close();
  }
}

async function latestRun(keeper: Cronkeeper, id: string, { attempt }: ReplayFlags) {
  const { items } = await keeper.tasks.runs(id, { limit: RUNS_MAX });
  const latest = items.find(
    (run) => run.codeHash !== undefined && run.notReplayable === undefined && (attempt ?? run.attempt) === run.attempt,
  );
  if (latest !== undefined) return { launchId: latest.launchId, attempt: latest.attempt };
  throw new CronkeeperError('not-found', `task ${id}: none of its ${items.length} recorded runs can be replayed`);
}

interface Row {
  readonly what: string;
  readonly run: Run;
}

function replayText(context: Context, { recorded, outcome, differences }: Replay): string {
  const { launchId, attempt, startedAt } = recorded;
  const { output: _, error: __, logs: ___, truncated: ____, retryAt: _____, ...launch } = recorded;
  const rows: Row[] = [
    { what: 'recorded', run: recorded },
    { what: 'replayed', run: { ...launch, ...endOf(outcome) } },
  ];
  const fields = differences.map(({ field }) => field).join(', ');
  return [
    `attempt ${attempt} at launch ${launchId}, ${localTime(startedAt)}`,
    formatTable(rowColumns(context), rows),
    fields === '' ? 'the same course' : `another course: ${fields}`,
    ...outcome.logs.map((line) => `| ${oneLine(line)}`),
  ].join('\n');
}

const rowColumns = ({ output }: Context): Column<Row>[] => [
  { title: 'RUN', text: ({ what }) => what },
  {
    title: 'STATUS',
    text: ({ run: { status } }) => `${lookOf(status).sign} ${status}`,
    paint: (cell, { run: { status } }) => output.paint(lookOf(status).colour, cell),
  },
  { title: 'RESULT', text: ({ run }) => runSummary(run) },
];

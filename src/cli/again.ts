/** `dead`, `redrive` and `backfill`: what failed for good, and what is launched again or belatedly. */
import { addressOf } from '../destination.ts';
import type { DeadLetterView, UndeliveredView } from '../tasks.ts';
import { collect, sayMore } from './collect.ts';
import { type Context, connect } from './connection.ts';
import { localTime, lookOf, runSummary } from './present.ts';
import { type Column, formatTable, oneLine } from './table.ts';

export interface DeadFlags {
  readonly limit: number;
  readonly cursor?: string;
}

export async function dead(context: Context, id: string | undefined, { limit, cursor }: DeadFlags): Promise<void> {
  const { output } = context;
  await using connection = await connect(context);
  const ofTask = id === undefined ? {} : { taskId: id };
  const page = await collect(limit, cursor, (part) => connection.tasks.deadLetters({ ...ofTask, ...part }));
  const columns: Column<DeadLetterView>[] = [
    { title: 'LAUNCH', text: ({ launchId }) => launchId },
    { title: 'FAILED', text: ({ run }) => localTime(run.finishedAt) },
    {
      title: 'RESULT',
      text: ({ run }) => runSummary(run),
      paint: (cell, { run }) => output.paint(lookOf(run.status).colour, cell),
    },
  ];
  output.result(page, () => (page.items.length === 0 ? 'no dead letters' : formatTable(columns, page.items)));
  sayMore(context, page.cursor);
}

/** Messages that no destination has taken. */
export async function undelivered(context: Context, { limit, cursor }: DeadFlags): Promise<void> {
  const { output } = context;
  await using connection = await connect(context);
  const page = await collect(limit, cursor, (part) => connection.tasks.undelivered(part));
  const columns: Column<UndeliveredView>[] = [
    { title: 'MESSAGE', text: ({ message }) => message.idempotencyKey },
    { title: 'FOR', text: ({ destination }) => addressOf(destination) },
    { title: 'TRIES', text: ({ attempts }) => String(attempts), align: 'right' },
    { title: 'PROBLEM', text: ({ problem }) => oneLine(problem) },
  ];
  output.result(page, () => (page.items.length === 0 ? 'nothing was given up' : formatTable(columns, page.items)));
  sayMore(context, page.cursor);
}

export async function redrive(context: Context, id: string, launchId: string | undefined): Promise<void> {
  await using connection = await connect(context);
  const redriven = await connection.tasks.redrive(id, launchId);
  const { launches, left } = redriven;
  context.output.result(redriven, () =>
    [
      ...launches.map((launch) => `launch ${launch.launchId} will repeat ${launch.redriveOf} at the next tick`),
      ...(launches.length === 0 ? ['nothing was redriven'] : []),
      ...(left > 0 ? [`dead letters left: ${left}`] : []),
    ].join('\n'),
  );
}

export interface BackfillFlags {
  readonly from: string;
  readonly to: string;
  readonly key?: string;
}

export async function backfill(context: Context, id: string, flags: BackfillFlags): Promise<void> {
  await using connection = await connect(context);
  const asked = await connection.tasks.backfill(id, flags);
  const { count, from, to } = asked;
  context.output.result(asked, () =>
    count === 0 ? `no slots from ${from} to ${to}` : `${count} slots from ${from} to ${to} begin with the next tick`,
  );
}

/** `cronkeeper verify`: do the records of all tasks add up? */
import { openCronkeeper } from '../app.ts';
import type { NotProven, TaskProblem, Verification, VerifyOptions } from '../verification.ts';
import { assertDirect, type Context, keeperOptions } from './connection.ts';
import { SaidFailure } from './exit.ts';
import { localTime } from './present.ts';
import { type Column, formatTable } from './table.ts';

/** @throws SaidFailure when a slot is missing, doubled or unexpected. */
export async function verify(context: Context, options: VerifyOptions): Promise<void> {
  assertDirect(context, 'verify');
  const keeper = await openCronkeeper(keeperOptions(context));
  try {
    const verification = await keeper.verify(options);
    context.output.result(verification, () => verificationText(context, verification));
    if (!verification.holds) throw new SaidFailure();
  } finally {
    await keeper.close();
  }
}

function verificationText(context: Context, verification: Verification): string {
  const { holds, tasks, slots, launched, skipped, open, problems, notProven, to } = verification;
  const found = `${counted(slots, 'slot')} of ${counted(tasks, 'task')} up to ${localTime(to)}`;
  const became = `${launched} launched, ${skipped} skipped, ${open} to be tried again`;
  const extent = notProven.length === 0 ? '' : 'as far as can be proven, ';
  const verdict = holds
    ? context.output.paint('green', `✓ ${extent}every slot that was decided has one record`)
    : context.output.paint('red', `✗ the records do not add up: ${counted(problems.length, 'problem')}`);
  const tables = [
    ...(problems.length === 0 ? [] : [formatTable(problemColumns(context), problems)]),
    ...(notProven.length === 0 ? [] : [formatTable(NOT_PROVEN_COLUMNS, notProven)]),
  ];
  return [`${found}: ${became}`, ...tables, verdict].join(tables.length === 0 ? '\n' : '\n\n');
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const problemColumns = ({ output }: Context): Column<TaskProblem>[] => [
  { title: 'TASK', text: ({ taskId }) => taskId },
  { title: 'SLOT', text: ({ slot }) => localTime(slot) },
  {
    title: 'PROBLEM',
    text: ({ problem }) => problem,
    paint: (cell, { problem }) => output.paint(problem === 'overdue' ? 'yellow' : 'red', cell),
  },
  { title: 'WHY', text: ({ detail }) => detail },
];

const NOT_PROVEN_COLUMNS: readonly Column<NotProven>[] = [
  { title: 'TASK', text: ({ taskId }) => taskId },
  { title: 'PROVEN SINCE', text: ({ since }) => (since === undefined ? 'never' : localTime(since)) },
  { title: 'WHY NOT EARLIER', text: ({ reason }) => reason },
];

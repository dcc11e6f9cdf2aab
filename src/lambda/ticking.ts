/** A tick within an invocation: it ends by itself before the function does, and every run of it is a line in the log. */
import type { Context } from 'aws-lambda';
import type { Cronkeeper } from '../app.ts';
import { messageOf } from '../errors.ts';
import { launchId } from '../launch.ts';
import type { Log, LogFields } from '../log.ts';
import type { RunRecord } from '../record.ts';
import type { TickReport } from '../report.ts';
import { EARLY_MS } from './stack.ts';

/** Kept back from the function's time for what is not the tick: so it ends by itself before {@link EARLY_MS} strikes. */
const RESERVE_MS = 2 * EARLY_MS;

/** One invocation of a function, and how it works. */
export interface Invocation<Keeper> {
  readonly keeper: Keeper;
  readonly log: Log;
  readonly context: Context;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** Of ticks that were asked for without saying how long. */
  readonly lingerMs: number;
}

/** What is left for work, ms; 0 when the time is over. */
export const budgetMs = ({ context }: Pick<Invocation<unknown>, 'context'>): number =>
  Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MS);

export async function tickNow(
  invocation: Invocation<Pick<Cronkeeper, 'tick'>>,
  lingerMs = invocation.lingerMs,
): Promise<TickReport> {
  const { keeper, log, signal } = invocation;
  const report = await keeper.tick({
    lingerMs,
    budgetMs: budgetMs(invocation),
    signal,
    onRun: (taskId, run) => log('info', 'run', runFields(taskId, run)),
  });
  log('info', 'tick', { ...report });
  return report;
}

/**
 * So that what was asked for is launched at once, if its shard is free; else its holder has heard of it. Not for the
 * tick's own sake: what it does not get done stays due.
 */
export async function tickAfter(invocation: Invocation<Pick<Cronkeeper, 'tick'>>): Promise<TickReport | undefined> {
  if (budgetMs(invocation) === 0) return undefined;
  try {
    return await tickNow(invocation, 0);
  } catch (error) {
    invocation.log('warn', 'tick failed; what was asked for is left to the next one', { error: messageOf(error) });
    return undefined;
  }
}

/** What is worth a line. Not what the task printed or returned: that is in its record, for those who may read it. */
function runFields(taskId: string, run: RunRecord): LogFields {
  const { slotMs, startedMs, finishedMs, attempt, status, fence, count, reason, error } = run;
  return {
    ...{ taskId, launchId: launchId(taskId, slotMs), status, attempt, fence },
    ...{ lateMs: startedMs - slotMs, durationMs: finishedMs - startedMs },
    ...(count !== undefined && { count }),
    ...(reason !== undefined && { reason }),
    ...(error !== undefined && { error: `${error.class}: ${error.name}: ${error.message}` }),
  };
}

/** A tick within an invocation: it ends by itself before the function does, and every run of it is a line in the log. */
import type { Context } from 'aws-lambda';
import type { Cronkeeper } from '../app.ts';
import { uniqueToken } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { launchId } from '../launch.ts';
import { type LogFields, withFields } from '../log.ts';
import type { RunRecord } from '../record.ts';
import type { TickReport } from '../report.ts';
import type { TickOptions } from '../tick.ts';
import { EARLY_MS, type Stack } from './stack.ts';

/** Kept back from the function's time for what is not the tick: so it ends by itself before {@link EARLY_MS} strikes. */
const RESERVE_MS = 2 * EARLY_MS;

/** One invocation of a function, and how it works. */
export interface Invocation<Keeper> {
  readonly keeper: Keeper;
  readonly stack: Pick<Stack, 'log' | 'metrics'>;
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
  only: Pick<TickOptions, 'tasks'> = {},
): Promise<TickReport> {
  const { keeper, signal } = invocation;
  const { metrics } = invocation.stack;
  const tickId = uniqueToken();
  // In every line of the tick, and in the locks that it has: so who looks at one finds the other.
  const log = withFields(invocation.stack.log, { tickId });
  const onRun = (taskId: string, run: RunRecord) => {
    log('info', 'run', runFields(taskId, run));
    metrics?.ran(taskId, run);
  };
  try {
    const report = await keeper.tick({
      ...only,
      lingerMs,
      budgetMs: budgetMs(invocation),
      signal,
      holder: tickId,
      onRun,
    });
    log('info', 'tick', { ...report });
    metrics?.ticked(report);
    return report;
  } catch (error) {
    metrics?.failed();
    throw error;
  }
}

/**
 * So that what was asked of tasks is launched at once, if their shards are free; else their holder has heard of it. Not
 * for the tick's own sake: what it does not get done stays due. It leaves all other shards alone: the minute's tick, should
 * it come just now, takes them and stays.
 */
export async function tickAfter(
  invocation: Invocation<Pick<Cronkeeper, 'tick'>>,
  tasks: readonly string[],
): Promise<TickReport | undefined> {
  if (tasks.length === 0 || budgetMs(invocation) === 0) return undefined;
  try {
    return await tickNow(invocation, 0, { tasks });
  } catch (error) {
    invocation.stack.log('warn', 'tick failed; what was asked for is left to the next one', {
      error: messageOf(error),
    });
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

/** The tick as a Lambda handler: an event in, a report out, a line in the log for every run. */
import middy, { type MiddyHandlerObject } from '@middy/core';
import type { Context } from 'aws-lambda';
import { CronkeeperError, isCronkeeperError, messageOf } from '../errors.ts';
import { launchId } from '../launch.ts';
import type { LogFields } from '../log.ts';
import type { RunRecord } from '../record.ts';
import type { TickReport } from '../report.ts';
import { directTrigger } from '../trigger/direct.ts';
import { scheduleTrigger } from '../trigger/schedule.ts';
import { commandOf } from '../trigger.ts';
import { EARLY_MS, type HandlerOptions, warm } from './warm.ts';

const TRIGGERS = [scheduleTrigger, directTrigger];

/** Kept back from the function's time for what is not the tick: so it ends by itself before {@link EARLY_MS} strikes. */
const RESERVE_MS = 1_000;

export interface TickHandlerOptions extends HandlerOptions<'tick'> {
  /** For events that say nothing of it. Default: CRONKEEPER_LINGER_MS. */
  readonly lingerMs?: number;
}

export type TickHandler = (event: unknown, context: Context) => Promise<TickReport>;

/** @throws CronkeeperError `invalid` at once, when neither options nor environment say where the tasks are. */
export function createTickHandler({ lingerMs, ...options }: TickHandlerOptions = {}): TickHandler {
  const { keeper, config, log } = warm(options);

  const handle = async (event: unknown, context: Context, { signal }: MiddyHandlerObject): Promise<TickReport> => {
    const command = commandOf(event, TRIGGERS);
    // Connecting is a part of the tick, and so of what the budget and the early end bound.
    const report = await (await keeper()).tick({
      lingerMs: command.lingerMs ?? lingerMs ?? config.lingerMs,
      budgetMs: Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MS),
      signal,
      onRun: (taskId, run) => log('info', 'run', runFields(taskId, run)),
    });
    log('info', 'tick', { ...report });
    return report;
  };
  return middy(handle, { timeoutEarlyInMillis: EARLY_MS, timeoutEarlyResponse: tooLate }).onError(({ error }) => {
    log('error', 'tick failed', { code: isCronkeeperError(error) ? error.code : 'internal', error: messageOf(error) });
  });
}

const tooLate = (): never => {
  throw new CronkeeperError('unavailable', `the tick did not end ${EARLY_MS} ms before the function's time-out`);
};

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

/** Why a task that is due cannot run here: what a tick reports, and leaves alone. */
import { formatDuration } from './duration.ts';
import { CronkeeperError } from './errors.ts';

export const neverStarts = (taskId: string, timeoutMs: number, timeoutMsMax: number): CronkeeperError =>
  new CronkeeperError(
    'invalid',
    `task ${taskId}: its timeout of ${formatDuration(timeoutMs)} never fits: a tick here has room for ${Math.max(0, Math.floor(timeoutMsMax))} ms`,
  );

export const missingCode = (taskId: string, hash: string): CronkeeperError =>
  new CronkeeperError('corrupt', `task ${taskId}: its code ${hash} is not in the registry; put the task again`);

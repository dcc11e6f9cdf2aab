import { CronkeeperError } from '../../src/errors.ts';

/** The CronkeeperError that `act` throws. Anything else, or nothing, fails the test. */
export function errorOf(act: () => unknown): CronkeeperError {
  try {
    act();
  } catch (error) {
    if (error instanceof CronkeeperError) return error;
    throw error;
  }
  throw new Error('expected a CronkeeperError; nothing was thrown');
}

/** What is around every handler: the early end, and the one place where what went wrong is said. */
import middy, { type MiddyHandlerObject } from '@middy/core';
import type { Context } from 'aws-lambda';
import { CronkeeperError, isCronkeeperError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * Lambda freezes or ends a function at its time-out, in the middle of whatever it does. So much earlier the handler
 * gives up by itself, with an error that says so.
 */
export const EARLY_MS = 500;

export type Handler<Result> = (event: unknown, context: Context) => Promise<Result>;

export type Handle<Result> = (event: unknown, context: Context, options: MiddyHandlerObject) => Promise<Result>;

export interface StackOptions<Result> {
  /** What the function is for, in messages. */
  readonly name: string;
  readonly log: Log;
  /** Answered where the time is over. Default: an error, so that Lambda sees one. */
  readonly tooLate?: () => Result;
}

/** Connecting is a part of what is handled: middy ends early what it waits for here, and nothing that comes before. */
export function stacked<Result>({ name, log, tooLate }: StackOptions<Result>, handle: Handle<Result>): Handler<Result> {
  const giveUp = (): never => {
    throw new CronkeeperError('unavailable', `the ${name} did not end ${EARLY_MS} ms before the function's time-out`);
  };
  return middy(handle, { timeoutEarlyInMillis: EARLY_MS, timeoutEarlyResponse: tooLate ?? giveUp }).onError(
    ({ error }) => {
      log('error', `${name} failed`, {
        code: isCronkeeperError(error) ? error.code : 'internal',
        error: messageOf(error),
      });
    },
  );
}

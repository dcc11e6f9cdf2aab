/** How a command ends: its exit code, and what is said of an error. */
import { CommanderError } from 'commander';
import { isCronkeeperError, messageOf } from '../errors.ts';

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Wrong usage that shows only when several flags, or the environment, are seen together. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Calls what checks arguments: what it finds invalid is wrong usage. */
export function usage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw isCronkeeperError(error, 'invalid') ? new UsageError(error.message) : error;
  }
}

/** The result was said, and it is a failure: there is nothing to add. */
export class SaidFailure extends Error {
  override readonly name = 'SaidFailure';
}

/** Commander ends by errors too, also after `--help`; it has said what it had to say. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** What is to be said of an error; undefined when it was said already. */
export function errorText(error: unknown): string | undefined {
  if (error instanceof CommanderError || error instanceof SaidFailure) return undefined;
  const hint = isCronkeeperError(error, 'unavailable') ? '\n"cronkeeper doctor" looks into it' : '';
  return `error: ${messageOf(error)}${hint}`;
}

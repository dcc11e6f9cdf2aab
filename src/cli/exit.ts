/** How a command ends: its exit code, and what is said of an error. */
import { CommanderError } from 'commander';
import { isCronkeeperError, messageOf } from '../errors.ts';

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** The result was said, and it is a failure: there is nothing to add. */
export class SaidFailure extends Error {
  override readonly name = 'SaidFailure';
}

/** The command was understood; what it was given to store was not accepted. */
export class RefusedDocuments extends Error {
  override readonly name = 'RefusedDocuments';
}

/** Commander ends by errors too, even after `--help`. What is `invalid` came by a flag, an argument or the environment. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return isCronkeeperError(error, 'invalid') ? EXIT.usage : EXIT.failed;
}

/** What is to be said of an error; undefined when it was said already. */
export function errorText(error: unknown): string | undefined {
  if (error instanceof CommanderError || error instanceof SaidFailure) return undefined;
  const hint = isCronkeeperError(error, 'unavailable') ? '\n"cronkeeper doctor" looks into it' : '';
  return `error: ${messageOf(error)}${hint}`;
}

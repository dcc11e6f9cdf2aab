/** Runs the command line of this process, to its exit code. */
import { userInfo } from 'node:os';
import { principalOf } from '../audit.ts';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { type CronkeeperError, isCronkeeperError } from '../errors.ts';
import type { Context, GlobalFlags } from './connection.ts';
import { EXIT, errorText, exitCodeOf } from './exit.ts';
import { createOutput, printable } from './output.ts';
import { createProgram } from './program.ts';

const program = createProgram({ context, contextOrError, output });

function output() {
  return createOutput(program.opts<GlobalFlags>().json === true, process);
}

function context(): Context {
  const principal = principalOf('local', userName());
  return { flags: program.opts<GlobalFlags>(), config: readConfig(), output: output(), clock: systemClock, principal };
}

/** A container may run as a user whom nobody has given a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

function contextOrError(): Context | CronkeeperError {
  try {
    return context();
  } catch (error) {
    if (isCronkeeperError(error, 'invalid')) return error;
    throw error;
  }
}

/** What went wrong was said on stderr; the exit code is 0 done, 1 failed, 2 wrong usage. */
export async function main(): Promise<void> {
  // Whoever reads our output may have enough of it, as `head` does: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.done);
  });
  try {
    await program.parseAsync();
  } catch (error) {
    const text = errorText(error);
    if (text !== undefined) process.stderr.write(`${printable(text)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

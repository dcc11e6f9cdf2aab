#!/usr/bin/env node
/** The `cronkeeper` command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { type Context, configOrUsage, type GlobalFlags } from './cli/connection.ts';
import { EXIT, errorText, exitCodeOf, UsageError } from './cli/exit.ts';
import { createOutput } from './cli/output.ts';
import { createProgram } from './cli/program.ts';
import { systemClock } from './clock.ts';

const program = createProgram({ context, contextOrError, output });

function output() {
  return createOutput(program.opts<GlobalFlags>().json === true, process);
}

function context(): Context {
  return { flags: program.opts<GlobalFlags>(), config: configOrUsage(), output: output(), clock: systemClock };
}

function contextOrError(): Context | UsageError {
  try {
    return context();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

// Whoever reads our output may have enough of it, as `head` does: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
});

try {
  await program.parseAsync();
} catch (error) {
  const text = errorText(error);
  if (text !== undefined) process.stderr.write(`${text}\n`);
  process.exitCode = exitCodeOf(error);
}

/** The `cronkeeper` command as a child process, in a directory and an environment of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../contract/coordinator/world.ts';

/** Bundled once for all tests, as an installed package has it. */
const BUNDLED_CLI = 'CRONKEEPER_TEST_CLI';
const script = process.env[BUNDLED_CLI] ?? fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface CliOptions {
  /** Where relative paths, and the default database, are. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of the developer's own settings, and times in UTC. */
const environment = (env: CliOptions['env']): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TZ: 'UTC',
  ...env,
});

const start = (args: readonly string[], { cwd, env }: CliOptions): ChildProcess =>
  spawn(process.execPath, [script, ...args], { cwd, env: environment(env), stdio: 'pipe' });

/** Runs a command to its end. */
export async function cli(args: readonly string[], options: CliOptions & { readonly stdin?: string }): Promise<Ended> {
  const child = start(args, options);
  child.stdin?.end(options.stdin ?? '');
  const [stdout, stderr, [code, signal]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code ?? signal, stdout, stderr };
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** A command that goes on until it is stopped. */
export class Running {
  readonly child: ChildProcess;
  readonly out: string[] = [];
  readonly err: string[] = [];
  /** Exit code, or the signal that ended it. */
  readonly gone: Promise<unknown>;

  constructor(args: readonly string[], options: CliOptions) {
    this.child = start(args, options);
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.child[name];
      if (stream === null) throw new Error(`no ${name}`);
      createInterface({ input: stream }).on('line', (line) => this[name === 'stdout' ? 'out' : 'err'].push(line));
    }
    // Not `exit`: what it said last may not have been read by then.
    this.gone = once(this.child, 'close').then(([code, signal]: unknown[]) => code ?? signal);
  }

  /** The first line, on stdout or stderr, that matches. */
  async line(pattern: RegExp): Promise<string> {
    const find = () => [...this.out, ...this.err].find((line) => pattern.test(line));
    await eventually(`a line matches ${pattern}`, () => {
      if (this.child.exitCode !== null && find() === undefined) throw new Error(`it ended: ${this.err.join('\n')}`);
      return find() !== undefined;
    });
    return find() ?? '';
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> {
    this.child.kill(signal);
    return this.gone;
  }
}

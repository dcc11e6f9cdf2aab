/** A program in a process of its own, timed from its start until it says that it is done. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a timed program writes, on a line of its own, when that has happened which is being timed. */
export const DONE = '<done>';

/** One that takes longer hangs. */
const CHILD_MS_MAX = 60_000;
const ERROR_CHARS = 2000;

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Of Node's own. */
  readonly flags?: readonly string[];
  /** All of its environment: the settings of whoever measures are not measured. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Child {
  /** From the call that starts the process. */
  readonly doneMs: number;
  readonly stdout: string;
}

/** Resolves when the process is gone. Rejects when it failed, or never was done. */
export async function timeChild(
  script: string,
  { args = [], flags = [], env = {} }: ChildOptions = {},
): Promise<Child> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...flags, script, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CHILD_MS_MAX,
  });
  let doneMs: number | undefined;
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    if (stdout.includes(DONE)) doneMs ??= performance.now() - startedAt;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = await once(child, 'close');
  if (code === 0 && doneMs !== undefined) return { doneMs, stdout };
  throw new Error(`${script} ended with ${code ?? signal}: ${stderr.slice(-ERROR_CHARS)}`);
}

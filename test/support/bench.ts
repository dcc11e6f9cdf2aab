/** `npm run bench` as a child process, and what it prints. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectRoot } from '../../tools/imports.ts';

export interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

export async function bench(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(projectRoot, 'bench/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

/** Names of the rows that have a number. */
export const measuredRows = (stdout: string): (string | undefined)[] =>
  stdout
    .split('\n')
    .map((line) => line.split(/ {2,}/))
    .filter(([, median = '', range = '']) => /^-?[\d.,]+$/.test(median) && range === `${median} to ${median}`)
    .map(([name]) => name);

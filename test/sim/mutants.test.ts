/** The simulation finds bugs that others have had, or that we might: each of them planted, one at a time. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { MUTANTS } from './mutants/list.ts';
import type { Totals } from './totals.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const APPLY = new URL('./mutants/apply.ts', import.meta.url).href;
const SEEDS = 60;
const START = 1;
/** Others have the other processor, and some of them look at the time. */
const AT_A_TIME = 1;
const TIMEOUT_MS = 10 * 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

interface Ran {
  readonly code: number;
  readonly totals: Totals;
}

/** With a bug. Without one, `sim.test.ts` holds the same worlds, among others. */
async function run(mutant: string): Promise<Ran> {
  const flags = ['--json', '--until-failure', '--no-shrink', '--seeds', String(SEEDS), '--start', String(START)];
  const env = { ...process.env, CRONKEEPER_SIM_MUTANT: mutant };
  const options = { env, maxBuffer: OUTPUT_BYTES_MAX };
  const { code = 0, stdout } = (await promisify(execFile)(
    process.execPath,
    ['--no-warnings', '--import', APPLY, MAIN, ...flags],
    options,
  ).catch((error: { code: number; stdout: string; stderr: string }) => {
    if (error.stdout === '') throw new Error(error.stderr);
    return error;
  })) as { code?: number; stdout: string };
  return { code, totals: JSON.parse(stdout) as Totals };
}

describe('what would go unnoticed if the simulation were blind', () => {
  const told: string[] = [];
  const running = new Map<string, Promise<Ran>>();
  const waiting = MUTANTS.map(({ name }) => name);

  /** So many run at a time, whichever test waits for them. */
  function start(name: string): Promise<Ran> {
    const known = running.get(name) ?? run(name);
    running.set(name, known);
    const ahead = waiting.slice(waiting.indexOf(name), waiting.indexOf(name) + AT_A_TIME);
    for (const next of ahead) {
      if (running.has(next)) continue;
      const early = run(next);
      early.catch(() => undefined); // its own test tells
      running.set(next, early);
    }
    return known;
  }

  afterAll(() => {
    console.log(told.join('\n'));
  });

  test.each(MUTANTS)(
    '$name: $what',
    async ({ name }) => {
      const { code, totals } = await start(name);
      const [failure] = totals.failures;
      const [first = ''] = failure?.violations ?? [];
      expect({ code, first }).toEqual({ code: 1, first: expect.stringMatching(/^I\d+: /) });
      told.push(`mutant ${name}: caught at seed ${failure?.seed} by ${first.split(':')[0]}`);
    },
    TIMEOUT_MS,
  );
});

/**
 * The whole engine against everything that can go wrong, in worlds that a seed repeats. What is held in each of them is in
 * `invariants/`.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { Totals } from './totals.ts';
import type { YearReport } from './year.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const TIMEOUT_MS = 15 * 60_000;
/** Others have the other one, and some of them look at the time. */
const ONE_PROCESSOR = ['--jobs', '1'];
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** What the command says, though it ends with 1. */
async function run<T>(...flags: readonly string[]): Promise<T> {
  const output = await promisify(execFile)(process.execPath, ['--no-warnings', MAIN, '--json', ...flags], {
    maxBuffer: OUTPUT_BYTES_MAX,
  }).catch((error: { stdout: string; stderr: string }) => {
    if (error.stdout === '') throw new Error(error.stderr);
    return error;
  });
  return JSON.parse(output.stdout) as T;
}

type Ran = Totals & { readonly start: number; readonly faultCount: number; readonly hashes: readonly string[] };

describe('whatever goes wrong, in worlds of a seed', () => {
  test(
    'nothing is lost, recorded twice, stuck or begun again without a reason',
    async () => {
      const ran = await run<Ran>('--seeds', '990', '--start', '1', ...ONE_PROCESSOR);
      expect(ran.failures).toEqual([]);
      expect(ran.seeds).toBe(990);
      expect(ran.faultCount).toBeGreaterThan(10_000);
      expect(ran.reruns).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test(
    'nor in worlds that nobody has seen before',
    async () => {
      const ran = await run<Ran>('--seeds', '10', '--fresh', ...ONE_PROCESSOR);
      console.log(`fresh seeds from ${ran.start}`);
      expect({ start: ran.start, failures: ran.failures }).toEqual({ start: ran.start, failures: [] });
      expect(ran.faultCount).toBeGreaterThan(80);
    },
    TIMEOUT_MS,
  );

  test(
    'the same seed twice is the same history',
    async () => {
      const flags = ['--seeds', '5', '--start', '40', ...ONE_PROCESSOR];
      const [first, second] = [await run<Ran>(...flags), await run<Ran>(...flags)];
      expect(first.hashes).toHaveLength(5);
      expect(second.hashes).toEqual(first.hashes);
      expect(new Set(first.hashes).size).toBe(5);
    },
    TIMEOUT_MS,
  );

  test(
    'a year with its changes of daylight saving time loses no slot, and leaves nothing behind',
    async () => {
      const year = await run<YearReport>('--year');
      expect(year.violations).toEqual([]);
      expect(year.slots).toBeGreaterThan(6_000);
      expect(year.ticks).toBeGreaterThan(1_400);
    },
    TIMEOUT_MS,
  );
});

/** A resident worker meets hostile code for weeks: nothing of it may pile up in the process, or keep it from ending. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import type { Soaked } from './soak.ts';

const RUNS = 1000;
const SOAK_TIMEOUT_MS = 4 * 60_000;
/** Generous: what garbage there is depends on the moment. A leak of one buffer per run would be far above. */
const GROWTH_BYTES_MAX = 128 * 1024 * 1024;

let soaked: Soaked;

beforeAll(async () => {
  const script = fileURLToPath(new URL('./soak.ts', import.meta.url));
  const options = { timeout: SOAK_TIMEOUT_MS, env: { ...process.env, NODE_OPTIONS: '' } };
  // It is killed when it does not end by itself, and that is an error here.
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, `${RUNS}`], options);
  soaked = JSON.parse(stdout) as Soaked;
}, SOAK_TIMEOUT_MS);

test('a thousand hostile runs in a row end, and show nothing of the environment or the files of the host', () => {
  expect(soaked).toMatchObject({ runs: RUNS, faults: [] });
});

test('memory does not grow from run to run', () => {
  expect(soaked.last.rssBytes - soaked.warm.rssBytes).toBeLessThan(GROWTH_BYTES_MAX);
});

test('no thread, port, timer or listener is left over from a run', () => {
  const { rssBytes: _, ...warm } = soaked.warm;
  expect(soaked.last).toMatchObject(warm);
});

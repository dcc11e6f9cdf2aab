/**
 * The isolation between runs is that memory is set back. So after each hostile run every byte of it is compared, and
 * not only what a task could see.
 */
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ALL_CASES } from './corpus.ts';
import type { FromMemoryWorker } from './memory-worker.ts';

/** A case that says nothing for so long hangs where only force helps; its memory is gone with its thread. */
const HUNG_MS = 500;
const START_MS = 30_000;
const SUITE_TIMEOUT_MS = 5 * 60_000;
/** The same as the evaluator's own threads have. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, stackSizeMb: 4 };
const COMPARED_MIN = 450;

type Compared = Extract<FromMemoryWorker, { type: 'compared' }>;

const results = new Map<number, Compared>();
const seenOnPurpose: string[] = [];
let worker: Worker | undefined;

/** Compares from this case on, until one hangs or there are no more; the next case to go on with. */
function compareFrom(index: number): Promise<number> {
  const thread = new Worker(new URL('./memory-worker.ts', import.meta.url), {
    workerData: index,
    env: {},
    execArgv: [],
    resourceLimits: RESOURCE_LIMITS,
  });
  worker = thread;
  let next = index;
  return new Promise((resolve, reject) => {
    const hung = () => void thread.terminate();
    let timer = setTimeout(hung, START_MS);
    thread.on('message', (message: FromMemoryWorker) => {
      clearTimeout(timer);
      timer = setTimeout(hung, HUNG_MS);
      if (message.type === 'ready') {
        seenOnPurpose.push(...message.sees);
        return;
      }
      results.set(message.index, message);
      next = message.index + 1;
    });
    thread.on('error', reject);
    thread.on('exit', () => {
      clearTimeout(timer);
      resolve(next < ALL_CASES.length ? next + 1 : next);
    });
  });
}

beforeAll(async () => {
  for (let index = 0; index < ALL_CASES.length; ) index = await compareFrom(index);
}, SUITE_TIMEOUT_MS);

afterAll(() => worker?.terminate());

test('no byte of memory, and no global, is another one after a hostile run', () => {
  const different = [...results.values()].filter(({ differences }) => differences.length > 0);
  expect(different.map(({ index, differences }) => [ALL_CASES[index]?.name, ...differences])).toEqual([]);
});

test('one byte that is another one would have been seen', () => {
  expect(seenOnPurpose[0]).toMatch(/^byte \d+ is 1, not 0$/);
});

test('nearly all cases were compared, in memory that was used again', () => {
  expect(results.size).toBeGreaterThanOrEqual(COMPARED_MIN);
  const inUsedMemory = [...results.values()].filter(({ isNew }) => !isNew);
  expect(inUsedMemory.length).toBeGreaterThanOrEqual(COMPARED_MIN);
});

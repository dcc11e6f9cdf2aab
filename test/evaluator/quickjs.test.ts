/** The evaluator contract on QuickJS, and what only this implementation has: a pinned engine, threads, a library face. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readEngine } from '../../src/evaluator/assets.ts';
import { createQuickJsEvaluator } from '../../src/evaluator/quickjs.ts';
import { softMemory } from '../../src/evaluator/soft-memory.ts';
import { Bench, runOf } from '../contract/evaluator/bench.ts';
import { evaluatorContract } from '../contract/evaluator.ts';

evaluatorContract('QuickJS in one worker', () => createQuickJsEvaluator());

describe('the engine', () => {
  let engine: Buffer;
  beforeAll(async () => {
    engine = await readEngine();
  });

  test('is the one that was measured, patched and attacked: a new one needs all of that again', () => {
    expect(createHash('sha256').update(engine).digest('hex')).toBe(
      'd4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9',
    );
  });

  test('is refused when its allocator is not the one that the patch knows', () => {
    const other = Buffer.from(engine);
    other[other.indexOf(Buffer.from([0x3f, 0x00, 0x41, 0x10, 0x74]))] = 0x01;
    expect(() => softMemory(other, 1024)).toThrow(/not the engine.*2 × memory\.size/);
    expect(() => softMemory(Buffer.from('#!/bin/sh'), 1024)).toThrow(/not a WebAssembly module/);
    expect(() => softMemory(engine.subarray(0, 1000), 1024)).toThrow(/ends too early/);
    expect(() => softMemory(softMemory(engine, 1024), 1024)).toThrow(/4 globals/);
  });
});

describe('between the threads', () => {
  const bench = Bench.use(() => createQuickJsEvaluator({ workers: 2 }));

  test('more results than the shared memory holds arrive whole', async () => {
    const source = 'export default (ctx) => String.fromCharCode(97 + (ctx.input % 26)).repeat(60000)';
    const runs = Array.from({ length: 100 }, (_, input) => runOf(source, { context: { input } }));
    const outcomes = await bench.all(runs);
    expect(outcomes.map(({ value }) => value)).toEqual(
      runs.map((_run, index) => String.fromCharCode(97 + (index % 26)).repeat(60_000)),
    );
  });

  test('more programs than a worker keeps run, and the first ones again', async () => {
    const padding = '/'.repeat(60_000);
    const runs = Array.from({ length: 480 }, (_, i) => runOf(`export default ${i} //${padding}`));
    for (const batch of [runs, runs.slice(0, 20)]) {
      const outcomes = await bench.all(batch);
      expect(outcomes.map(({ value }) => value)).toEqual(batch.map((_run, index) => index));
    }
  });

  test('several workers are at work at the same time', async () => {
    let underWay = 0;
    let most = 0;
    const capabilities = {
      async meet() {
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 200));
        underWay--;
      },
    };
    await bench.all(Array.from({ length: 32 }, () => runOf('ctx.call("meet")', { capabilities })));
    expect(most).toBeGreaterThan(16);
  });

  test('a worker that was ended does not disturb the other one', async () => {
    const hang = runOf('[].join.call({ length: 1e9 }, "")', { limits: { wallMs: 150 } });
    const outcomes = await bench.all([hang, ...Array.from({ length: 200 }, () => runOf('1'))]);
    expect(outcomes[0]).toMatchObject({ status: 'timed-out' });
    expect(outcomes.slice(1).every(({ value }) => value === 1)).toBe(true);
  });
});

test('it runs the same in plain Node, without a test framework around it', async () => {
  const script = fileURLToPath(new URL('../support/evaluator-smoke.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 50_000 });
  expect(JSON.parse(stdout)).toEqual({
    module: 42,
    script: { completed: true },
    capability: 5,
    loop: 'Timeout',
    hang: 'Timeout',
    memory: 'Memory',
    stack: 'StackOverflow',
    after: 'ok',
  });
});

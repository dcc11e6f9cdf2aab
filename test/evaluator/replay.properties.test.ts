/** Whatever a program does with time, chance and host calls, and in whatever order it is answered: it repeats. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StandaloneEvaluator } from '../../src/evaluator/face.ts';
import type { Outcome } from '../../src/launch.ts';
import { createEvaluator } from '../../src/sandbox.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';

let evaluator: StandaloneEvaluator;
beforeAll(async () => {
  evaluator = await createEvaluator({ limits: { timers: 6, hostCalls: 12, concurrentCalls: 4, wallMs: 20_000 } });
});
afterAll(() => evaluator.close());

/** Answers come late, out of order, as errors, and are different every time. */
let answers = 0;
const capabilities = {
  ask: (waitMs: number) => new Promise((resolve) => setTimeout(() => resolve({ n: answers++ }), waitMs)),
  quick: (value: unknown) => [value, answers++],
  fail: async (waitMs: number) => {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    throw new Error(`failed as number ${answers++}`);
  },
};

const wait = fc.integer({ min: 0, max: 6 });

/** Statements of an async function; `out` shows their order and what they saw. */
const { statements } = fc.letrec<{ statement: string; statements: string }>((tie) => ({
  statement: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'out.push(Math.random());',
      'out.push(Date.now(), new Date().toISOString(), ctx.now());',
      'ctx.log("at", Date.now(), Math.random());',
      'for (const until = Date.now() + 1; Date.now() < until; ) spins++;',
      'await null;',
      'queueMicrotask(() => out.push("later"));',
      'out.push(await ctx.call("quick", out.length));',
      'out.push(await ctx.call("unknown").catch((error) => error.name));',
      'ctx.call("ask", 1).then((answer) => out.push(answer), (error) => out.push(error.name));',
      'if (Math.random() < 0.1) throw new RangeError("unlucky at " + Date.now());',
    ),
    wait.map((ms) => `await new Promise((resolve) => setTimeout(resolve, ${ms}));`),
    wait.map(
      (ms) => `{ const id = setTimeout(() => out.push(${ms}), ${ms}); if (Math.random() < 0.3) clearTimeout(id); }`,
    ),
    wait.map((ms) => `out.push((await ctx.call("ask", ${ms})).n);`),
    wait.map((ms) => `out.push(await ctx.call("fail", ${ms}).catch(({ message }) => message));`),
    fc.tuple(wait, wait).map(([one, other]) => {
      const late = `new Promise((resolve) => setTimeout(resolve, ${other}, "late"))`;
      return `out.push(await Promise.race([ctx.call("ask", ${one}), ${late}]), Date.now());`;
    }),
    fc.tuple(tie('statements'), tie('statements')).map(([one, other]) => {
      return `await Promise.all([async () => { ${one} }, async () => { ${other} }].map((branch) => branch()));`;
    }),
    tie('statements').map((body) => `try { ${body} } catch (error) { out.push(String(error)); }`),
    tie('statements').map((body) => `for (let i = 0; i < 2 + Math.random() * 2; i++) { ${body} }`),
  ),
  statements: fc.array(tie('statement'), { minLength: 1, maxLength: 5 }).map((all) => all.join('\n')),
}));

const program = statements.map(
  (body) => `export default async (ctx) => {
  const out = [];
  let spins = 0;
  ${body}
  return { out, spins, at: [Date.now(), Math.random()] };
}`,
);

const course = ({ status, value, error, logs, truncated, usage: { hostCalls } }: Outcome) => ({
  ...{ status, value, error, logs, truncated, hostCalls },
});

describe('a recorded run', () => {
  test('repeats its value, its error, its log and its calls, as often as one likes', async () => {
    let calls = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(program, { minLength: 1, maxLength: 8 }), async (codes) => {
        const runs = codes.map((code, i) => evaluator.evaluate({ code, capabilities, record: true, seed: i }));
        const recorded = await Promise.all(runs);
        for (const { recording, ...outcome } of recorded) {
          if (recording === undefined || recording === 'too-large') throw new Error(`recording: ${recording}`);
          calls += outcome.usage.hostCalls;
          const kept = JSON.parse(JSON.stringify(recording));
          const replays = await Promise.all([evaluator.replay(kept), evaluator.replay(kept)]);
          for (const replay of replays) expect(course(replay)).toEqual(course(outcome));
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 60 },
    );
    expect(calls).toBeGreaterThan(100);
  }, 120_000);
});

import { describe, expect, test } from '@jest/globals';
import { type Bench, runOf } from './bench.ts';

/** Looks for traces that another run could have left. */
const CANARY = `export default () => [
  Object.keys(globalThis).length, typeof leak, Object.prototype.polluted ?? null, [].polluted ?? null,
  Math.random(), String(Math.random), JSON.stringify({ a: 1 }), typeof Date.now(), [3, 1, 2].map((n) => n + 1),
  String(Promise.prototype.then).includes('native'), Symbol.for('leak').description, Object.isFrozen(Array),
]`;

/** Each leaves what traces it can. */
const VANDALS: readonly (readonly [string, string])[] = [
  ['globals', 'globalThis.leak = 1; var leak2 = 2; leak3 = 3; Object.keys(globalThis).length'],
  ['prototypes', 'Object.prototype.polluted = 1; Array.prototype.polluted = 1; Object.prototype.toJSON = () => 1; 1'],
  [
    'intrinsics',
    'Math.random = () => 4; JSON.stringify = () => "{}"; Promise.prototype.then = null; Array.prototype.map = 0; 1',
  ],
  ['the clock', 'Date = class { static now() { return 0 } }; 1'],
  ['frozen objects', 'Object.freeze(Array); Object.freeze(Object.prototype); Object.preventExtensions(globalThis); 1'],
  ['its end in an error', 'globalThis.leak = 1; throw new Error("x")'],
  ['its end in the middle', 'globalThis.leak = 1; for (;;);'],
  ['its end for memory', 'globalThis.leak = []; for (;;) leak.push(new Array(1000).fill(7))'],
  ['its end for the stack', 'globalThis.leak = () => leak(); leak()'],
  [
    'jobs and timers',
    'for (let i = 0; i < 50; i++) { setTimeout(() => { globalThis.leak = 1 }, 0); Promise.resolve().then(() => { globalThis.leak = 1 }) } 1',
  ],
  ['a module under its name', 'globalThis.leak = 1; export const secret = 5; export default 1'],
];

export function isolationTests(bench: Bench): void {
  describe('no trace is left for the next run by', () => {
    test.each(VANDALS)('%s', async (_what, source) => {
      const before = await bench.value(CANARY);
      await bench.outcome(source, { limits: { wallMs: 150 } });
      expect(await bench.value(CANARY)).toEqual(before);
    });
  });

  test('what one run has done does not decide how the error of the next one is judged', async () => {
    const forged = [
      'throw { name: "InternalError", message: "out of memory" }',
      'throw new RangeError("Maximum call stack size exceeded")',
      'const e = new Error("no"); e.name = "CapabilityDenied"; throw e',
    ];
    const real = ['new ArrayBuffer(1e9)', 'const f = () => f() + 1; f()', 'ctx.call("nope")'];
    const outcomes = await bench.all(real.flatMap((source) => [source, ...forged]).map((source) => runOf(source)));
    expect(outcomes.map(({ error }) => error?.class)).toEqual(
      ['Memory', 'StackOverflow', 'CapabilityDenied'].flatMap((first) => [first, 'Thrown', 'Thrown', 'Thrown']),
    );
  });

  test('vandals and good runs in one batch do not meet', async () => {
    const limits = { wallMs: 150 };
    const runs = VANDALS.flatMap(([, source]) => [runOf(CANARY), runOf(source, { limits }), runOf(CANARY)]);
    const outcomes = await bench.all(runs);
    const canaries = outcomes.filter((_outcome, index) => index % 3 !== 1);
    expect(new Set(canaries.map(({ value }) => JSON.stringify(value))).size).toBe(1);
  });

  test('a run that waits does not see those that run meanwhile', async () => {
    const waiting = `export default async (ctx) => {
      globalThis.mine = ctx.input;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return [globalThis.mine, ctx.input, typeof leak];
    }`;
    const runs = Array.from({ length: 12 }, (_, input) =>
      input % 2 === 0 ? runOf(waiting, { context: { input } }) : runOf('globalThis.leak = 1'),
    );
    const outcomes = await bench.all(runs);
    expect(outcomes.filter((_outcome, index) => index % 2 === 0).map(({ value }) => value)).toEqual(
      [0, 2, 4, 6, 8, 10].map((input) => [input, input, 'undefined']),
    );
  });

  test('a program that was compiled once is the same every time', async () => {
    const counter = 'let n = 0; export default () => ++n';
    const outcomes = await bench.all(Array.from({ length: 10 }, () => runOf(counter)));
    expect(outcomes.map(({ value }) => value)).toEqual(Array(10).fill(1));
  });

  test('the same text as a script and as a module are two programs', async () => {
    const source = 'this === undefined';
    const script = runOf(source);
    const module = { ...runOf(`${source};export default this === undefined`) };
    expect((await bench.all([script, module])).map(({ value }) => value)).toEqual([false, true]);
  });
}

/** A module's top level is evaluated once for many runs, where nobody can tell the difference. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadEngine } from '../../src/evaluator/engine.ts';
import { NOBODY } from '../../src/evaluator/host.ts';
import { Instance } from '../../src/evaluator/instance.ts';
import { type KnownProgram, type ModuleState, ModuleStates } from '../../src/evaluator/module-states.ts';
import { createQuickJsEvaluator } from '../../src/evaluator/quickjs.ts';
import { DEFAULT_LIMITS, type Evaluator } from '../../src/evaluator.ts';
import type { Outcome } from '../../src/launch.ts';
import { programOf } from '../../src/program.ts';
import { type Given, runOf } from '../contract/evaluator/bench.ts';

const DATA_START = 1024 * 1024;
/** More than it takes until a state is kept. */
const TIMES = 6;

let evaluator: Evaluator;
beforeAll(async () => {
  evaluator = await createQuickJsEvaluator();
});
afterAll(() => evaluator.close());

async function outcomesOf(source: string, givens: readonly Given[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await evaluator.run(
    givens.map((given) => runOf(source, given)),
    (index, outcome) => {
      outcomes[index] = outcome;
    },
  );
  return outcomes;
}

const times = (given: (i: number) => Given): Given[] => Array.from({ length: TIMES }, (_, i) => given(i));

describe('a run that begins in a kept state', () => {
  test.each([
    ['a function', 'export default () => 1'],
    ['functions and what they hold', `const all = new Map([[1, { a: [2] }]]); export default () => all.get(1)`],
    [
      'changed prototypes',
      'Array.prototype.last = function () { return this.at(-1) }; export default () => [1].last()',
    ],
    ['a pending job', 'let n = 0; Promise.resolve().then(() => { n = 1 }); export default () => n'],
    ['more memory', `const all = Array.from({ length: 5000 }, (_, i) => i); export default () => all.length`],
  ])('has the memory of one that was evaluated, byte for byte: %s', async (_what, source) => {
    const { module, guest } = await loadEngine();
    const instance = new Instance(module, { guest });
    const evaluate = (): ModuleState => {
      instance.reset(NOBODY, DEFAULT_LIMITS);
      return instance.stateWith(instance.fulfilment(instance.run(bytecode))!)!;
    };
    instance.reset(NOBODY, DEFAULT_LIMITS);
    const bytecode = instance.compile(source, 'module')!;
    const state = evaluate();
    const evaluated = Buffer.from(instance.memory.bytes.subarray(DATA_START));
    const { usedBytes } = instance.memory;
    instance.reset(NOBODY, DEFAULT_LIMITS);
    instance.reset(NOBODY, DEFAULT_LIMITS, state);
    expect(instance.memory.bytes.subarray(DATA_START).equals(evaluated)).toBe(true);
    expect(instance.memory.usedBytes).toBe(usedBytes);
    expect(evaluate()).toEqual(state);
  });

  test('has its own of everything', async () => {
    const outcomes = await outcomesOf(
      'let n = 0; const seen = []; export default ({ taskId }) => [++n, seen.push(taskId), taskId, Math.random()]',
      times((i) => ({ seed: `${i}`, context: { taskId: `t${i}` } })),
    );
    expect(outcomes.map(({ value }) => (value as unknown[]).slice(0, 3))).toEqual(
      times(() => ({})).map((_, i) => [1, 1, `t${i}`]),
    );
    expect(new Set(outcomes.map(({ value }) => (value as unknown[])[3])).size).toBe(TIMES);
  });

  test('has its own limits, whatever those had that were evaluated before it', async () => {
    const source = `export default () => { let depth = 0; const f = () => { depth++; f() }; try { f() } catch {} return depth }`;
    const small = { limits: { stackBytes: 64 * 1024 } };
    const [usual] = await outcomesOf(`${source} // once`, [{}]);
    const outcomes = await outcomesOf(source, [...times(() => small), ...times(() => ({})), small]);
    const depths = outcomes.map(({ value }) => value);
    expect(new Set(depths.slice(TIMES, -1))).toEqual(new Set([usual?.value]));
    expect(new Set([...depths.slice(0, TIMES), depths.at(-1)]).size).toBe(1);
    expect(depths[0]).toBeLessThan(Number(usual?.value));
  });

  test('is given its ctx whatever its top level has done to prototypes', async () => {
    const source = `for (const name of ['taskId', 'input', 'log', '0']) {
      Object.defineProperty(Object.prototype, name, { set() { throw new Error('seen') }, get() { return 'forged' } });
    }
    export default (ctx) => [Object.keys(ctx).join(), ctx.taskId, ctx.input.a]`;
    const names = 'taskId,slot,attempt,fence,idempotencyKey,input,state,now,log,call,fetch,formatDate';
    const outcomes = await outcomesOf(
      source,
      times((i) => ({ context: { input: { a: i } } })),
    );
    expect(outcomes.map(({ value }) => value)).toEqual(times(() => ({})).map((_, i) => [names, 'report', i]));
  });
});

describe('a top level is evaluated for every run when it', () => {
  test.each<[string, string, (i: number) => Given]>([
    ['takes chances', 'const x = Math.random(); export default () => x', (i) => ({ seed: `${i}` })],
    ['looks at the clock', 'const x = Date.now(); export default () => x', (i) => ({ nowMs: i * 1000 })],
    [
      'goes to the end of its stack',
      'let x = 0; const f = () => { x++; f() }; try { f() } catch {} export default () => x',
      (i) => ({ limits: { stackBytes: (i % 2 === 0 ? 256 : 64) * 1024 } }),
    ],
    [
      'takes all memory',
      'let x = 0; try { for (;; x++) new Uint8Array(2 ** 18).big = globalThis[x] = new Uint8Array(2 ** 18) } catch {} for (let i = 0; i < x; i++) delete globalThis[i]; export default () => x',
      (i) => ({ limits: { memoryBytes: (4 + (i % 2)) * 1024 * 1024 } }),
    ],
  ])('%s', async (_what, source, given) => {
    const values = (await outcomesOf(source, times(given))).map(({ value }) => value);
    expect(new Set(values).size).toBe(new Set(times(given).map((each) => JSON.stringify(each))).size);
  });

  test('says something: it is heard every time', async () => {
    const outcomes = await outcomesOf(
      'console.log("top"); export default () => 1',
      times(() => ({})),
    );
    expect(outcomes.map(({ logs }) => logs)).toEqual(times(() => ({})).map(() => ['top']));
  });
});

describe('states', () => {
  const stateOf = (words: number): ModuleState => ({
    memory: { at: new Uint32Array(words), words: new Int32Array(words), pages: 1 },
    namespace: 1,
  });
  const known = (source: string): KnownProgram => ({ program: programOf(source) });
  const instance = { stateWith: () => stateOf(100) };
  const evaluate = (states: ModuleStates, program: KnownProgram, count: number, tookMs = 1) => {
    for (let i = 0; i < count; i++) states.evaluated(program, DEFAULT_LIMITS, tookMs, instance, 1);
  };

  test('are kept of modules that come again, and for runs whose limits can have had no say', () => {
    const states = new ModuleStates();
    const program = known('1');
    evaluate(states, program, 2);
    expect(states.of(program, DEFAULT_LIMITS)).toBeUndefined();
    evaluate(states, program, 1);
    expect(states.of(program, DEFAULT_LIMITS)).toEqual(stateOf(100));
    expect(states.of(program, { ...DEFAULT_LIMITS, stackBytes: 64 * 1024 })).toBeUndefined();
    expect(states.of(program, { ...DEFAULT_LIMITS, memoryBytes: 1024 })).toBeUndefined();
    expect(states.of(program, { ...DEFAULT_LIMITS, cpuMs: 500 })).toBeUndefined();
    // What takes long is in the time of every run, so that none comes through only because others have come before it.
    const slow = known('2');
    evaluate(states, slow, 20, 200);
    expect(states.of(slow, DEFAULT_LIMITS)).toBeUndefined();
    states.forget(program.program.hash);
    expect(states.of(program, DEFAULT_LIMITS)).toBeUndefined();
  });

  test('take no more than their room: whoever has not run for longest leaves, but not to everybody who comes', () => {
    const states = new ModuleStates(2 * (512 + 8 * 100));
    const [a, b, c] = [known('1'), known('2'), known('3')];
    const kept = () => [a, b, c].map((program) => states.of(program, DEFAULT_LIMITS) !== undefined);
    for (const program of [a, b]) evaluate(states, program, 3);
    evaluate(states, c, 15);
    expect(kept()).toEqual([true, true, false]);
    states.of(a, DEFAULT_LIMITS);
    evaluate(states, c, 1);
    expect(kept()).toEqual([true, false, true]);
  });
});

/** The evaluator as a library: defaults that work, and options that are refused with a reason. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CronkeeperError } from '../../src/errors.ts';
import type { EvaluateOptions, StandaloneEvaluator } from '../../src/evaluator/face.ts';
import { createEvaluator } from '../../src/sandbox.ts';

let evaluator: StandaloneEvaluator;

beforeAll(async () => {
  evaluator = await createEvaluator({ limits: { resultBytes: 1000 }, random: () => 0.5 });
});

afterAll(() => evaluator.close());

test('only the code is needed', async () => {
  expect(await evaluator.evaluate({ code: '[ctx.input, ctx.state, ctx.attempt, ctx.fence, ctx.taskId]' })).toEqual({
    status: 'succeeded',
    value: [null, null, 1, 0, 'evaluate'],
    logs: [],
    truncated: false,
    usage: {
      wallMs: expect.any(Number),
      cpuMs: expect.any(Number),
      peakBytes: expect.any(Number),
      hostCalls: 0,
    },
  });
});

test('everything can be given', async () => {
  const at = Date.UTC(2026, 0, 1);
  const { value } = await evaluator.evaluate({
    code: `export default async (ctx) => [ctx.taskId, ctx.slot, ctx.attempt, ctx.fence, ctx.idempotencyKey, ctx.input,
      ctx.state, await ctx.call('twice', 4), ctx.now() - ${at} < 60000]`,
    taskId: 'report',
    slot: '2026-01-01T00:00:00Z',
    attempt: 2,
    fence: 9,
    input: [1],
    state: { n: 1 },
    capabilities: { twice: (n: number) => n * 2 },
    now: at,
    seed: 3,
  });
  const slot = '2026-01-01T00:00:00.000Z';
  expect(value).toEqual(['report', slot, 2, 9, `report@${at}`, [1], { n: 1 }, 8, true]);
});

test('limits of a run go before those of the evaluator, and those before the defaults', async () => {
  const code = '"x".repeat(2000)';
  expect(await evaluator.evaluate({ code })).toMatchObject({ error: { class: 'ResultTooLarge' } });
  expect(await evaluator.evaluate({ code, limits: { resultBytes: 3000 } })).toMatchObject({ status: 'succeeded' });
});

test('a signal ends a run', async () => {
  const outcome = evaluator.evaluate({ code: 'for (;;);', signal: AbortSignal.timeout(50) });
  expect(await outcome).toMatchObject({ error: { class: 'Cancelled' } });
});

describe('a recording', () => {
  const code = `export default async (ctx) => {
    const answer = await ctx.call('ask', ctx.input);
    await new Promise((resolve) => setTimeout(resolve, 5));
    ctx.log(ctx.slot, Date.now(), Math.random());
    return [answer, Date.now(), Math.random(), ctx.state, ctx.attempt, ctx.fence, ctx.taskId];
  }`;
  let asked = 0;
  const capabilities = { ask: (what: unknown) => ({ what, times: ++asked }) };
  const rest = { state: [1], attempt: 3, fence: 4, taskId: 'report', slot: '2026-01-01T00:00:00Z' };

  async function recorded(input: unknown = 'this') {
    const { recording, ...outcome } = await evaluator.evaluate({ code, input, capabilities, record: true, ...rest });
    if (recording === undefined || recording === 'too-large') throw new Error(`recording: ${recording}`);
    return { recording, outcome };
  }

  test('is made only if it is asked for', async () => {
    expect(await evaluator.evaluate({ code: '1' })).not.toHaveProperty('recording');
    expect(await evaluator.evaluate({ code: '1', record: false })).not.toHaveProperty('recording');
  });

  test('is JSON, and repeats its run anywhere, with nobody asked', async () => {
    const { recording, outcome } = await recorded();
    const times = asked;
    const elsewhere = await createEvaluator();
    const replayed = await elsewhere.replay(JSON.parse(JSON.stringify(recording)));
    await elsewhere.close();
    expect(replayed).toEqual({ ...outcome, usage: { ...outcome.usage, ...replayed.usage } });
    expect(asked).toBe(times);
  });

  test('is of what was given then, whatever became of it since', async () => {
    const input = { a: 1 };
    const { recording, outcome } = await recorded(input);
    input.a = 2;
    expect(await evaluator.replay(recording)).toMatchObject({ value: outcome.value });
  });

  test('repeats with changes; what was not asked then has no answer', async () => {
    const { recording } = await recorded();
    const changed = { code: 'export default ({ input, state, slot }) => [input, state, slot]', input: 5, state: null };
    expect(await evaluator.replay(recording, changed)).toMatchObject({ value: [5, null, '2026-01-01T00:00:00.000Z'] });
    expect(await evaluator.replay(recording, { input: 5 })).toMatchObject({ error: { class: 'Diverged' } });
  });

  test('with too much in it is none, and says so', async () => {
    const long = { ask: () => 'x'.repeat(100_000) };
    const outcome = await evaluator.evaluate({
      code,
      capabilities: long,
      limits: { resultBytes: 200_000 },
      record: true,
    });
    expect(outcome).toMatchObject({ status: 'succeeded', recording: 'too-large' });
  });

  test('that is none is refused', async () => {
    const { recording } = await recorded();
    const wrong: unknown[] = [undefined, null, 'too-large', {}, { ...recording, answers: [{ call: 0 }] }];
    wrong.push({ ...recording, code: 1 }, { ...recording, context: { ...recording.context, attempt: 0 } });
    wrong.push({ ...recording, limits: { wallMs: 0 } }, { ...recording, more: 1 });
    for (const each of wrong) {
      await expect(evaluator.replay(each as typeof recording)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/^replay: /),
      });
    }
    await expect(evaluator.evaluate({ code: '1', record: 1 } as unknown as EvaluateOptions)).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});

test('runs share no memory, but may be under way together', async () => {
  const code = 'export default (ctx) => new Promise((resolve) => setTimeout(() => resolve(ctx.input), 20))';
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, input) => evaluator.evaluate({ code, input })));
  expect(outcomes.map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, input) => input));
});

describe('options are refused, with what was received and what is allowed:', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;

  test.each<[string, object, RegExp]>([
    ['no code', {}, /code: nothing was received.*string/],
    ['code that is no text', { code: 5 }, /code: 5 was received/],
    ['a misspelt option', { code: '1', imput: 1 }, /imput: unknown option/],
    ['a misspelt limit', { code: '1', limits: { wallMS: 5 } }, /limits\.wallMS: unknown.*wallMs/],
    ['a limit of nothing', { code: '1', limits: { wallMs: 0 } }, /limits\.wallMs: 0.*from 1 to/],
    ['a limit beyond all bounds', { code: '1', limits: { memoryBytes: 1e12 } }, /limits\.memoryBytes: 1000000000000/],
    ['half a timer', { code: '1', limits: { timers: 0.5 } }, /limits\.timers: 0\.5.*whole number from 0/],
    ['a capability that is no function', { code: '1', capabilities: { a: 1 } }, /capabilities\.a: 1.*function/],
    ['an input that is no JSON', { code: '1', input: circle }, /input: .*circular/],
    ['an input that is a function', { code: '1', input: () => 1 }, /input: a function was received/],
    ['a state that is no JSON', { code: '1', state: { n: 1n } }, /state: .*BigInt/],
    ['a slot that is no time', { code: '1', slot: 'tomorrow' }, /slot: "tomorrow".*ISO/],
    ['a time that is none', { code: '1', now: Number.NaN }, /now: .*epoch ms/],
    ['a time as text', { code: '1', now: '2026-01-01' }, /now: "2026-01-01".*epoch ms/],
    ['a time before all clocks', { code: '1', now: -1 }, /now: -1.*from 0/],
    ['a time after all clocks', { code: '1', now: 1e15 }, /now: 1000000000000000.*from 0/],
    ['a seed that is no number', { code: '1', seed: true as never }, /seed: true/],
    ['an attempt before the first', { code: '1', attempt: 0 }, /attempt: 0.*from 1/],
    ['a signal that is none', { code: '1', signal: 5 }, /signal: 5.*AbortSignal/],
    ['several at once', { code: 1, seed: null }, /code: .*; seed: /],
  ])('%s', async (_what, options, message) => {
    const refusal = evaluator.evaluate(options as EvaluateOptions);
    await expect(refusal).rejects.toThrow(CronkeeperError);
    await expect(refusal).rejects.toThrow(message);
  });

  test.each([
    ['an endless string', `'${'x'.repeat(3e7)}`],
    ['operators without end', '='.repeat(3e7)],
  ])('code beyond all limits is refused by its size: %s', async (_what, code) => {
    expect(await evaluator.evaluate({ code })).toMatchObject({
      status: 'failed',
      error: { class: 'SourceTooLarge', message: expect.stringContaining('65536 are allowed') },
    });
  });

  test.each<[string, object, RegExp]>([
    ['no workers', { workers: 0 }, /workers: 0.*from 1 to 64/],
    ['a misspelt option', { worker: 1 }, /worker: unknown option/],
    ['a bad limit', { limits: { cpuMs: -1 } }, /limits\.cpuMs: -1/],
  ])('of the evaluator: %s', async (_what, options, message) => {
    await expect(createEvaluator(options)).rejects.toThrow(message);
  });
});

test('a closed evaluator says so', async () => {
  const short = await createEvaluator();
  await short.close();
  await expect(short.evaluate({ code: '1' })).rejects.toThrow('closed');
});

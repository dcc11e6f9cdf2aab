import { expect, test } from '@jest/globals';
import { type Bench, runOf } from './bench.ts';

const CALL = 'export default (ctx) => ctx.call(...ctx.input)';

export function capabilityTests(bench: Bench): void {
  test('a function of the embedding program gets and gives JSON', async () => {
    const capabilities = { merge: (a: object, b: object) => Promise.resolve({ ...a, ...b, at: new Date(0) }) };
    const input = ['merge', { a: 1 }, { b: ['ü'] }];
    expect(await bench.value(CALL, { capabilities, context: { input } })).toEqual({
      a: 1,
      b: ['ü'],
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  test('what it gets sets no prototype when it is copied', async () => {
    const capabilities = { copy: (given: object) => 'isAdmin' in Object.assign({}, given) };
    const source = 'ctx.call("copy", JSON.parse(`{"__proto__":{"isAdmin":true}}`))';
    expect(await bench.value(source, { capabilities })).toBe(false);
  });

  test('nothing returned is null', async () => {
    expect(
      await bench.value(CALL, { capabilities: { nothing: () => undefined }, context: { input: ['nothing'] } }),
    ).toBe(null);
  });

  test('of what a capability throws, the message reaches the task, and no more', async () => {
    const capabilities = {
      boom() {
        throw Object.assign(new TypeError('no such report'), { code: 'SECRET' });
      },
    };
    const source = `export default (ctx) => ctx.call('boom').catch((error) =>
      [error instanceof Error, error.name, error.message, error.code ?? null, /\\.ts|node:/.test(error.stack)])`;
    expect(await bench.value(source, { capabilities })).toEqual([true, 'Error', 'no such report', null, false]);
    const uncaught = await bench.error(CALL, { capabilities, context: { input: ['boom'] } });
    expect(uncaught).toMatchObject({ class: 'Thrown', name: 'Error', message: 'no such report' });
  });

  test.each(['nope', 'toString', '__proto__', 'constructor', 'hasOwnProperty', '', 'a\nb', 'not a function'])(
    'a name that was not given is denied: %j',
    async (name) => {
      const capabilities = { 'not a function': 5 as unknown as () => void };
      const outcome = await bench.outcome(CALL, { capabilities, context: { input: [name] } });
      expect(outcome).toMatchObject({
        status: 'failed',
        error: { class: 'CapabilityDenied', name: 'CapabilityDenied' },
      });
    },
  );

  test('a task may catch that it was denied', async () => {
    expect(await bench.value('ctx.call("nope").catch((error) => error.name)')).toBe('CapabilityDenied');
  });

  test('fetch is denied, and says for which address', async () => {
    for (const argument of ['"https://example.com/x"', '{ url: "https://example.com/x" }']) {
      expect(await bench.error(`export default (ctx) => ctx.fetch(${argument})`)).toMatchObject({
        class: 'CapabilityDenied',
        message: expect.stringContaining('https://example.com/x'),
      });
    }
  });

  test('arguments that are not JSON are the task’s mistake', async () => {
    expect(await bench.error('ctx.call("any", 1n)')).toMatchObject({ class: 'Thrown', name: 'TypeError' });
  });

  test('an answer that is not JSON is the capability’s mistake, and the task hears of it', async () => {
    const capabilities = { big: () => 1n, huge: () => 'x'.repeat(1e6) };
    expect(await bench.error(CALL, { capabilities, context: { input: ['big'] } })).toMatchObject({ class: 'Thrown' });
    expect(await bench.error(CALL, { capabilities, context: { input: ['huge'] } })).toMatchObject({
      message: expect.stringMatching(/answer of huge has \d+ bytes/),
    });
  });

  test('sixty runs that wait do so together, and not one after another', async () => {
    let underWay = 0;
    let open: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    // Nobody is answered before all have asked.
    const slow = () => {
      if (++underWay === 60) open();
      return opened;
    };
    const source = 'export default async (ctx) => { await ctx.call("slow"); return ctx.input }';
    const runs = Array.from({ length: 60 }, (_, input) =>
      runOf(source, { capabilities: { slow }, context: { input } }),
    );
    const outcomes = await bench.all(runs);
    expect(outcomes.map(({ value }) => value)).toEqual(runs.map((_run, index) => index));
  });

  test('an answer that comes after the run’s end is dropped', async () => {
    const answers: (() => void)[] = [];
    const capabilities = { late: () => new Promise<void>((resolve) => answers.push(resolve)) };
    expect(await bench.value('ctx.call("late"); "done"', { capabilities })).toBe('done');
    const limits = { wallMs: 100 };
    expect(await bench.error('ctx.call("late")', { capabilities, limits })).toMatchObject({ class: 'Timeout' });
    for (const answer of answers) answer();
    expect(await bench.value('6 * 7')).toBe(42);
  });
}

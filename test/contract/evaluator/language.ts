import { expect, test } from '@jest/globals';
import { type Bench, NOW_MS, SLOT_MS } from './bench.ts';

export function languageTests(bench: Bench): void {
  test.each([
    ['a function', 'export default (ctx) => ctx.input + 1', 42],
    ['an async function', 'export default async function (ctx) { await null; return ctx.input + 1 }', 42],
    ['a value', 'export default { answer: 42 }', { answer: 42 }],
    ['a promise', 'export default Promise.resolve(42)', 42],
    [
      'a function after a top-level await',
      'const n = await Promise.resolve(1); export default (ctx) => ctx.input + n',
      42,
    ],
    ['a name', 'const task = (ctx) => ctx.input + 1; export { task as default }', 42],
  ])('a module may export %s', async (_what, source, expected) => {
    expect(await bench.value(source, { context: { input: 41 } })).toEqual(expected);
  });

  test.each([
    ['an expression', '({ completed: true })', { completed: true }],
    ['the last statement', 'var n = 1; if (n) { n + 41 }', 42],
    ['a promise, awaited', '(async () => { await null; return ctx.input + 1 })()', 42],
    ['nothing', '', null],
    ['a declaration', 'const n = 1', null],
  ])('the result of a script is its completion value: %s', async (_what, source, expected) => {
    expect(await bench.value(source, { context: { input: 41 } })).toEqual(expected);
  });

  test('ctx tells the task who it is and when it is due', async () => {
    const source =
      'export default ({ log, call, fetch, formatDate, now, ...data }) => ({ ...data, now: typeof now() })';
    expect(await bench.value(source, { context: { input: { a: [1] }, state: { n: 1 } } })).toEqual({
      taskId: 'report',
      slot: new Date(SLOT_MS).toISOString(),
      attempt: 1,
      fence: 7,
      idempotencyKey: `report@${SLOT_MS}`,
      input: { a: [1] },
      state: { n: 1 },
      now: 'number',
    });
  });

  test('ctx is a global in a script, and an argument in a module', async () => {
    expect(await bench.value('typeof ctx')).toBe('object');
    expect(await bench.value('export default () => typeof ctx')).toBe('undefined');
  });

  test('input with keys that mean something to JavaScript stays data', async () => {
    const input = JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": 1}');
    expect(await bench.value('[ctx.input.isAdmin ?? null, Object.keys(ctx.input)]', { context: { input } })).toEqual([
      null,
      ['__proto__', 'constructor'],
    ]);
  });

  test('the clock starts at the run’s time and moves on with it', async () => {
    const [start, later, now, year] = (await bench.value(`export default async (ctx) => {
      const start = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 30));
      return [start, Date.now(), ctx.now(), new Date().getFullYear()];
    }`)) as [number, number, number, number];
    expect(start).toBeGreaterThanOrEqual(NOW_MS);
    expect(start).toBeLessThan(NOW_MS + 10_000);
    expect(later).toBeGreaterThanOrEqual(start + 29);
    expect(now).toBeGreaterThanOrEqual(later);
    expect(year).toBe(2026);
  });

  test('times of day are in UTC, whatever the machine thinks', async () => {
    expect(await bench.value('new Date(0).getTimezoneOffset()')).toBe(0);
  });

  test('modern JavaScript is there', async () => {
    const source = `[
      Object.groupBy([1, 2], (n) => (n > 1 ? 'b' : 'a')), [3, 1].toSorted(), [...new Set([1]).union(new Set([2]))],
      /[\\w--[a]]/v.test('a'), (2n ** 64n).toString(), [1, 2].values().map((n) => n * 2).toArray(), atob('aGk='),
    ]`;
    expect(await bench.value(source)).toEqual([
      { a: [1], b: [2] },
      [1, 3],
      [1, 2],
      false,
      '18446744073709551616',
      [2, 4],
      'hi',
    ]);
  });

  test('what is not JavaScript is not there', async () => {
    const names = ['process', 'require', 'Buffer', 'global', 'WebAssembly', 'Worker', 'fetch'];
    const source = `ctx.input.filter((name) => name in globalThis)`;
    expect(await bench.value(source, { context: { input: names } })).toEqual([]);
  });
}

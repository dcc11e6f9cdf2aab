import { describe, expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';

export function resultTests(bench: Bench): void {
  test.each([
    ['undefined', null],
    ['null', null],
    ['0', 0],
    ['"Grüße 🎉 \\u2028 \\0"', 'Grüße 🎉 \u2028 \0'],
    ['[1, , NaN]', [1, null, null]],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['({ a: undefined, b: () => 1, c: 2 })', { c: 2 }],
    ['({ toJSON: () => "said so" })', 'said so'],
    ['"\\ud800"', '\ud800'],
  ])('%s becomes JSON', async (source, value) => {
    expect(await bench.outcome(source)).toMatchObject({ status: 'succeeded', value });
  });

  test('state, nextAt and completed are taken from the result, which stays whole', async () => {
    const outcome = await bench.outcome('({ completed: true, state: { n: 1 }, nextAt: "2026-01-01", output: 5 })');
    expect(outcome).toMatchObject({ completed: true, state: { n: 1 }, nextAt: '2026-01-01' });
    expect(outcome.value).toEqual({ completed: true, state: { n: 1 }, nextAt: '2026-01-01', output: 5 });
  });

  test('a state of null is a state, no state is none', async () => {
    expect(await bench.outcome('({ state: null })')).toHaveProperty('state', null);
    expect(await bench.outcome('({ output: 1 })')).not.toHaveProperty('state');
  });

  describe('a task is not finished by', () => {
    test.each([
      ['a truthy value', '({ completed: 1 })'],
      ['a string', '({ completed: "true" })'],
      ['an inherited property', 'Object.create({ completed: true })'],
      ['a polluted prototype', 'Object.prototype.completed = true; ({})'],
      ['a property of a property', '({ output: { completed: true } })'],
      ['a list with such a property', 'Object.assign([], { completed: true })'],
      ['a __proto__ in JSON', 'JSON.parse(\'{"__proto__": {"completed": true}}\')'],
      ['a string that says so', '\'{"completed": true}\''],
    ])('%s', async (_what, source) => {
      const outcome = await bench.outcome(source);
      expect(outcome.status).toBe('succeeded');
      expect(outcome).not.toHaveProperty('completed');
    });
  });

  test('a getter that says completed is JSON like any other', async () => {
    expect(await bench.outcome('({ get completed() { return true } })')).toMatchObject({ completed: true });
  });

  test('keys of the result cannot change the host’s objects', async () => {
    const { value } = await bench.outcome('JSON.parse(\'{"__proto__": {"isAdmin": true}}\')');
    expect((value as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test.each([
    ['a circle', 'const o = {}; o.o = o; o', 'TypeError'],
    ['a BigInt', '({ n: 1n })', 'TypeError'],
    ['a function', '(ctx) => 1', 'TypeError'],
    ['a class', 'export default async () => class {}', 'TypeError'],
    ['a symbol', 'Symbol.iterator', 'TypeError'],
    ['a toJSON that throws', '({ toJSON() { throw new RangeError("no") } })', 'RangeError'],
  ])('%s is no result', async (_what, source, name) => {
    expect(await bench.error(source)).toMatchObject({ class: 'ResultNotSerializable', name });
  });

  test('what it took is told', async () => {
    const { usage, startedMs } = await bench.outcome('new Array(1e5).fill(1).length');
    expect(usage.peakBytes).toBeGreaterThan(800_000);
    expect(usage.cpuMs).toBeGreaterThan(0);
    expect(usage.wallMs).toBeGreaterThanOrEqual(usage.cpuMs * 0.99);
    expect(usage.hostCalls).toBe(0);
    expect(Math.abs(startedMs - Date.now())).toBeLessThan(60_000);
  });
}

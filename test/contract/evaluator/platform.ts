/** What there is besides the language, compared with what there is in Node. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PlainNode } from '../../support/plain-node.ts';
import type { Bench } from './bench.ts';

const GLOBALS = `() => Object.getOwnPropertyNames(globalThis).map((name) =>
  [name, Object.getOwnPropertyDescriptor(globalThis, name).enumerable])`;

const MEMBERS = `(names) => names.map((name) => {
  const ofFunctions = ['length', 'name', 'arguments', 'caller', 'prototype'];
  const own = (object) => Object.getOwnPropertyNames(object).filter((key) => !ofFunctions.includes(key)).sort();
  return [name, own(globalThis[name]), own(globalThis[name].prototype)];
})`;

/** Classes, and what they have in Node that needs streams or files, which are not there. */
const MISSING: Readonly<Record<string, readonly string[]>> = {
  URL: ['createObjectURL', 'revokeObjectURL'],
  URLSearchParams: [],
  TextEncoder: [],
  TextDecoder: [],
  Headers: [],
  Response: ['error', 'redirect', 'body', 'blob', 'formData'],
  AbortController: [],
  AbortSignal: ['onabort'],
};

/** In Node, an AbortSignal has these from EventTarget, which is not there. */
const EVENTS = ['addEventListener', 'removeEventListener'];

const LISTED = `(names) => names.map((name) => {
  const keys = [];
  for (const key in globalThis[name].prototype) keys.push(key);
  return [name, keys.sort()];
})`;

/** The engine's own, where Node has no such thing. */
const ENGINE_ONLY = ['InternalError'];

export function platformTests(bench: Bench): void {
  let node: PlainNode;
  beforeAll(() => {
    node = new PlainNode();
  });
  afterAll(() => node.close());
  const inside = (code: string, input: unknown = null): Promise<unknown> =>
    bench.value(`export default (ctx) => (${code})(ctx.input)`, { context: { input } });

  test('globals can be listed as in Node, in the same order, and no other is there', async () => {
    const [here, there] = (await Promise.all([inside(GLOBALS), node.call(GLOBALS)])) as [string, boolean][][];
    const known = new Map(there);
    expect(here?.filter(([name]) => !known.has(name)).map(([name]) => name)).toEqual(ENGINE_ONLY);
    expect(here?.filter(([name, enumerable]) => known.has(name) && known.get(name) !== enumerable)).toEqual([]);
    const names = new Set(here?.map(([name]) => name));
    const listed = (globals: [string, boolean][] = []) =>
      globals.filter(([, enumerable]) => enumerable).map(([name]) => name);
    expect(listed(here)).toEqual(listed(there).filter((name) => names.has(name)));
  });

  test('classes have what they have in Node, but for what is told', async () => {
    const names = Object.keys(MISSING);
    type Members = [name: string, own: string[], prototype: string[]];
    const [here, there] = (await Promise.all([inside(MEMBERS, names), node.call(MEMBERS, names)])) as Members[][];
    const without = (name: string, members: string[]) => members.filter((member) => !MISSING[name]?.includes(member));
    expect(
      here?.map(([name, own, members]) => [name, own, members.filter((member) => !EVENTS.includes(member))]),
    ).toEqual(there?.map(([name, own, members]) => [name, without(name, own), without(name, members)]));
  });

  test('what they have can be listed, as in Node', async () => {
    const names = ['URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'Headers', 'Response'];
    type Listed = [name: string, keys: string[]];
    const [here, there] = (await Promise.all([inside(LISTED, names), node.call(LISTED, names)])) as Listed[][];
    expect(here).toEqual(there?.map(([name, keys]) => [name, keys.filter((key) => !MISSING[name]?.includes(key))]));
  });

  describe('a global may be replaced by the task:', () => {
    test.each(['URL', 'crypto', 'structuredClone', 'console', 'setTimeout', 'Headers'])('%s', async (name) => {
      expect(await bench.value(`globalThis.${name} = 5; ${name}`)).toBe(5);
      expect(await bench.value(`${name} = 6; globalThis.${name}`)).toBe(6);
      expect(await bench.value(`delete globalThis.${name}; typeof ${name}`)).toBe('undefined');
      expect(await bench.value(`export default () => { const ${name} = 7; return ${name} }`)).toBe(7);
      expect(await bench.value(`typeof ${name}`)).not.toBe('number');
    });
  });

  test('a task that breaks what is built in still has its platform, and its result', async () => {
    const source = `
      JSON.parse = JSON.stringify = String.prototype.slice = Array.prototype.push = RegExp.prototype.test = null;
      Promise.prototype.then = Object.defineProperty = Reflect.apply = Date.now = Function.prototype.call = null;
      const url = new URL('http://x/?a=1');
      [url.host, url.searchParams.get('a'), typeof crypto.randomUUID(), ctx.formatDate(0), structuredClone([1])];`;
    expect(await bench.value(source)).toEqual(['x', '1', 'string', '1970-01-01T00:00:00Z', [1]]);
  });

  test('performance counts from the start of the run', async () => {
    const [now, listed] = (await bench.value('[performance.now(), Object.keys(performance)]')) as [number, string[]];
    expect(now).toBeGreaterThanOrEqual(0);
    expect(now).toBeLessThan(1000);
    expect(listed).toContain('now');
  });
}

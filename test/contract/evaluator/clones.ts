/** structuredClone. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bench } from './bench.ts';
import { sameAsNode } from './same-as-node.ts';

/** Tells of a value what a copy must have kept, in text: its kinds, its holes, its circles. */
const TELL = `const tell = (value, seen = new Map()) => {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : typeof value + ' ' + String(value);
  if (seen.has(value)) return 'again ' + seen.get(value);
  seen.set(value, seen.size);
  const inner = (each) => tell(each, seen);
  const kind = Object.prototype.toString.call(value);
  const own = Object.keys(value).map((key) => [key, inner(value[key])]);
  const proto = Object.getPrototypeOf(value)?.constructor.name;
  if (value instanceof Map) return [kind, proto, own, [...value].map(([k, v]) => [inner(k), inner(v)])];
  if (value instanceof Set) return [kind, proto, own, [...value].map(inner)];
  if (value instanceof Date) return [kind, proto, own, String(+value)];
  if (value instanceof RegExp) return [kind, proto, String(value), value.lastIndex];
  if (value instanceof ArrayBuffer) return [kind, [...new Uint8Array(value)], value.resizable, value.maxByteLength];
  if (ArrayBuffer.isView(value)) return [kind, value.byteOffset, value.byteLength, inner(value.buffer)];
  if (value instanceof Error) {
    const cause = Object.hasOwn(value, 'cause') ? inner(value.cause) : 'none';
    return [kind, proto, value.name, value.message, Object.hasOwn(value, 'message'), own, cause];
  }
  if (Array.isArray(value)) return [kind, proto, value.length, own];
  return [kind, proto, own, typeof value.valueOf() === 'object' ? '' : String(value.valueOf())];
};`;

const CLONE = (make: string): string => `() => {
  ${TELL}
  const original = (() => { ${make.includes('; return ') ? make : `return ${make}`} })();
  const copy = structuredClone(original);
  return [tell(copy), copy !== original];
}`;

const REFUSAL = (expression: string): string =>
  `() => { try { return ['copied', ${expression}] } catch (error) { return [error.name, error.code, error instanceof DOMException] } }`;

export function cloneTests(bench: Bench): void {
  const same = sameAsNode(bench);

  test('any JSON is copied, deeply', async () => {
    const code = `(value) => {
      const copy = structuredClone(value);
      const apart = typeof value !== 'object' || value === null || copy !== value;
      return [copy, apart, Object.entries(value ?? {}).every(([k, v]) => typeof v !== 'object' || v === null || copy[k] !== v)];
    }`;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), (input) => same(code, input)),
      { numRuns: 100 },
    );
  });

  describe('as in Node:', () => {
    test.each([
      '[undefined, null, true, -0, NaN, 1n, "ü\\ud800"]',
      '{ a: { b: [1, { c: 2 }] } }',
      'const o = { list: [] }; o.self = o; o.list.push(o, o.list); return o',
      'const shared = {}; return [shared, shared]',
      '[1, , 3, , ]',
      'Object.assign([1], { more: 2, "-1": 3 })',
      'JSON.parse(\'{"__proto__": {"a": 1}, "constructor": 2}\')',
      'new Map([[{ k: 1 }, new Map([[1, 2]])]])',
      'const m = new Map(); m.set(m, m); return m',
      'new Set([1, "1", [1], new Set()])',
      'const s = new Set(); s.add(s); return s',
      '[new Date(0), new Date(NaN)]',
      'const r = /a(b)?/giv; r.lastIndex = 3; return r',
      '[new Number(-0), new String("ab"), new Boolean(false), Object(5n)]',
      'new Uint8Array([1, 2, 3]).buffer',
      'const b = new Uint8Array([1, 2, 3, 4]).buffer; return [b, new Uint8Array(b, 1, 2), new DataView(b, 2)]',
      '[new Float32Array([1.5]), new BigInt64Array([-1n]), new Uint8ClampedArray([300]), new Float64Array(2)]',
      'new ArrayBuffer(2, { maxByteLength: 5 })',
      'new RangeError("why")',
      'new TypeError("why", { cause: new Error("because", { cause: [1] }) })',
      'Object.assign(new Error("why"), { code: "E", name: "Odd" })',
      'class Odd extends TypeError { name = "Odd" }; return new Odd("x")',
      'const e = new Error("x"); e.name = "RangeError"; return e',
      'new Error()',
      'new AggregateError([new Error("a")], "all")',
      'class Point { x = 1; get y() { return 2 } }; return new Point()',
      'Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } })',
      '{ get a() { return [1] }, [Symbol("s")]: 1 }',
      'Object.create(null)',
      'Object.freeze({ a: 1 })',
      'Object.assign(new Map([[1, 2]]), { own: 1 })',
      'Math',
    ])('%s', (make) => same(CLONE(make)));

    test.each([
      'structuredClone()',
      'structuredClone(() => 1)',
      'structuredClone({ a: [class {}] })',
      'structuredClone(Symbol("a"))',
      'structuredClone(Object(Symbol("a")))',
      'structuredClone(new WeakMap())',
      'structuredClone(new WeakRef({}))',
      'structuredClone(Promise.resolve())',
      'structuredClone([1].values())',
      'structuredClone((function* () {})())',
      'structuredClone(new URL("http://x"))',
      'structuredClone({ a: new Headers() })',
      'structuredClone(1, { transfer: [1] })',
      'structuredClone({ get a() { throw new RangeError("mine") } })',
    ])('%s is refused', async (expression) => {
      await same(REFUSAL(expression));
      expect(await bench.value(`(${REFUSAL(expression)})()`)).not.toEqual(['copied', expect.anything()]);
    });

    test('what is transferred is gone here, and there in the copy', () =>
      same(`() => {
        const bytes = new Uint8Array([1, 2]);
        const copy = structuredClone({ bytes }, { transfer: [bytes.buffer] });
        return [[...copy.bytes], bytes.length, bytes.buffer.detached];
      }`));
  });

  test('an error keeps the place where it was thrown', async () => {
    expect(await bench.value('structuredClone(new Error("x")).stack')).toMatch(/task\.js:1/);
  });
}

/** JSON on its way in and out: deep, wide, or written by the task itself. */
import { type HostileCase, STARVED, STOPPED, TOO_DEEP } from '../case.ts';

const UNWRITABLE = ['ResultTooLarge', 'ResultNotSerializable'] as const;

export const json: readonly HostileCase[] = [
  {
    name: 'a result a hundred thousand levels deep',
    forbids: 'overflow whoever writes or reads the result',
    code: `let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; return deep`,
    ends: [...UNWRITABLE, ...TOO_DEEP],
  },
  {
    name: 'a result two thousand levels deep',
    forbids: 'overflow whoever reads the result',
    code: `let deep = {}; for (let i = 0; i < 2000; i++) deep = { a: deep }; return deep`,
    ends: [...UNWRITABLE, ...TOO_DEEP],
  },
  {
    name: 'brackets in texts',
    forbids: 'be taken for depth',
    code: `return ['[['.repeat(5000), '"['.repeat(1000), '\\\\"{'.repeat(1000)].map((text) => text.length)`,
    ends: ['succeeded'],
    value: [10_000, 2000, 3000],
  },
  {
    name: 'a result full of brackets in texts',
    forbids: 'be taken for depth',
    code: `return { '[': '[['.repeat(5000), '"{': '\\\\"['.repeat(1000) }`,
    ends: ['succeeded'],
  },
  {
    name: 'a result that contains itself',
    forbids: 'hang whoever writes the result',
    code: `const ring = { a: {} }; ring.a.b = ring; return ring`,
    ends: ['ResultNotSerializable'],
  },
  {
    name: 'a result in which one object appears 2^40 times',
    forbids: 'take memory or time without end',
    code: `let twice = ['x']; for (let i = 0; i < 40; i++) twice = [twice, twice]; return twice`,
    ends: [...STARVED, ...UNWRITABLE],
  },
  {
    name: 'a result with a million items',
    forbids: 'fill the memory of the host',
    code: `return Array.from({ length: 1e6 }, (_, i) => i)`,
    ends: ['ResultTooLarge', ...STARVED],
  },
  {
    name: 'a result with fifty thousand keys',
    forbids: 'fill the memory of the host',
    code: `const wide = {}; for (let i = 0; i < 5e4; i++) wide['key' + i] = i; return wide`,
    ends: ['ResultTooLarge', ...STARVED],
  },
  {
    name: 'a result just below the limit',
    forbids: 'be refused',
    code: `return 'x'.repeat(64 * 1024 - 2)`,
    ends: ['succeeded'],
  },
  {
    name: 'a result just above the limit',
    forbids: 'come out',
    code: `return 'x'.repeat(64 * 1024 - 1)`,
    ends: ['ResultTooLarge'],
  },
  {
    name: 'a result of quotes and backslashes',
    forbids: 'be measured before it is escaped',
    code: `return '"\\\\\\u0001'.repeat(1e4)`,
    ends: ['ResultTooLarge'],
  },
  {
    name: 'a toJSON that never ends',
    forbids: 'outlive its time',
    code: `return { toJSON() { for (;;); } }`,
    ends: STOPPED,
  },
  {
    name: 'a toJSON in a toJSON in a toJSON',
    forbids: 'overflow whoever writes the result',
    code: `const again = () => ({ toJSON: () => ({ next: again() }) }); return again()`,
    ends: [...UNWRITABLE, ...TOO_DEEP],
  },
  {
    name: 'functions, symbols and undefined',
    forbids: 'come out as anything but JSON',
    code: `return { f() {}, s: Symbol('s'), u: undefined, [Symbol('k')]: 1, list: [() => {}, undefined, Symbol.iterator] }`,
    ends: ['succeeded'],
    value: { list: [null, null, null] },
  },
  {
    name: 'a result that is a function',
    forbids: 'count as no result',
    code: `return () => {}`,
    ends: ['ResultNotSerializable'],
  },
  {
    name: 'a result that is a symbol',
    forbids: 'count as no result',
    code: `return Symbol('s')`,
    ends: ['ResultNotSerializable'],
  },
  {
    name: 'boxed values that answer for themselves',
    forbids: 'come out as anything but JSON',
    code: `const boxed = Object(5); boxed.valueOf = () => 'five'; boxed.toString = () => 6; return [boxed, Object('s'), Object(true), new Date(NaN), new Map([[1, 2]]), /x/]`,
    ends: ['succeeded', 'ResultNotSerializable'],
  },
  {
    name: 'a parse of a million brackets',
    forbids: 'overflow the engine',
    code: `return JSON.parse('['.repeat(1e6))`,
    ends: ['Thrown', ...TOO_DEEP, 'EngineTrap'],
  },
  {
    name: 'a parse of a million levels',
    forbids: 'overflow the engine',
    code: `return typeof JSON.parse('['.repeat(1e6) + ']'.repeat(1e6))`,
    ends: ['Thrown', ...TOO_DEEP, 'EngineTrap'],
  },
  {
    name: 'a parse that is revived for ever',
    forbids: 'outlive its time',
    code: `JSON.parse('[1, 2, 3]', function (key, value) { if (Array.isArray(this)) this.push({ more: [1] }); return value === 3 ? (() => { for (;;); })() : value })`,
    ends: STOPPED,
  },
  {
    name: 'a reviver that swaps what is revived',
    forbids: 'read what was freed',
    code: `return typeof JSON.parse('{"a": [1, 2, {"b": 3}], "c": 4}', function (key, value) { if (key === '0') { this.length = 0; for (let i = 0; i < 1000; i++) this.push({ x: i }) } if (key === 'b') Object.setPrototypeOf(this, new Proxy({}, {})); return key === 'c' ? undefined : value })`,
    ends: ['succeeded', 'Thrown'],
  },
  {
    name: 'an indent of huge texts',
    forbids: 'take more than its memory',
    code: `let deep = {}; for (let i = 0; i < 1500; i++) deep = { deep }; let length = 0; for (;;) length += JSON.stringify(deep, null, '          ').length`,
    ends: STARVED,
  },
  {
    name: 'a replacer that adds for ever',
    forbids: 'take memory or time without end',
    code: `return JSON.stringify({ a: 1 }, (key, value) => ({ a: value }))`,
    ends: [...TOO_DEEP, 'Thrown', 'EngineTrap'],
  },
  {
    name: 'a list of keys that is a proxy',
    forbids: 'outlive its time',
    code: `return JSON.stringify({ a: 1 }, new Proxy([], { get: (_t, key) => (key === 'length' ? 2 ** 32 : 'a') }))`,
    ends: [...STARVED, 'Thrown'],
  },
  {
    name: 'a log line a hundred thousand levels deep',
    forbids: 'overflow whoever writes the log',
    code: `let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; ctx.log(deep); return 'logged'`,
    ends: ['succeeded', ...TOO_DEEP],
  },
  {
    name: 'an argument of a call five thousand levels deep',
    forbids: 'overflow the host, which reads it',
    code: `let deep = []; for (let i = 0; i < 5000; i++) deep = [deep]; await ctx.call('echo', deep); await ctx.call('merge', {}, deep); return 'called'`,
    ends: ['succeeded', 'Thrown', ...TOO_DEEP],
  },
];

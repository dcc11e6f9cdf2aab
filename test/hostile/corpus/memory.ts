/** Everything that can be made without end, and what is left of it. */
import { type HostileCase, REFUSED, STARVED } from '../case.ts';

const MORE = 'take more than its memory';

/** Endless loops, each filling the memory with something else. */
const BOMBS: readonly (readonly [string, string])[] = [
  ['lists', 'const all = []; for (;;) all.push(new Array(1000).fill(all))'],
  ['objects', 'const all = []; for (;;) all.push({ a: 1, b: { c: all } })'],
  ['a map', 'const all = new Map(); for (let i = 0; ; i++) all.set({}, i)'],
  ['a set', 'const all = new Set(); for (let i = 0; ; i++) all.add("key" + i)'],
  [
    'weak maps',
    'const all = []; for (;;) { const key = {}; new WeakMap([[key, key]]); all.push(key, new WeakRef(key)) }',
  ],
  ['keys of one object', 'const one = {}; for (let i = 0; ; i++) one["key" + i] = i'],
  ['symbols', 'const all = []; for (let i = 0; ; i++) all.push(Symbol.for("s" + i), Symbol(i))'],
  ['closures', 'let f = () => 1; for (;;) { const g = f; f = () => g }'],
  ['functions from text', 'const all = []; for (let i = 0; ; i++) all.push(new Function("return " + i))'],
  ['regular expressions', 'const all = []; for (let i = 0; ; i++) all.push(new RegExp("(a|b)*" + i))'],
  ['generators', 'const all = []; function* g() { yield all } for (;;) { const one = g(); one.next(); all.push(one) }'],
  ['classes', 'const all = []; for (;;) all.push(class { #a = 1; static b = all; get c() { return 1 } })'],
  [
    'finalizers',
    'const registry = new FinalizationRegistry(() => {}); const all = []; for (;;) { const o = {}; all.push(o); registry.register(o, {}, o) }',
  ],
  ['dates, errors and proxies', 'const all = []; for (;;) all.push(new Date(), new Error("x"), new Proxy({}, {}))'],
];

export const memory: readonly HostileCase[] = [
  ...BOMBS.map(([what, code]): HostileCase => ({ name: `${what} without end`, forbids: MORE, code, ends: STARVED })),
  {
    name: 'the end of memory, caught without end',
    forbids: 'outlive its time, or take more than its memory',
    code: `const all = []; for (;;) try { for (;;) all.push(new Array(1e5).fill(0)) } catch {}`,
    ends: STARVED,
  },
  {
    name: 'the end of memory, caught, and a result',
    forbids: 'report a success as a failure, or the other way round',
    code: `let all = []; try { for (;;) all.push(new Uint8Array(1e6)) } catch { all = null } return 'alive'`,
    ends: ['succeeded', 'Memory'],
    value: 'alive',
  },
  {
    name: 'the end of memory while the result is written',
    forbids: 'come out as anything but an error',
    code: `const all = []; try { for (;;) all.push('x'.repeat(1e6) + all.length) } catch {} return all`,
    ends: [...REFUSED, 'ResultTooLarge', 'ResultNotSerializable', 'succeeded'],
  },
  {
    name: 'the end of memory while an error is described',
    forbids: 'leave the run without an outcome',
    code: `const all = []; try { for (;;) all.push(new Array(10).fill(all)) } catch {} throw { get message() { return 'x'.repeat(1e7) }, get stack() { return all.map(String).join() } }`,
    ends: REFUSED,
  },
  {
    name: 'the end of memory in every callback',
    forbids: 'leave the run without an outcome',
    code: `const all = []; try { for (;;) all.push(new Array(10).fill(all)) } catch {} ctx.log('full'); await ctx.call('echo', 'x'.repeat(1000)).catch(() => {}); await new Promise((resolve) => setTimeout(resolve, 1)); return all.length > 0`,
    ends: [...REFUSED, 'Stalled', 'succeeded', 'EngineTrap'],
  },
  {
    name: 'the end of a memory of one MiB',
    forbids: 'take more than its memory',
    limits: { memoryBytes: 1024 * 1024 },
    code: `const all = []; for (;;) all.push({})`,
    ends: STARVED,
  },
  {
    name: 'memory that is filled and given back',
    forbids: 'leave a pattern for the next run',
    code: `for (let round = 0; round < 3; round++) { const all = []; for (let i = 0; i < 20; i++) all.push(new Uint8Array(1e6).fill(0xa5), 'residue '.repeat(1e5)) } return 'filled'`,
    ends: ['succeeded', ...STARVED],
    value: 'filled',
  },
  {
    name: 'finalizers that keep what they finalize',
    forbids: 'run after the end of the run',
    code: `const registry = new FinalizationRegistry(() => { ctx.call('boom') }); for (let i = 0; i < 1000; i++) registry.register({ i }, i); return 'registered'`,
    ends: ['succeeded'],
    value: 'registered',
  },
  {
    name: 'weak references to what is gone',
    forbids: 'read what was freed',
    code: `const refs = []; for (let i = 0; i < 1000; i++) { const ring = { i }; ring.self = ring; refs.push(new WeakRef(ring)) } const churn = []; for (let i = 0; i < 1e5; i++) churn[i % 10] = { churn: [i] }; await null; return refs.filter((ref) => ref.deref()?.i >= 0).length <= 1000`,
    ends: ['succeeded'],
    value: true,
  },
  {
    name: 'a collector that is called',
    forbids: 'reach the collector, or read what it freed',
    code: `return [typeof gc, typeof globalThis.std?.gc, typeof globalThis.$262?.gc]`,
    ends: ['succeeded'],
    value: ['undefined', 'undefined', 'undefined'],
  },
];

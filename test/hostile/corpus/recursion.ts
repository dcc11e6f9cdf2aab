/** Depth: calls in calls, of every kind that a built-in function makes on its own. */
import { type HostileCase, TOO_DEEP } from '../case.ts';

const CAUGHT = ['succeeded', 'StackOverflow', 'Memory', 'Timeout'] as const;
const CONTAINED = [...CAUGHT, 'Thrown', 'EngineTrap'] as const;

export const recursion: readonly HostileCase[] = [
  {
    name: 'a function that calls itself',
    forbids: 'overflow the thread',
    code: `const f = () => f() + 1; return f()`,
    ends: ['StackOverflow'],
  },
  {
    name: 'a function that calls itself, and tries again',
    forbids: 'overflow the thread, or outlive its time',
    code: `const f = () => { try { return f() } catch { return f() } }; return f()`,
    ends: TOO_DEEP,
  },
  ...(
    [
      ['a getter', `const o = { get x() { return this.x } }; return o.x`],
      ['a setter', `const o = { set x(v) { this.x = v } }; o.x = 1`],
      ['toString', `const o = { toString() { return 'x' + this } }; return String(o)`],
      ['toPrimitive', `const o = { [Symbol.toPrimitive]() { return +this } }; return +o`],
      ['valueOf', `const o = { valueOf() { return this < 1 } }; return o > 0`],
      ['toJSON', `const o = { toJSON() { return JSON.stringify(o) } }; return JSON.stringify(o)`],
      [
        'a proxy of itself',
        `const handler = {}; const p = new Proxy({}, handler); handler.get = (_t, key, self) => self[key]; return p.x`,
      ],
      [
        'a prototype that is a proxy of itself',
        `const p = new Proxy(Object.create(null), { get: (t, key, self) => Reflect.get(self, key) }); return Object.create(p).x`,
      ],
      ['a constructor', `class A { constructor() { new new.target() } } return new A()`],
      ['a tagged template', 'const tag = () => tag`x`; return tag`x`'],
      ['eval', `const f = () => eval('f()'); return f()`],
      ['Function', `globalThis.f = () => new Function('return f()')(); return f()`],
      ['apply', `const f = () => Reflect.apply(f, null, []); return f()`],
      ['a bound function', `let f = () => g(); let g = f.bind(null); return g()`],
      ['map', `const f = () => [1].map(f); return f()`],
      ['sort', `const f = () => [2, 1].sort(f); return f()`],
      ['replace', `const f = () => 'x'.replace(/x/, f); return f()`],
      ['a reviver', `const f = () => JSON.parse('[1]', f); return f()`],
      ['a generator', `function* f() { yield* f() } return [...f()]`],
      ['a default argument', `const f = (a = f()) => a; return f()`],
      ['destructuring', `const o = { get a() { const { a } = o; return a } }; return o.a`],
      ['instanceof', `const o = { [Symbol.hasInstance]: () => ({}) instanceof o }; return ({}) instanceof o`],
      ['an async function', `const f = async () => { await f() }; await f()`],
      ['the executor of a promise', `const f = () => new Promise(f); return f()`],
      ['a thenable', `const t = { then() { t.then() } }; return Promise.resolve(t)`],
      ['Array.from', `const o = { length: 1, get 0() { return Array.from(o) } }; return Array.from(o)`],
      [
        'an error that is described',
        `const e = new Error('x'); Object.defineProperty(e, 'message', { get() { return String(e) } }); throw e`,
      ],
    ] as const
  ).map(
    ([what, code]): HostileCase => ({
      name: `${what} that goes on for ever`,
      forbids: 'overflow the thread',
      code,
      ends: [...TOO_DEEP, 'Thrown', 'EngineTrap', 'ResultNotSerializable', 'Stalled'],
    }),
  ),
  {
    name: 'a hundred thousand proxies around each other',
    forbids: 'overflow the thread',
    code: `let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); try { return typeof p.x } catch (error) { return error.name }`,
    ends: CONTAINED,
  },
  {
    name: 'a hundred thousand bound functions around each other',
    forbids: 'overflow the thread',
    code: `let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); try { return f() } catch (error) { return error.name }`,
    ends: CONTAINED,
  },
  {
    name: 'a chain of a hundred thousand prototypes',
    forbids: 'outlive its time in a look-up',
    code: `let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); for (;;) o.missing`,
    ends: ['Timeout', 'Memory'],
  },
  {
    name: 'a chain of two thousand classes',
    forbids: 'overflow the thread',
    code: `let A = class {}; for (let i = 0; i < 2000; i++) { const B = A; A = class extends B { constructor() { super(); this.n = i } } } try { return new A().n } catch (error) { return error.name }`,
    ends: CONTAINED,
  },
  {
    name: 'a list nested a hundred thousand levels, flattened, compared and written as text',
    forbids: 'overflow the thread',
    code: `let deep = [1]; for (let i = 0; i < 1e5; i++) deep = [deep]; const ends = []; for (const act of [() => deep.flat(Infinity), () => String(deep), () => deep.toLocaleString(), () => deep == 1]) try { ends.push(typeof act()) } catch (error) { ends.push(error.name) } return ends`,
    ends: CONTAINED,
  },
  {
    name: 'a million objects in a row, dropped at once',
    forbids: 'overflow the thread when they are freed',
    code: `let row = null; for (let i = 0; i < 5e5; i++) row = { row }; row = null; let f = () => 1; for (let i = 0; i < 2e5; i++) { const g = f; f = () => g } f = null; return 'freed'`,
    ends: ['succeeded', 'Memory', 'Timeout'],
    value: 'freed',
  },
  {
    name: 'a hundred thousand generators inside each other',
    forbids: 'overflow the thread',
    code: `function* wrap(inner) { yield* inner } let g = [1][Symbol.iterator](); for (let i = 0; i < 1e5; i++) g = wrap(g); try { return g.next().value } catch (error) { return error.name }`,
    ends: CONTAINED,
  },
  {
    name: 'iterator helpers around each other',
    forbids: 'overflow the thread',
    code: `let g = [1].values(); for (let i = 0; i < 1e5; i++) g = g.map((n) => n); try { return g.next().value } catch (error) { return error.name }`,
    ends: CONTAINED,
  },
  {
    name: 'causes a hundred thousand levels deep',
    forbids: 'overflow whoever describes the error',
    code: `let error = new Error('root'); for (let i = 0; i < 1e5; i++) error = new Error('caused', { cause: error }); throw error`,
    ends: ['Thrown', 'Memory', 'Timeout'],
  },
  {
    name: 'an overflow on the way to the host',
    forbids: 'catch the host in the middle of a message',
    code: `let calls = 0; const f = () => { try { f() } finally { try { ctx.log('deep'); ctx.call('add', 1, 2).catch(() => {}); setTimeout(() => {}, 1); calls++ } catch {} } }; try { f() } catch {} return 'back'`,
    ends: [...CAUGHT, 'Thrown', 'HostCallLimit', 'TimerLimit', 'ConcurrencyLimit'],
  },
];

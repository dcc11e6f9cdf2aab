/** Code of the task that runs when somebody looks: proxies, getters, thenables, conversions. */
import { type HostileCase, REFUSED, STOPPED, TOO_DEEP } from '../case.ts';

const UNWRITABLE = ['ResultNotSerializable', 'Thrown'] as const;

export const traps: readonly HostileCase[] = [
  {
    name: 'a result whose keys never end',
    forbids: 'hang whoever writes the result',
    code: `return new Proxy({}, { ownKeys() { for (;;); } })`,
    ends: STOPPED,
  },
  {
    name: 'a result that is a proxy in a proxy, for ever',
    forbids: 'overflow whoever writes the result',
    code: `const deeper = { get: (_t, key) => (key === 'then' || key === 'toJSON' ? undefined : new Proxy({}, deeper)), ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) };
      return new Proxy({}, deeper)`,
    ends: [...TOO_DEEP, ...UNWRITABLE, 'EngineTrap'],
  },
  {
    name: 'a result with a million keys made on demand',
    forbids: 'fill the memory of the host',
    code: `const keys = Array.from({ length: 1e6 }, (_, i) => 'k' + i);
      return new Proxy({}, { ownKeys: () => keys, getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }), get: (_t, key) => (key === 'then' ? undefined : 1) })`,
    ends: ['ResultTooLarge', 'Timeout', 'Memory', ...UNWRITABLE],
  },
  {
    name: 'a result that is a list of 2^32 - 1 made on demand',
    forbids: 'hang whoever writes the result',
    code: `return new Proxy([], { get: (_t, key) => (key === 'length' ? 2 ** 32 - 1 : undefined) })`,
    ends: REFUSED,
  },
  {
    name: 'a result whose getter loops',
    forbids: 'hang whoever writes the result',
    code: `return { get x() { for (;;); } }`,
    ends: STOPPED,
  },
  {
    name: 'a result whose getter throws',
    forbids: 'count as the error of somebody else',
    code: `return { get x() { throw { name: 'EngineTrap', message: 'from inside' } } }`,
    ends: ['ResultNotSerializable'],
  },
  {
    name: 'a result that is a revoked proxy',
    forbids: 'throw where nobody catches it',
    code: `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return { proxy }`,
    ends: ['ResultNotSerializable'],
  },
  {
    name: 'a default export that is a revoked proxy',
    forbids: 'throw where nobody catches it',
    source: `const { proxy, revoke } = Proxy.revocable(function () {}, {}); revoke(); export default proxy`,
    ends: ['Thrown', 'ResultNotSerializable'],
  },
  {
    name: 'a then that is another one at every look',
    forbids: 'settle the run twice',
    code: `let looks = 0; return new Proxy({}, { get: (_t, key) => (key === 'then' && ++looks < 3 ? (resolve) => { resolve(looks); resolve('again') } : undefined) })`,
    ends: ['succeeded', 'Stalled'],
    never: /again/,
  },
  {
    name: 'a then that resolves and rejects and throws',
    forbids: 'settle the run twice',
    code: `return { then(resolve, reject) { resolve('first'); reject(new Error('second')); resolve('third'); throw new Error('fourth') } }`,
    ends: ['succeeded'],
    value: 'first',
  },
  {
    name: 'a then that gives another then, for ever',
    forbids: 'hold the thread with jobs',
    code: `const again = { then(resolve) { resolve(again) } }; return again`,
    ends: STOPPED,
  },
  {
    name: 'a toJSON that calls the host',
    forbids: 'enter the host while it writes the result',
    code: `return { toJSON() { ctx.call('add', 1, 2); setTimeout(() => ctx.call('boom'), 0); ctx.log('inside'); return 'written' } }`,
    ends: ['succeeded'],
    value: 'written',
    callsAtMost: { boom: 0 },
  },
  {
    name: 'a toJSON that is different at every look',
    forbids: 'have the host see one value and keep another',
    code: `let n = 0; const shifty = { toJSON: () => (n++ === 0 ? 'small' : 'x'.repeat(1e6)) }; return [shifty]`,
    ends: ['succeeded'],
    value: ['small'],
  },
  {
    name: 'an argument of a call that calls again, for ever',
    forbids: 'overflow or hang the host through its arguments',
    code: `const nested = { toJSON() { ctx.call('echo', nested).catch(() => {}); return 1 } }; await ctx.call('echo', nested); return 1`,
    ends: [...TOO_DEEP, 'succeeded', 'Thrown', 'HostCallLimit', 'ConcurrencyLimit'],
    callsAtMost: { echo: 100 },
  },
  {
    name: 'an argument of a call that loops',
    forbids: 'hang the host through its arguments',
    code: `await ctx.call('echo', { get x() { for (;;); } })`,
    ends: STOPPED,
    callsAtMost: { echo: 0 },
  },
  {
    name: 'a proxy as argument of a call',
    forbids: 'arrive as anything but data',
    code: `return ctx.call('echo', new Proxy({ a: 1 }, { get: (t, key) => (key === 'a' ? 2 : t[key]) }))`,
    ends: ['succeeded'],
    value: { a: 2 },
  },
  {
    name: 'a name of a call that changes between looks',
    forbids: 'be checked under one name and called under another',
    code: `let n = 0; return ctx.call({ toString: () => (n++ === 0 ? 'add' : 'boom') }, 1, 2)`,
    ends: ['succeeded', 'CapabilityDenied'],
    callsAtMost: { add: 1, boom: 0 },
  },
  {
    name: 'a log line that loops',
    forbids: 'hang whoever writes the log',
    code: `ctx.log({ toJSON() { for (;;); }, toString() { for (;;); }, get x() { for (;;); } }); return 'logged'`,
    ends: ['Timeout', 'succeeded'],
  },
  {
    name: 'log lines of everything that resists',
    forbids: 'make logging throw, or show anything but text',
    code: `const { proxy, revoke } = Proxy.revocable({}, {}); revoke();
      ctx.log(proxy, Symbol('s'), 1n, null, undefined, () => {}, new Proxy(new Error('e'), {}), { toJSON() { throw 1 } }, Object.create(null), { toString: null }, NaN, -0);
      console.error(new Proxy(() => {}, { get() { throw 2 } })); return 'logged'`,
    ends: ['succeeded'],
    value: 'logged',
  },
  {
    name: 'a delay of a timer that loops',
    forbids: 'hang the guest',
    code: `setTimeout(() => {}, { valueOf() { for (;;); } })`,
    ends: STOPPED,
  },
  {
    name: 'conversions that never give a primitive',
    forbids: 'confuse the host with an object for a text',
    code: `const shy = { [Symbol.toPrimitive]: () => ({}) }; const ends = [];
      for (const act of [() => setTimeout(() => {}, shy), () => ctx.log(shy), () => ctx.call(shy), () => String(shy)])
        try { await act(); ends.push('ok') } catch (error) { ends.push(error.name) }
      return ends`,
    ends: ['succeeded'],
  },
  {
    name: 'instanceof that lies',
    forbids: 'be taken for a promise or an error',
    code: `for (const type of [Promise, Error, Array]) Object.defineProperty(type, Symbol.hasInstance, { value: () => true, configurable: true }); return { plain: true }`,
    ends: ['succeeded'],
    value: { plain: true },
  },
  {
    name: 'raw JSON',
    forbids: 'put a number outside of JSON, or JSON of its own, into the result',
    code: `const raw = JSON.rawJSON ?? ((text) => text); return [raw('1e999'), raw('-0'), raw('"\\ud800"')]`,
    ends: ['succeeded', 'Thrown', 'ResultNotSerializable'],
  },
];

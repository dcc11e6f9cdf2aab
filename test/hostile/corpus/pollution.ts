/** Keys and prototypes that mean more to a host than to the task that writes them. */
import { type HostileCase, ITS_OWN_LOSS } from '../case.ts';

const PROTO = `JSON.parse('{"__proto__": {"isAdmin": true, "polluted": "yes"}}')`;
const NO_PROTOTYPE = 'give an object of the host another prototype, or the key that could';

export const pollution: readonly HostileCase[] = [
  { name: 'a result with __proto__', forbids: NO_PROTOTYPE, code: `return ${PROTO}`, ends: ITS_OWN_LOSS },
  {
    name: 'a result with __proto__ deep inside',
    forbids: NO_PROTOTYPE,
    code: `return { list: [{ deep: ${PROTO} }], output: ${PROTO} }`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'a result with a defined __proto__',
    forbids: NO_PROTOTYPE,
    code: `return [{ ['__proto__']: { isAdmin: true } }, Object.defineProperty({}, '__proto__', { value: [1], enumerable: true })]`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'a state with __proto__',
    forbids: 'carry another prototype to the next run',
    code: `return { state: ${PROTO}, nextAt: ${PROTO} }`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'completed in a prototype',
    forbids: 'end the task for good without an own property that says so',
    code: `return JSON.parse('{"__proto__": {"completed": true, "state": 7, "nextAt": 0}}')`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'completed in Object.prototype',
    forbids: 'end the task for good without an own property that says so',
    code: `Object.prototype.completed = true; Object.prototype.state = 1; return {}`,
    ends: ['succeeded'],
    value: {},
  },
  {
    name: 'completed as something like true',
    forbids: 'end the task for good with anything but true',
    code: `return { completed: 'true', state: undefined, nextAt: NaN }`,
    ends: ['succeeded'],
    value: { completed: 'true', nextAt: null },
  },
  {
    name: 'keys with names of built-in properties',
    forbids: 'pass as the methods of a host object',
    code: `return { constructor: { prototype: { polluted: 'yes' } }, hasOwnProperty: 1, toString: 2, valueOf: 3, then: 4, toJSON: 5, length: 2 ** 53, __defineGetter__: 6 }`,
    ends: ['succeeded'],
  },
  {
    name: 'an input with __proto__',
    forbids: 'have its prototype set by what a caller sent',
    input: JSON.parse('{"__proto__": {"isAdmin": true}, "x": {"__proto__": null}}'),
    code: `return [Object.getPrototypeOf(ctx.input) === Object.prototype, Object.getPrototypeOf(ctx.input.x) === Object.prototype, ctx.input.isAdmin === undefined, ({}).isAdmin === undefined]`,
    ends: ['succeeded'],
    value: [true, true, true, true],
  },
  {
    name: 'an echo of an input with __proto__',
    forbids: NO_PROTOTYPE,
    input: JSON.parse('{"__proto__": {"isAdmin": true}}'),
    code: `return ctx.input`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: '__proto__ in the arguments of a naive merge',
    forbids: 'pollute the prototypes of the host',
    code: `await ctx.call('merge', {}, ${PROTO}); await ctx.call('merge', ${PROTO}, { a: {} }); await ctx.call('merge', [], [${PROTO}]);
      const seen = await ctx.call('echo', {}); return seen.polluted === undefined`,
    ends: ['succeeded', 'Thrown'],
    value: true,
  },
  {
    name: 'constructor.prototype in the arguments of a naive merge',
    forbids: 'pollute the prototypes of the host',
    code: `await ctx.call('merge', {}, { constructor: { prototype: { polluted: 'yes' } } }); return (await ctx.call('echo', {})).polluted === undefined`,
    ends: ['succeeded'],
    value: true,
  },
  {
    name: '__proto__ written with escapes in the arguments',
    forbids: 'get past a filter that looks at text',
    code: `JSON.stringify = () => '[]'; const key = '__pro' + 'to__';
      await ctx.call('merge', {}, Object.defineProperty({}, key, { value: { polluted: 'yes' }, enumerable: true }));
      return JSON.parse('{"\\\\u005f_proto__": {"isAdmin": true}}')`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'an echo with __proto__',
    forbids: 'come back with another prototype',
    code: `const back = await ctx.call('echo', ${PROTO}); return [back.isAdmin === undefined, Object.getPrototypeOf(back) === Object.prototype]`,
    ends: ['succeeded', 'Thrown'],
    value: [true, true],
  },
  { name: 'an error with __proto__', forbids: NO_PROTOTYPE, code: `throw ${PROTO}`, ends: ['Thrown'] },
  {
    name: 'an error with toJSON and __proto__ in everything',
    forbids: NO_PROTOTYPE,
    code: `Object.prototype.toJSON = () => (${PROTO}); String.prototype.toJSON = () => (${PROTO}); throw new Error('x')`,
    ends: ['Thrown'],
  },
  {
    name: 'toJSON in all prototypes',
    forbids: 'change more than its own result',
    code: `for (const type of [Object, Array, String, Number, Boolean]) type.prototype.toJSON = () => 'mine';
      ctx.log('a', { b: 1 }); await ctx.call('add', 1, 2).catch(() => {}); return { completed: true }`,
    ends: ['succeeded'],
  },
  {
    name: 'setters for indices and names in all prototypes',
    forbids: 'catch what the guest writes into its own objects',
    code: `const caught = [];
      for (const key of ['0', '1', '2', 'name', 'message', 'stack', 'fulfil', 'reject', 'callback', 'args', 'id', 'call', 'log', 'now'])
        for (const target of [Object.prototype, Array.prototype])
          Object.defineProperty(target, key, { configurable: true, set(value) { caught.push(typeof value) }, get: () => undefined });
      ctx.log('a', 'b'); setTimeout((x) => ctx.log(x), 0, 1); const sum = await ctx.call('add', 1, 2);
      return [sum, caught.includes('function')]`,
    ends: ['succeeded', 'Thrown', 'Stalled'],
  },
  {
    name: 'an iterator of arrays that lies',
    forbids: 'send other arguments than the host takes for a list',
    code: `Array.prototype[Symbol.iterator] = function* () { yield 40; yield 2; yield { boom: 1 } }; return await ctx.call('add', 1, 2)`,
    ends: ['succeeded', 'Thrown'],
  },
  {
    name: 'intrinsics replaced by its own',
    forbids: 'keep its result from getting out, or have it forged by the host',
    code: `JSON.stringify = () => '{"completed":true}'; JSON.parse = () => ({}); Reflect.apply = () => {}; String.prototype.slice = () => 'D1';
      Function.prototype.call = Function.prototype.apply = () => {}; Object.defineProperty = () => {}; Error.isError = () => true;
      globalThis.String = () => 'x'; globalThis.Error = class {}; globalThis.TypeError = null; Math.imul = () => 0;
      return { a: 1 }`,
    ends: ['succeeded'],
    value: { a: 1 },
  },
  {
    name: 'everything frozen or deleted',
    forbids: 'keep the guest from working for this run or the next',
    code: `for (const name of Object.getOwnPropertyNames(globalThis)) { try { Object.freeze(globalThis[name]?.prototype); Object.freeze(globalThis[name]) } catch {} try { delete globalThis[name] } catch {} }
      return 'gone'`,
    ends: ['succeeded'],
    value: 'gone',
  },
  {
    name: 'its own ctx taken apart',
    forbids: 'reach what is behind it',
    code: `const { log } = ctx; for (const key of Object.keys(ctx)) delete ctx[key]; Object.setPrototypeOf(ctx, null); log.call(null, 'still'); log.apply(new Proxy({}, {}), [1]); return Object.keys(ctx)`,
    ends: ['succeeded'],
    value: [],
  },
];

/** Promises that nobody keeps, or that somebody else keeps. */
import { type HostileCase, ITS_OWN_LOSS, STOPPED } from '../case.ts';

const WAIT = 'wait for ever, or be taken for a run that took too long';

export const promises: readonly HostileCase[] = [
  { name: 'a promise that is never kept', forbids: WAIT, code: `await new Promise(() => {})`, ends: ['Stalled'] },
  { name: 'a result that is never there', forbids: WAIT, code: `return new Promise(() => {})`, ends: ['Stalled'] },
  {
    name: 'a script that waits for nothing',
    forbids: WAIT,
    source: `new Promise(() => {})`,
    ends: ['Stalled'],
  },
  {
    name: 'a module that waits before its export',
    forbids: WAIT,
    source: `await new Promise(() => {}); export default () => 1`,
    ends: ['Stalled'],
  },
  {
    name: 'a module that throws after it has waited',
    forbids: 'be lost',
    source: `await null; throw new Error('top'); export default () => 1`,
    ends: ['Thrown'],
  },
  {
    name: 'two promises that wait for each other',
    forbids: WAIT,
    code: `let b; const a = (async () => { await null; return b })(); b = (async () => a)(); return a`,
    ends: ['Stalled', 'Thrown'],
  },
  {
    name: 'a promise that waits for itself',
    forbids: WAIT,
    code: `let settle; const self = new Promise((resolve) => { settle = resolve }); settle(self); return self`,
    ends: ['Thrown'],
  },
  {
    name: 'a race of nobody',
    forbids: WAIT,
    code: `return Promise.race([])`,
    ends: ['Stalled'],
  },
  {
    name: 'a then that does nothing',
    forbids: WAIT,
    code: `return { then() {} }`,
    ends: ['Stalled'],
  },
  {
    name: 'an iterator that never gives',
    forbids: WAIT,
    code: `for await (const one of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }); return 1`,
    ends: ['Stalled'],
  },
  {
    name: 'a promise that is never kept after a host call',
    forbids: WAIT,
    code: `await ctx.call('add', 1, 2); await new Promise(() => {})`,
    ends: ['Stalled'],
  },
  {
    name: 'a promise that is never kept beside a timer',
    forbids: 'outlive its time',
    code: `setTimeout(() => {}, 1e6); await new Promise(() => {})`,
    ends: STOPPED,
  },
  {
    name: 'Promise.prototype.then replaced',
    forbids: 'come between the guest and its promises',
    code: `const caught = []; const { then } = Promise.prototype; Promise.prototype.then = function (...functions) { caught.push(...functions.map(String)); return then.apply(this, functions) };
      const sum = await ctx.call('add', 1, 2); return [sum, caught.join().includes('host')]`,
    ends: ['succeeded'],
    value: [3, false],
  },
  {
    name: 'Promise.prototype.then taken away',
    forbids: 'keep the run from ending',
    code: `Promise.prototype.then = undefined; delete Promise.prototype.catch; return { gone: true }`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'Promise.prototype.constructor replaced',
    forbids: 'come between the guest and its promises',
    code: `Promise.prototype.constructor = function (executor) { executor(() => {}, () => {}) }; return ctx.call('add', 1, 2)`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'the global Promise replaced by one that answers at once',
    forbids: 'have the host take an answer that it never gave',
    code: `const Real = Promise; globalThis.Promise = class extends Real { constructor(executor) { super((resolve, reject) => { executor(resolve, reject); resolve('forged') }) } }; return ctx.call('slow', 1e6)`,
    ends: [...ITS_OWN_LOSS, 'Timeout'],
    callsAtMost: { slow: 1 },
  },
  {
    name: 'the global Promise replaced by one that throws',
    forbids: 'keep the run from ending',
    code: `globalThis.Promise = new Proxy(Promise, { construct() { throw new Error('no promise') } }); return ctx.call('add', 1, 2)`,
    ends: ITS_OWN_LOSS,
  },
  {
    name: 'Promise.resolve replaced',
    forbids: 'have the guest wait for something else',
    code: `Promise.resolve = () => ({ then() {} }); return (async () => 'real')()`,
    ends: ['succeeded'],
    value: 'real',
  },
  {
    name: 'a subclass whose then keeps everything to itself',
    forbids: 'keep the run from ending',
    code: `class Silent extends Promise { then() { return this } } return Silent.resolve(1)`,
    ends: ['Stalled', 'succeeded'],
  },
  {
    name: 'a result that is a generator',
    forbids: 'be run by the host',
    source: `export default async function* () { for (;;) yield 1 }`,
    ends: ['succeeded', 'ResultNotSerializable'],
  },
  {
    name: 'a hundred thousand promises inside each other',
    forbids: 'overflow whoever settles them',
    code: `let last = Promise.resolve('end'); for (let i = 0; i < 1e5; i++) { const inner = last; last = new Promise((resolve) => resolve(inner)) } return last`,
    ends: ['succeeded', 'Timeout', 'Memory'],
  },
  {
    name: 'withResolvers in strange hands',
    forbids: 'break the engine',
    code: `const made = Promise.withResolvers.call(function (executor) { executor(() => {}, () => {}); return new Proxy({}, {}) }); const tried = Promise.try.call(class extends Promise {}, () => { throw new Error('x') });
      return [typeof made.resolve, await tried.catch((error) => error.message)]`,
    ends: ['succeeded'],
    value: ['function', 'x'],
  },
];

/** Timers that are too many, too long, or never were. */
import { type HostileCase, STOPPED } from '../case.ts';

const LIMITED = ['Thrown', 'TimerLimit'] as const;

export const timers: readonly HostileCase[] = [
  {
    name: 'ten thousand timers',
    forbids: 'fill the memory of the host with timers',
    code: `for (let i = 0; i < 10000; i++) setTimeout(() => {}, 1e6); return 1`,
    ends: LIMITED,
  },
  {
    name: 'timers up to the limit, and a result',
    forbids: 'keep the run, or anything of it, alive',
    code: `for (let i = 0; i < 100; i++) setTimeout(() => ctx.call('add', 1, 2), i); return 'over'`,
    ends: ['succeeded'],
    value: 'over',
    callsAtMost: { add: 0 },
  },
  {
    name: 'a limit that is caught, again and again',
    forbids: 'count what was refused, or break the timers that were not',
    code: `let refused = 0; let fired = 0; for (let i = 0; i < 1000; i++) try { setTimeout(() => fired++, 1) } catch { refused++ }
      await new Promise((resolve) => { const wait = () => { try { setTimeout(resolve, 20) } catch { queueMicrotask(wait) } }; wait() }); return [refused, fired]`,
    ends: ['succeeded', 'Timeout'],
  },
  {
    name: 'timers set and cleared without end',
    forbids: 'outlive its time',
    code: `for (;;) clearTimeout(setTimeout(() => {}, 1000))`,
    ends: STOPPED,
  },
  {
    name: 'a hundred thousand timers set and cleared',
    forbids: 'leave anything behind in the host',
    code: `for (let i = 0; i < 1e5; i++) clearTimeout(setTimeout(() => {}, 1e6)); return 'clean'`,
    ends: ['succeeded', 'Timeout'],
    value: 'clean',
  },
  {
    name: 'a delay of eleven days',
    forbids: 'outlive its time',
    code: `await new Promise((resolve) => setTimeout(resolve, 1e9)); return 'early'`,
    ends: STOPPED,
  },
  {
    name: 'delays beyond the timers of the host',
    forbids: 'fire at once because a number overflowed',
    code: `return Promise.race([1e10, 2 ** 31, 2 ** 32 + 1, 2 ** 53, 1e308].map((ms) => new Promise((resolve) => setTimeout(() => resolve('early'), ms))))`,
    ends: STOPPED,
  },
  {
    name: 'an infinite delay',
    forbids: 'break the timers of the host',
    code: `await new Promise((resolve) => setTimeout(resolve, Infinity)); return 'fired'`,
    ends: ['Timeout', 'succeeded', 'Thrown', 'Stalled'],
  },
  {
    name: 'delays that are no delays',
    forbids: 'break the timers of the host',
    code: `await Promise.all([-1, -Infinity, NaN, '5', null, undefined, true, [], [[3]], {}, '1e1', '0x10', ' 2\\n'].map((ms) => new Promise((resolve) => setTimeout(resolve, ms)))); return 'fired'`,
    ends: ['succeeded'],
    value: 'fired',
  },
  {
    name: 'delays that cannot be converted',
    forbids: 'break the timers of the host',
    code: `const ends = []; for (const ms of [1n, Symbol('s'), { valueOf() { throw new Error('v') } }, Object.create(null)]) try { setTimeout(() => {}, ms); ends.push('set') } catch (error) { ends.push(error.name) } return ends`,
    ends: ['succeeded'],
    value: ['TypeError', 'TypeError', 'Error', 'TypeError'],
  },
  {
    name: 'callbacks that are no functions',
    forbids: 'evaluate text',
    code: `const ends = []; for (const callback of ['globalThis.ran = 1', null, {}, new Proxy({}, {}), undefined]) try { setTimeout(callback, 0); ends.push('set') } catch (error) { ends.push(error.name) }
      await new Promise((resolve) => setTimeout(resolve, 5)); return [ends, typeof ran]`,
    ends: ['succeeded'],
    value: [['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'], 'undefined'],
  },
  {
    name: 'a timer that clears itself and others',
    forbids: 'fire what was cleared',
    code: `const fired = []; const ids = []; await new Promise((resolve) => { for (let i = 0; i < 5; i++) ids.push(setTimeout(() => { fired.push(i); for (const id of ids) clearTimeout(id) }, 5)); setTimeout(resolve, 60) }); return fired`,
    ends: ['succeeded'],
    value: [0],
  },
  {
    name: 'clearing what is no timer',
    forbids: 'throw, or clear something else',
    code: `const mine = new Promise((resolve) => setTimeout(resolve, 5, 'fired')); for (const id of [null, undefined, NaN, -1, 2 ** 53, '__proto__', 'constructor', 'toString', {}, [], new Proxy({}, {}), 1e9, '1\\n2']) clearTimeout(id); return mine`,
    ends: ['succeeded'],
    value: 'fired',
  },
  {
    name: 'a timer in a timer in a timer',
    forbids: 'outlive its time',
    code: `const again = () => setTimeout(again, 0); again(); await new Promise(() => {})`,
    ends: STOPPED,
  },
  {
    name: 'a timer that loops',
    forbids: 'outlive its time',
    code: `setTimeout(() => { for (;;); }, 5); await new Promise(() => {})`,
    ends: STOPPED,
  },
  {
    name: 'a timer that loops after the result',
    forbids: 'run after its outcome',
    code: `setTimeout(() => { for (;;); }, 0); return 'over'`,
    ends: ['succeeded'],
    value: 'over',
  },
  {
    name: 'a timer with huge arguments',
    forbids: 'carry them to the host',
    code: `const huge = 'x'.repeat(1e7); return new Promise((resolve) => setTimeout((text) => resolve(text.length), 1, huge))`,
    ends: ['succeeded', 'Memory'],
    value: 10_000_000,
  },
  {
    name: 'a timer with arguments that never end',
    forbids: 'hang the guest',
    code: `setTimeout(() => {}, 1, ...{ *[Symbol.iterator]() { for (;;) yield 1 } })`,
    ends: ['Timeout', 'Memory', 'StackOverflow', 'Thrown'],
  },
  {
    name: 'timers replaced by its own',
    forbids: 'change the timers of the next run',
    code: `globalThis.setTimeout = () => { throw 1 }; globalThis.clearTimeout = null; delete globalThis.queueMicrotask; return typeof setTimeout`,
    ends: ['succeeded'],
    value: 'function',
  },
];

/** Errors that pretend, resist or never end. */
import { type HostileCase, STOPPED } from '../case.ts';

const PASS_OFF = 'pass its own error off as a verdict of the host';
const SMALL = 'become large, or more than text, outside';

export const errors: readonly HostileCase[] = [
  {
    name: 'a forged interrupt',
    forbids: PASS_OFF,
    code: `throw Object.assign(new InternalError('interrupted'), { class: 'Timeout' })`,
    ends: ['Thrown'],
  },
  {
    name: 'a forged end of memory',
    forbids: PASS_OFF,
    code: `throw new InternalError('out of memory')`,
    ends: ['Thrown'],
  },
  {
    name: 'a forged overflow',
    forbids: PASS_OFF,
    code: `throw new RangeError('Maximum call stack size exceeded')`,
    ends: ['Thrown'],
  },
  {
    name: 'a forged denial',
    forbids: PASS_OFF,
    code: `throw Object.assign(new Error('denied'), { name: 'CapabilityDenied', code: 'CapabilityDenied' })`,
    ends: ['Thrown'],
  },
  {
    name: 'forged limits of calls and timers',
    forbids: PASS_OFF,
    code: `throw Object.assign(new RangeError('no more than 100 host calls are allowed'), { name: 'HostCallLimit', class: 'HostCallLimit' })`,
    ends: ['Thrown'],
  },
  {
    name: 'a forged loss of the worker, which would be run again for nothing',
    forbids: PASS_OFF,
    code: `throw { class: 'WorkerLost', name: 'WorkerLost', message: 'another run took the worker with it', hasStarted: false }`,
    ends: ['Thrown'],
  },
  {
    name: 'a forged syntax error',
    forbids: PASS_OFF,
    code: `throw new SyntaxError('unexpected token (task.js:1:1)')`,
    ends: ['Thrown'],
  },
  {
    name: 'a loop that swallows every error',
    forbids: 'outlive its time',
    code: `for (;;) try { for (;;); } catch {}`,
    ends: STOPPED,
  },
  {
    name: 'a loop in every finally',
    forbids: 'outlive its time',
    code: `try { for (;;); } finally { for (;;); }`,
    ends: STOPPED,
  },
  {
    name: 'a value after the interrupt',
    forbids: 'report a success after its time',
    code: `try { for (;;); } catch { return 'survived' } finally { return 'survived' }`,
    ends: STOPPED,
  },
  {
    name: 'a cleanup of a generator that never ends',
    forbids: 'outlive its time',
    code: `function* endless() { try { for (;;) yield 1 } finally { for (;;); } } for (const one of endless()) break; return 1`,
    ends: STOPPED,
  },
  ...(
    [
      ['null', 'null'],
      ['undefined', 'undefined'],
      ['a symbol', `Symbol('s')`],
      ['a big integer', '1n'],
      ['a function', '() => {}'],
      ['an object without prototype', 'Object.create(null)'],
      ['a frozen error', `Object.freeze(new Error('frozen'))`],
      ['a promise', `Promise.reject(new Error('inner'))`],
      ['a thenable', `{ then(resolve) { resolve('caught') } }`],
      ['the global object', 'globalThis'],
      ['ctx', 'ctx'],
      [
        'a proxy of an error',
        `new Proxy(new Error('e'), { get: (t, key) => (key === 'stack' ? ['no', 'text'] : t[key]) })`,
      ],
      ['a proxy that throws at every look', `new Proxy({}, new Proxy({}, { get() { throw 1 } }))`],
      ['an error that caused itself', `(() => { const e = new Error('e'); e.cause = e; return e })()`],
      [
        'an error of errors in a circle',
        `(() => { const e = new AggregateError([], 'all'); e.errors = [e, e]; return e })()`,
      ],
      ['an array that is an error', `Object.setPrototypeOf([1], Error.prototype)`],
      ['numbers where texts belong', `{ name: 1, message: 2, stack: 3 }`],
      ['lists where texts belong', `{ name: ['n'], message: [[['m']]], stack: [{}] }`],
      ['control characters', `new Error('\\x1b[2J\\x00\\r\\n\\u202e\\ud800' + '\\u2028')`],
    ] as const
  ).map(
    ([what, thrown]): HostileCase => ({
      name: `throw ${what}`,
      forbids: 'come out as anything but a described error of its own',
      code: `throw ${thrown}`,
      ends: ['Thrown'],
    }),
  ),
  {
    name: 'throw a revoked proxy',
    forbids: 'throw again where nobody catches it',
    code: `const { proxy, revoke } = Proxy.revocable(new Error('e'), {}); revoke(); throw proxy`,
    ends: ['Thrown'],
  },
  {
    name: 'an error with a huge message',
    forbids: SMALL,
    code: `throw new Error('x'.repeat(1e7))`,
    ends: ['Thrown', 'Memory'],
  },
  {
    name: 'an error with a huge name and a huge stack',
    forbids: SMALL,
    code: `throw Object.assign(new Error('m'), { name: 'n'.repeat(1e6), stack: '    at f (task.js:1:1)\\n'.repeat(1e5) })`,
    ends: ['Thrown', 'Memory'],
  },
  {
    name: 'an error whose message takes for ever',
    forbids: 'hang whoever describes the error',
    code: `throw { get message() { for (;;); } }`,
    ends: STOPPED,
  },
  {
    name: 'an error whose every property throws',
    forbids: 'throw again where nobody catches it',
    code: `throw { get name() { throw 1 }, get message() { throw 2 }, get stack() { throw 3 }, toString() { throw 4 } }`,
    ends: ['Thrown'],
  },
  {
    name: 'an error whose message throws another of its kind, for ever',
    forbids: 'go round in circles with whoever describes it',
    code: `const evil = () => ({ get message() { throw evil() }, get name() { throw evil() } }); throw evil()`,
    ends: ['Thrown'],
  },
  {
    name: 'a stack with paths of the host',
    forbids: 'show a path that is not its own',
    code: `throw { name: 'E', message: 'm', stack: 'E: m\\n    at run (/srv/app/worker.ts:1:1)\\n    at node:internal/x:1:1\\n    at file:///srv/x.ts:1:1' }`,
    ends: ['Thrown'],
    never: /"stack"/,
  },
  {
    name: 'a prepareStackTrace that lists its callers',
    forbids: 'learn names of files of the host',
    code: `Error.prepareStackTrace = (_error, sites) => sites.map((site) => [site.getFileName(), site.getFunctionName(), site.getLineNumber()].join(':'));
      const { stack } = new Error(); return { stack, inside: await new Promise((resolve) => setTimeout(() => resolve(new Error().stack), 0)) }`,
    ends: ['succeeded'],
  },
  {
    name: 'a prepareStackTrace that throws',
    forbids: 'break the description of errors',
    code: `Error.prepareStackTrace = () => { throw new Error('again') }; null.x`,
    ends: ['Thrown'],
  },
  {
    name: 'a prepareStackTrace that never ends',
    forbids: 'hang whoever describes the error',
    code: `Error.prepareStackTrace = () => { for (;;); }; null.x`,
    ends: STOPPED,
  },
  {
    name: 'a prepareStackTrace that makes errors',
    forbids: 'overflow whoever describes the error',
    code: `Error.prepareStackTrace = () => new Error('deeper').stack; null.x`,
    ends: ['Thrown', 'StackOverflow', 'Timeout', 'EngineTrap'],
  },
  {
    name: 'stack traces without limit',
    forbids: 'fill the memory with frames',
    code: `Error.stackTraceLimit = Infinity; let depth = 0; const f = () => { depth++; f() }; try { f() } catch (error) { return [depth > 100, error.stack.length < 1e6] }`,
    ends: ['succeeded'],
  },
  {
    name: 'a stackTraceLimit of every kind',
    forbids: 'break the making of errors',
    code: `for (const limit of [-1, NaN, 2 ** 53, '7', null, Symbol.iterator, { valueOf() { throw 1 } }, new Proxy({}, {})]) { try { Error.stackTraceLimit = limit; new Error('x').stack } catch {} }
      Object.defineProperty(Error, 'stackTraceLimit', { get() { throw new Error('limit') } }); return 'made'`,
    ends: ['succeeded'],
    value: 'made',
  },
  {
    name: 'captureStackTrace on strange targets',
    forbids: 'write where it should not',
    code: `const ends = []; for (const target of [Object.freeze({}), new Proxy({}, { defineProperty() { throw 1 } }), globalThis, ctx, null, 1, Function.prototype])
        try { Error.captureStackTrace(target); ends.push(typeof target?.stack) } catch (error) { ends.push('threw') }
      return ends.length`,
    ends: ['succeeded'],
    value: 7,
  },
  {
    name: 'an error in a timer',
    forbids: 'end more than its run',
    code: `setTimeout(() => { throw new Error('in a timer') }, 1); await new Promise((resolve) => setTimeout(resolve, 50)); return 1`,
    ends: ['Thrown', 'succeeded'],
  },
  {
    name: 'an error in a job',
    forbids: 'end more than its run',
    code: `queueMicrotask(() => { throw new Error('in a job') }); await null; await null; return 1`,
    ends: ['Thrown', 'succeeded'],
  },
  {
    name: 'a thousand rejections that nobody handles',
    forbids: 'reach the handler of the process',
    code: `for (let i = 0; i < 1000; i++) Promise.reject(new Error('unhandled ' + i)); await null; return 'fine'`,
    ends: ['succeeded'],
    value: 'fine',
  },
  {
    name: 'an error of the engine that was caught, and another one thrown',
    forbids: 'be said to have ended for another reason than it did',
    code: `try { (function f() { f() })() } catch {} throw new TypeError('later')`,
    ends: ['Thrown'],
  },
];

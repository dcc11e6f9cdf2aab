/** Lists that are mostly nothing, and very long. */
import { type HostileCase, REFUSED, STOPPED } from '../case.ts';

const LONGEST = '{ length: 2 ** 53 - 1 }';

/** Built-in functions that walk a list of 2^53 - 1 holes, and never ask whether to stop. */
const WALKS: readonly (readonly [string, string])[] = [
  ['indexOf', `indexOf.call(${LONGEST}, 1)`],
  ['lastIndexOf', `lastIndexOf.call(${LONGEST}, 1)`],
  ['reverse', `reverse.call(${LONGEST})`],
  ['fill', `fill.call(new Proxy(${LONGEST}, { set: () => true }), 1)`],
  ['copyWithin', `copyWithin.call(${LONGEST}, 1, 0)`],
  ['join', `join.call({ length: 1e9 }, '')`],
  ['some', `some.call(${LONGEST}, () => false)`],
];

export const holes: readonly HostileCase[] = [
  ...WALKS.map(
    ([name, call]): HostileCase => ({
      name: `${name} on 2^53 - 1 holes`,
      forbids: 'outlive its time in a built-in function',
      code: `return Array.prototype.${call}`,
      ends: ['Timeout', 'Thrown', 'Memory'],
    }),
  ),
  {
    name: 'includes on holes',
    forbids: 'outlive its time in a built-in function',
    code: `return Array.prototype.includes.call(${LONGEST}, 1)`,
    ends: STOPPED,
  },
  {
    name: 'a sort of 2^32 - 1 holes',
    forbids: 'outlive its time in a built-in function',
    code: `const list = []; list[2 ** 32 - 2] = 1; return list.sort().length`,
    ends: [...REFUSED, 'succeeded'],
  },
  {
    name: 'a shift of 2^32 - 1 holes',
    forbids: 'outlive its time in a built-in function',
    code: `const list = []; list[2 ** 32 - 2] = 1; list.shift(); return list.length`,
    ends: REFUSED,
  },
  {
    name: 'a splice of 2^53 - 1 holes',
    forbids: 'outlive its time in a built-in function',
    code: `return Array.prototype.splice.call(${LONGEST}, 0, 1).length`,
    ends: REFUSED,
  },
  {
    name: 'an unshift into 2^53 - 1 holes',
    forbids: 'outlive its time in a built-in function',
    code: `return Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1)`,
    ends: REFUSED,
  },
  {
    name: 'a copy of 2^32 - 1 holes',
    forbids: 'take more than its memory',
    code: `return new Array(2 ** 32 - 1).toSorted().length + [...new Array(2 ** 32 - 1)].length`,
    ends: REFUSED,
  },
  {
    name: 'a fill of 2^32 - 1',
    forbids: 'take more than its memory, or outlive its time',
    code: `return new Array(2 ** 32 - 1).fill(0).length`,
    ends: REFUSED,
  },
  {
    name: 'Array.from a length of 2^32',
    forbids: 'take more than its memory, or outlive its time',
    code: `return Array.from({ length: 2 ** 32 }, () => 1).length`,
    ends: REFUSED,
  },
  {
    name: 'apply with 2^31 arguments',
    forbids: 'overflow the stack of the engine',
    code: `return (() => 1).apply(null, { length: 2 ** 31 })`,
    ends: [...REFUSED, 'StackOverflow'],
  },
  {
    name: 'flat of a list in itself',
    forbids: 'overflow the stack of the engine',
    code: `const list = []; list.push(list, list); return list.flat(Infinity).length`,
    ends: [...REFUSED, 'StackOverflow', 'EngineTrap'],
  },
  {
    name: 'a list in itself as text',
    forbids: 'overflow the stack of the engine',
    code: `const list = []; list.push(list, list, list); return String(list).length`,
    ends: ['succeeded', ...REFUSED, 'StackOverflow'],
  },
  {
    name: 'a length that changes at every look',
    forbids: 'read or write outside of a list',
    code: `let n = 0; const shifty = { get length() { return n++ % 2 ? 0 : 2 ** 20 }, 0: 1 }; const acts = ['slice', 'concat', 'map', 'reverse', 'sort', 'splice', 'with', 'toSpliced', 'flat', 'at', 'pop', 'push'];
      let ran = 0; for (const act of acts) { try { Array.prototype[act].call(shifty, 0, 1) } catch {} ran++ } return ran`,
    ends: ['succeeded', 'Timeout', 'Memory'],
    value: 12,
  },
  {
    name: 'a result that is a list of 10^9 holes',
    forbids: 'hang whoever writes the result, or fill the memory of the host',
    code: `const list = []; list.length = 1e9; return list`,
    ends: ['ResultTooLarge', ...REFUSED],
  },
  {
    name: 'a log line that is a list of 10^9 holes',
    forbids: 'hang whoever writes the log',
    code: `const list = []; list.length = 1e9; ctx.log(list); return 'logged'`,
    ends: ['succeeded', ...REFUSED],
  },
  {
    name: 'a list with a setter among its holes',
    forbids: 'write where the list no longer is',
    code: `const list = [1, , 3]; Object.defineProperty(Array.prototype, 1, { configurable: true, get() { list.length = 0; return {} }, set() { list.push(...Array(1000).fill({})) } });
      list.sort(); list.reverse(); list.copyWithin(0, 1); list.includes(undefined); delete Array.prototype[1]; return list.length >= 0`,
    ends: ['succeeded', 'Thrown'],
  },
];

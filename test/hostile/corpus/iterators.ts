/** Species, iterators and the other protocols by which built-in functions call code of the task. */
import { type HostileCase, REFUSED, STARVED, STOPPED } from '../case.ts';

export const iterators: readonly HostileCase[] = [
  {
    name: 'a spread of what never ends',
    forbids: 'take memory or time without end',
    code: `const endless = { *[Symbol.iterator]() { for (;;) yield 'x' } }; return [...endless].length`,
    ends: STARVED,
  },
  {
    name: 'a map of what never ends',
    forbids: 'take memory or time without end',
    code: `return new Map({ *[Symbol.iterator]() { for (let i = 0; ; i++) yield [i, i] } }).size`,
    ends: STARVED,
  },
  {
    name: 'Promise.all of what never ends',
    forbids: 'take memory or time without end',
    code: `return Promise.all({ *[Symbol.iterator]() { for (;;) yield 1 } })`,
    ends: STARVED,
  },
  {
    name: 'Object.fromEntries of what never ends',
    forbids: 'take memory or time without end',
    code: `let i = 0; return Object.fromEntries({ [Symbol.iterator]: () => ({ next: () => ({ value: [i++, 1] }) }) })`,
    ends: STARVED,
  },
  {
    name: 'Array.fromAsync of what never ends',
    forbids: 'take memory or time without end',
    code: `return Array.fromAsync({ async *[Symbol.asyncIterator]() { for (;;) yield 1 } })`,
    ends: STARVED,
  },
  {
    name: 'helpers of iterators over what never ends',
    forbids: 'take time without end',
    code: `function* one() { for (;;) yield 1 } return one().map((n) => n).flatMap(() => one()).filter(() => false).drop(5).toArray()`,
    ends: STARVED,
  },
  {
    name: 'an iterator whose return loops',
    forbids: 'outlive its time',
    code: `const [first] = { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }), return() { for (;;); } }) }; return first`,
    ends: STOPPED,
  },
  {
    name: 'an iterator whose next is taken away',
    forbids: 'break the engine',
    code: `const source = { [Symbol.iterator]() { return this }, next() { delete this.next; this.next = null; return { value: 1, done: false } } };
      try { return [...source].length > 0 } catch (error) { return error.name }`,
    ends: [...STARVED, 'succeeded'],
  },
  {
    name: 'a generator that enters itself',
    forbids: 'break the engine',
    code: `let self; function* again() { try { self.next() } catch (error) { yield error.name } } self = again(); return self.next().value`,
    ends: ['succeeded'],
    value: 'TypeError',
  },
  {
    name: 'a species of arrays that gives a huge one',
    forbids: 'write outside of an array',
    code: `class Huge extends Array { static get [Symbol.species]() { return function () { return new Array(2 ** 32 - 1) } } }
      const list = Huge.from([1, 2, 3]); return [list.map((n) => n).length, list.slice(1).length, list.concat([4]).length, list.splice(0, 1).length]`,
    ends: ['succeeded', ...REFUSED],
  },
  {
    name: 'a species that gives the array itself',
    forbids: 'read or write what has moved',
    code: `const list = [1, 2, 3, 4]; list.constructor = { [Symbol.species]: function () { return list } };
      list.map((n) => { list.length = 1; list.push(n); return n }); list.splice(0, 2); list.concat(list, list); return list.length < 100`,
    ends: ['succeeded', 'Thrown'],
  },
  {
    name: 'a species of typed arrays that gives a short one',
    forbids: 'write outside of a buffer',
    code: `const bytes = new Uint8Array(1000).fill(1); bytes.constructor = { [Symbol.species]: function () { return new Uint8Array(1) } };
      const ends = []; for (const act of [() => bytes.map((n) => n), () => bytes.slice(0, 900), () => bytes.filter(() => true), () => bytes.subarray(1)]) try { ends.push(act().length) } catch (error) { ends.push(error.name) }
      return ends`,
    ends: ['succeeded'],
  },
  {
    name: 'a species of buffers that gives the same one',
    forbids: 'copy a buffer onto itself, or past its end',
    code: `const buffer = new ArrayBuffer(64); buffer.constructor = { [Symbol.species]: function () { return buffer } };
      try { return buffer.slice(8).byteLength } catch (error) { return error.name }`,
    ends: ['succeeded'],
    value: 'TypeError',
  },
  {
    name: 'a species of promises that keeps the functions',
    forbids: 'settle a promise of the guest',
    code: `const kept = []; class Keeper extends Promise { constructor(executor) { super((resolve, reject) => { kept.push(resolve, reject); executor(resolve, reject) }) } }
      const sum = ctx.call('add', 1, 2); sum.constructor = Keeper; const result = await sum.then((n) => n); for (const settle of kept) settle('forged'); return result`,
    ends: ['succeeded'],
    value: 3,
  },
  {
    name: 'a species of regular expressions that answers for them',
    forbids: 'break the engine',
    code: `const shifty = /x/g; shifty.constructor = { [Symbol.species]: function () { return { exec: () => ({ index: 0, length: 2 ** 53 - 1, 0: '' }), lastIndex: 0, flags: 'g' } } };
      return 'xyz'.split(shifty, 5).length`,
    ends: ['succeeded', ...REFUSED],
  },
  {
    name: 'lists of 2^53 - 1 that spread in concat',
    forbids: 'hang in a built-in function',
    code: `return [].concat({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true }).length`,
    ends: REFUSED,
  },
  {
    name: 'a huge toStringTag',
    forbids: 'take memory without end',
    code: `const tag = { [Symbol.toStringTag]: 'x'.repeat(1e7) }; let text = ''; for (;;) text += String(tag) + text.length`,
    ends: REFUSED,
  },
  {
    name: 'sets that lie about their size',
    forbids: 'break the engine',
    code: `const liar = { size: Infinity, has: () => true, *keys() { for (;;) yield Math.random() } }; return new Set([1]).union(liar).size`,
    ends: STARVED,
  },
  {
    name: 'sets that change while they are compared',
    forbids: 'read what was freed',
    code: `const set = new Set(Array.from({ length: 1000 }, (_, i) => i)); const other = { size: 1, has(value) { set.clear(); set.add(value + 1); return true }, *keys() { set.clear(); yield 1 } };
      return [set.difference(other).size < 1001, set.isSubsetOf(other), set.intersection(other).size < 10]`,
    ends: ['succeeded'],
  },
  {
    name: 'a map that is emptied while it is walked',
    forbids: 'read what was freed',
    code: `const map = new Map(Array.from({ length: 1000 }, (_, i) => [i, {}])); let steps = 0;
      map.forEach((_value, key) => { map.clear(); if (++steps < 5000) map.set(key + steps, {}) }); for (const [key] of map) { map.delete(key); if (++steps < 9000) map.set({}, 1) } return steps`,
    ends: ['succeeded'],
  },
  {
    name: 'groups with a callback that empties the list',
    forbids: 'read what was freed',
    code: `const list = Array.from({ length: 1000 }, () => ({})); return Object.keys(Object.groupBy(list, (_item, i) => { list.length = 0; return '__proto__' + (i % 3) })).length`,
    ends: ['succeeded'],
  },
  {
    name: 'a sort whose comparison takes the array apart',
    forbids: 'read or write what was freed',
    code: `const list = Array.from({ length: 2000 }, (_, i) => ({ i: 2000 - i })); let n = 0;
      list.sort((a, b) => { if (n++ === 50) { list.length = 0; for (let i = 0; i < 5000; i++) list.push([i]) } return (a?.i ?? 0) - (b?.i ?? 0) }); return n > 0`,
    ends: ['succeeded'],
    value: true,
  },
];

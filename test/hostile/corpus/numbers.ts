/** Numbers that are too large, and numbers that are none. */
import { type HostileCase, REFUSED, STARVED } from '../case.ts';

export const numbers: readonly HostileCase[] = [
  {
    name: 'a power of ten million bits',
    forbids: 'outlive its time in a built-in operation',
    code: `return String(3n ** 10000000n).length`,
    ends: REFUSED,
  },
  {
    name: 'a power of powers',
    forbids: 'take more than its memory, or outlive its time',
    code: `return String(9n ** 9n ** 9n).length`,
    ends: REFUSED,
  },
  {
    name: 'squares without end',
    forbids: 'take more than its memory, or outlive its time',
    code: `let n = 3n; for (;;) n *= n`,
    ends: REFUSED,
  },
  {
    name: 'a shift by 2^40',
    forbids: 'take more than its memory',
    code: `return String(1n << 2n ** 40n).length`,
    ends: REFUSED,
  },
  {
    name: 'digits of a huge number',
    forbids: 'outlive its time in a built-in operation',
    code: `return (2n ** 900000n).toString(7).length`,
    ends: ['succeeded', ...REFUSED],
  },
  {
    name: 'a huge number from digits',
    forbids: 'outlive its time in a built-in operation',
    code: `return (BigInt('9'.repeat(1e6)) % 97n) === 0n`,
    ends: ['succeeded', ...REFUSED],
  },
  {
    name: 'a division of huge numbers',
    forbids: 'outlive its time in a built-in operation',
    code: `const n = (1n << 1000000n) - 1n; let rest = n; for (let i = 0; i < 1000; i++) rest = (n * n + rest) / (n - 1n); return rest > 0n`,
    ends: REFUSED,
  },
  {
    name: 'asIntN of 2^53 - 1 bits',
    forbids: 'take more than its memory',
    code: `return String(BigInt.asUintN(2 ** 53 - 1, -1n)).length`,
    ends: REFUSED,
  },
  {
    name: 'a factorial in text',
    forbids: 'outlive its time',
    code: `let n = 1n; for (let i = 1n; ; i++) { n *= i; String(n) }`,
    ends: STARVED,
  },
  {
    name: 'a result that is a big integer',
    forbids: 'come out as anything but an error',
    code: `return { n: 2n ** 64n }`,
    ends: ['ResultNotSerializable'],
  },
  {
    name: 'a big integer that writes itself',
    forbids: 'come out as anything but text',
    code: `BigInt.prototype.toJSON = function () { return 'n' + this }; return [5n]`,
    ends: ['succeeded'],
    value: ['n5'],
  },
  {
    name: 'numbers outside of JSON',
    forbids: 'come out as numbers that JSON does not know',
    code: `return [NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308, 2 ** 53 + 2]`,
    ends: ['succeeded'],
    value: [null, null, null, 0, 5e-324, 1.7976931348623157e308, 2 ** 53 + 2],
  },
  {
    name: 'all ways to write a number',
    forbids: 'write past a buffer of the engine',
    code: `const all = []; for (const n of [1e21, 5e-324, 1.7976931348623157e308, -123.456, 0.1]) for (let i = 0; i <= 100; i++) for (const act of [() => n.toFixed(i), () => n.toExponential(i), () => n.toPrecision(i), () => n.toString(i)]) try { all.push(act().length) } catch (error) { all.push(error.name) } return all.length`,
    ends: ['succeeded'],
    value: 2020,
  },
  {
    name: 'a million arguments',
    forbids: 'overflow the stack of the engine',
    code: `return Math.max(...new Array(1e6).fill(1))`,
    ends: ['succeeded', 'StackOverflow', 'Thrown', 'Memory'],
  },
  {
    name: 'numbers from hostile objects',
    forbids: 'outlive its time',
    code: `let n = 0; const shifty = { valueOf() { return n++ ? 2n : 1 } }; const ends = []; for (const act of [() => shifty + shifty, () => shifty ** shifty, () => Math.hypot(shifty, 1), () => BigInt(shifty)]) try { ends.push(typeof act()) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded'],
    value: 4,
  },
];

/** Runs whose caller gives up, at every bad moment. */
import type { HostileCase } from '../case.ts';

const SOON_MS = 60;

/** Whatever the run does meanwhile. */
const MEANWHILE: readonly (readonly [string, string])[] = [
  ['waits for the host', `return ctx.call('slow', 1e9)`],
  ['waits for a timer', `await new Promise((resolve) => setTimeout(resolve, 1e9))`],
  ['computes', `for (;;);`],
  ['floods its jobs', `for (;;) await null`],
  ['floods its timers', `const again = () => setTimeout(again, 0); again(); await new Promise(() => {})`],
  ['swallows every error', `for (;;) try { for (;;); } catch {}`],
  [
    'calls in its finally',
    `try { await ctx.call('slow', 1e9) } finally { for (;;) await ctx.call('boom').catch(() => {}) }`,
  ],
  ['catches and goes on', `for (;;) try { await ctx.call('slow', 1e9) } catch { await ctx.call('boom') }`],
  ['hangs in a built-in function', `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)`],
  ['calls all the time', `for (;;) await ctx.call('add', 1, 2).catch(() => {})`],
  ['backtracks', `return /^(a+)+$/.test('a'.repeat(40) + 'b')`],
];

export const cancellation: readonly HostileCase[] = [
  ...MEANWHILE.map(
    ([what, code]): HostileCase => ({
      name: `a run that ${what}`,
      forbids: 'go on after its caller gave up',
      code,
      cancelAfterMs: SOON_MS,
      ends: ['Cancelled'],
      callsAtMost: { boom: 0, slow: 1, add: 100 },
    }),
  ),
  {
    name: 'a run that is cancelled before it starts',
    forbids: 'start',
    code: `await ctx.call('boom')`,
    cancelAfterMs: 0,
    ends: ['Cancelled'],
    callsAtMost: { boom: 0 },
  },
  {
    name: 'a run that is cancelled while its module waits',
    forbids: 'go on after its caller gave up',
    source: `await new Promise((resolve) => setTimeout(resolve, 1e9)); export default () => 1`,
    cancelAfterMs: SOON_MS,
    ends: ['Cancelled'],
  },
  {
    name: 'a run that ends just as it is cancelled',
    forbids: 'have two outcomes',
    code: `await new Promise((resolve) => setTimeout(resolve, ${SOON_MS})); return 'done'`,
    cancelAfterMs: SOON_MS,
    ends: ['Cancelled', 'succeeded'],
    value: 'done',
  },
];

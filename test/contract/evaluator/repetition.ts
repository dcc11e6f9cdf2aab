import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Started } from '../../../src/evaluator.ts';
import type { Outcome } from '../../../src/launch.ts';
import { type Bench, type Given, runOf } from './bench.ts';

/** What a run came to, without what it cost. */
const essence = ({ status, value, error, logs, truncated }: Outcome) => ({ status, value, error, logs, truncated });

const answersOf = ({ answers }: Started) => {
  if (answers === 'too-large') throw new Error('the answers were too large to be kept');
  return answers ?? [];
};

const forbidden = () => {
  throw new Error('a run that is repeated asks nobody');
};

export function repetitionTests(bench: Bench): void {
  /** Runs, and repeats what was run. */
  const twice = async (source: string, given: Given) => {
    const first = await bench.outcome(source, given);
    const names = Object.keys(given.capabilities ?? {});
    const capabilities = Object.fromEntries(names.map((name) => [name, forbidden]));
    const again = await bench.outcome(source, { ...given, capabilities, answers: answersOf(first) });
    return [first, again] as const;
  };

  describe('time inside', () => {
    test('starts where it is told to, and is the same every time', async () => {
      const source = 'export default () => [Date.now(), new Date().toISOString(), Math.floor(performance.now())]';
      const given = { nowMs: Date.UTC(2026, 2, 4) };
      const values = [await bench.value(source, given), await bench.value(source, given)];
      expect(values[0]).toEqual([Date.UTC(2026, 2, 4), '2026-03-04T00:00:00.000Z', 0]);
      expect(values[1]).toEqual(values[0]);
    });

    test('does not tell how fast the machine computes', async () => {
      const source = 'const t = Date.now(); for (let i = 0; i < 1e6; i++); Date.now() - t';
      expect(await bench.value(source)).toBe(0);
    });

    test('passes for a loop that waits for it', async () => {
      expect(await bench.value('const t = Date.now(); while (Date.now() - t < 20); "done"')).toBe('done');
    });

    test('passes while a run waits, by what it waited for', async () => {
      const source = `export default async () => {
        const at = [Date.now()];
        for (const ms of [30, 5, 0]) {
          await new Promise((resolve) => setTimeout(resolve, ms));
          at.push(Date.now());
        }
        return at.map((t) => t - at[0]);
      }`;
      expect(await bench.value(source)).toEqual([0, 30, 35, 36]);
    });

    test('timers fire in the order in which they are due, and of the same time as they were set', async () => {
      const source = `export default () => new Promise((resolve) => {
        const order = [];
        const note = (name) => () => { order.push(name); if (order.length === 5) resolve(order.join('')); };
        setTimeout(note('d'), 20); setTimeout(note('a'), 5); setTimeout(note('b'), 5);
        setTimeout(() => { note('c')(); setTimeout(note('e'), 10); }, 10);
      })`;
      for (let i = 0; i < 5; i++) expect(await bench.value(source)).toBe('abcde');
    });

    test('an answer that came in the middle of it is put in its place', async () => {
      const source = `export default async (ctx) => {
        await ctx.call('wait', 40);
        return Date.now();
      }`;
      const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      const [first, again] = await twice(source, { capabilities: { wait }, nowMs: 1000 });
      expect(first.value).toBeGreaterThanOrEqual(1039);
      expect(essence(again)).toEqual(essence(first));
    });
  });

  describe('a run is repeated exactly', () => {
    test.each<[string, string]>([
      ['one call', 'export default async (ctx) => ctx.call("roll")'],
      ['many at a time', 'export default (ctx) => Promise.all(Array.from({ length: 20 }, () => ctx.call("roll")))'],
      ['a race', 'export default (ctx) => Promise.race([5, 1, 3].map((ms) => ctx.call("later", ms)))'],
      [
        'a race with a timer',
        'export default (ctx) => Promise.race([ctx.call("later", 12), new Promise((r) => setTimeout(r, 12, "timer"))])',
      ],
      ['an error', 'export default (ctx) => ctx.call("fail")'],
      ['an error that is caught', 'export default (ctx) => ctx.call("fail").catch((e) => [e.name, e.message])'],
      ['a denial', 'export default (ctx) => ctx.call("nope")'],
      ['a call that nobody waits for', 'export default (ctx) => { ctx.call("later", 500); return Math.random() }'],
      [
        'logs and times',
        'export default async (ctx) => { for (const ms of [3, 1]) { await ctx.call("later", ms); ctx.log(Date.now(), Math.random()) } }',
      ],
      ['too many calls', 'export default (ctx) => Promise.all(Array.from({ length: 200 }, () => ctx.call("roll")))'],
    ])('%s', async (_what, source) => {
      const capabilities = {
        roll: () => Math.random(),
        later: (ms: number) => new Promise((resolve) => setTimeout(() => resolve(`${ms} ${Math.random()}`), ms)),
        fail: () => Promise.reject(new Error(`no ${Math.random()}`)),
      };
      const [first, again] = await twice(source, { capabilities, limits: { hostCalls: 100, concurrentCalls: 1000 } });
      expect(essence(again)).toEqual(essence(first));
      expect(again.answers).toEqual(first.answers);
    });

    test('whatever it does with time, chance and calls', async () => {
      const step = fc.oneof(
        fc.nat(8).map((ms) => `await new Promise((r) => setTimeout(r, ${ms}));`),
        fc.nat(8).map((ms) => `setTimeout(() => seen.push('t', Date.now()), ${ms});`),
        fc.nat(8).map((ms) => `await ctx.call('later', ${ms});`),
        fc.nat(8).map((ms) => `ctx.call('later', ${ms}).then((v) => seen.push(v, Date.now()));`),
        fc.constant('seen.push(Math.random());'),
        fc.constant('ctx.log(Date.now(), performance.now());'),
        fc.nat(3).map((n) => `await Promise.any([ctx.call('later', ${n}), ctx.call('later', 2)]);`),
        fc.constant('await ctx.call("fail").catch((e) => seen.push(e.message));'),
      );
      const later = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(Math.random()), ms));
      const fail = () => Promise.reject(new Error(`${Math.random()}`));
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const source = `export default async (ctx) => { const seen = []; ${steps.join('\n')}\n return seen }`;
          const [first, again] = await twice(source, { capabilities: { later, fail } });
          expect(essence(again)).toEqual(essence(first));
        }),
        { numRuns: 40 },
      );
    });

    test('and does not wait for what took time', async () => {
      const source = `export default async (ctx) => {
        await new Promise((resolve) => setTimeout(resolve, 600_000));
        return Date.now() - 600_000;
      }`;
      expect(await bench.value(source, { answers: [], nowMs: 5, limits: { wallMs: 900_000 } })).toBe(5);
    });

    test.each<[string, string]>([
      ['a timer', 'await new Promise((resolve) => setTimeout(resolve, 1000))'],
      ['an answer', 'await ctx.call("never")'],
      ['a timer, and an answer that came', 'await ctx.call("soon"); await new Promise((r) => setTimeout(r, 1000))'],
      [
        'whatever comes first',
        'setTimeout(() => 0, 1000); await Promise.race([ctx.call("never"), ctx.call("never", 2)])',
      ],
    ])('to the end of its time, when it waits too long for %s', async (_what, wait) => {
      const source = `export default async (ctx) => { ctx.log("waits"); ${wait}; ctx.log("goes on") }`;
      const capabilities = { never: () => new Promise(() => {}), soon: () => 1 };
      const [first, again] = await twice(source, { capabilities, limits: { wallMs: 300 } });
      expect(first).toMatchObject({ status: 'timed-out', logs: ['waits'] });
      expect(essence(again)).toEqual(essence(first));
      expect(again.answers).toEqual(first.answers);
      expect(again.usage.wallMs).toBeLessThan(first.usage.wallMs);
    });
  });

  describe('a run that is not the recorded one is not taken for it', () => {
    const later = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
    const call = (argument: string) => `export default (ctx) => ctx.call('later', ${argument})`;

    test('another argument', async () => {
      const first = await bench.outcome(call('1'), { capabilities: { later } });
      expect(await bench.error(call('2'), { answers: answersOf(first) })).toMatchObject({
        class: 'Diverged',
        message: expect.stringContaining('host call 1 (call later)'),
      });
    });

    test('another argument of a call to which no answer came', async () => {
      const given = { capabilities: { later: () => new Promise(() => {}) }, limits: { wallMs: 300 } };
      const first = await bench.outcome(call('1'), given);
      const error = await bench.error(call('2'), { ...given, answers: answersOf(first) });
      expect(error).toMatchObject({ class: 'Diverged', message: expect.stringContaining('host call 1 (call later)') });
    });

    test('a call more, though the run would have been over before its answer', async () => {
      const source = 'export default async (ctx) => { setTimeout(() => 0, 60_000); await ctx.call("later", 1) }';
      expect(await bench.error(source, { answers: [] })).toMatchObject({ class: 'Diverged' });
    });

    test('one call more', async () => {
      const first = await bench.outcome(call('1'), { capabilities: { later } });
      const more = `export default async (ctx) => [await ctx.call('later', 1), await ctx.call('later', 2)]`;
      expect(await bench.error(more, { answers: answersOf(first) })).toMatchObject({
        class: 'Diverged',
        message: expect.stringContaining('no answer to host call 2'),
      });
    });
  });

  test('answers beyond all bounds are not kept, and that is said', async () => {
    const source = 'export default async (ctx) => { for (let i = 0; i < 9; i++) await ctx.call("large"); return 1 }';
    const outcome = await bench.outcome(source, { capabilities: { large: () => 'x'.repeat(10_000) } });
    expect(outcome).toMatchObject({ value: 1, answers: 'too-large' });
  });

  test('a run that asked nothing has no answers', async () => {
    expect(await bench.outcome('1')).not.toHaveProperty('answers');
    expect(await bench.all([runOf('2', { answers: [] })])).toMatchObject([{ value: 2 }]);
  });
}

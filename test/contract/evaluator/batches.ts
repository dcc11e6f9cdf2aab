import { expect, test } from '@jest/globals';
import type { Evaluator } from '../../../src/evaluator.ts';
import type { Outcome } from '../../../src/launch.ts';
import { programOf } from '../../../src/program.ts';
import { type Bench, runOf } from './bench.ts';

let hung = 0;
/** A built-in function that never looks up. It would take years. Another program each time: one that is known runs alone. */
const hangs = () => `Array.prototype.reverse.call({ length: 2 ** 53 - 1 }) // ${hung++}`;
const BRIEF = { wallMs: 150, cpuMs: 150 };
const WAITS = 'new Promise((resolve) => setTimeout(resolve, 1e6))';

export function batchTests(bench: Bench, open: () => Promise<Evaluator>): void {
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, input) => runOf('export default (ctx) => ctx.input', { context: { input } }));

  test('every run of a large batch has its own outcome, once', async () => {
    const runs = numbered(5000);
    const outcomes = await bench.all(runs);
    expect(outcomes.map(({ value }) => value)).toEqual(runs.map((_run, index) => index));
  });

  test('nothing begins before its moment, and what comes behind it begins after it', async () => {
    const delays = [40, 0, 80, 60];
    const handedOverMs = Date.now();
    const outcomes = await bench.all(delays.map((delayMs) => ({ ...runOf('1'), delayMs })));
    const afterMs = outcomes.map(({ startedMs }) => startedMs - handedOverMs);
    expect(afterMs.toSorted((a, b) => a - b)).toEqual(afterMs);
    for (const [i, delayMs] of delays.entries()) expect(afterMs[i]).toBeGreaterThanOrEqual(delayMs);
  });

  test('one whose moment comes just as the worker looks is not forgotten', async () => {
    for (let round = 0; round < 10; round++) {
      const sparse = Array.from({ length: 64 }, (_, i) => ({ ...runOf('1'), delayMs: 5 + i * 2.05 }));
      const outcomes = await bench.all(sparse);
      expect(outcomes.filter(({ status }) => status === 'succeeded')).toHaveLength(64);
    }
  });

  test('what waits for its moment when the caller gives up has not begun', async () => {
    const delayed = [0, 1e6].map((delayMs) => ({ ...runOf('1'), delayMs }));
    const [first, second] = await bench.all(delayed, AbortSignal.timeout(100));
    expect([first?.status, second?.error?.class, second?.hasStarted]).toEqual(['succeeded', 'Cancelled', false]);
  });

  test('what is due sooner than one that the caller gave up is not late for its sake', async () => {
    const given = bench.all([{ ...runOf('1'), delayMs: 1e6 }], AbortSignal.timeout(50));
    const [kept] = await bench.all([{ ...runOf('1'), delayMs: 200 }]);
    expect([(await given)[0]?.error?.class, kept?.status]).toEqual(['Cancelled', 'succeeded']);
  });

  test('an empty batch is done at once', async () => {
    expect(await bench.all([])).toEqual([]);
  });

  test.each([0, 20, 63])('one that hangs in the middle of 64, at %i, costs the others nothing', async (at) => {
    const runs = numbered(64);
    runs[at] = runOf(hangs(), { limits: BRIEF });
    const outcomes = await bench.all(runs);
    expect(outcomes[at]).toMatchObject({ status: 'timed-out', error: { class: 'Timeout', name: 'HardTimeout' } });
    expect(outcomes.filter((outcome, index) => outcome.value === index)).toHaveLength(63);
  });

  test('several that hang, in several batches at a time, are ended one after another', async () => {
    const batches = Array.from({ length: 3 }, () => {
      const runs = numbered(64);
      runs[10] = runOf(hangs(), { limits: BRIEF });
      return bench.all(runs);
    });
    for (const outcomes of await Promise.all(batches)) {
      expect(outcomes[10]).toMatchObject({ status: 'timed-out' });
      expect(outcomes.filter(({ status }) => status === 'succeeded')).toHaveLength(63);
    }
  });

  test('some runs of one program that hangs are ended one after another, and hold up nobody', async () => {
    const source = hangs();
    const ends: number[] = [];
    const runs = [...Array.from({ length: 5 }, () => runOf(source, { limits: BRIEF })), ...numbered(300)];
    await bench.evaluator.run(runs, (index) => ends.push(index));
    expect(ends.toSorted((a, b) => a - b)).toEqual(runs.map((_run, index) => index));
    expect(ends.slice(-4)).toEqual([1, 2, 3, 4]);
  });

  test('a run that waits while another takes the worker with it is lost, and says so', async () => {
    let calls = 0;
    const capabilities = {
      count: () => {
        calls++;
        return new Promise(() => {});
      },
    };
    const waiting = bench.outcome('ctx.call("count")', { capabilities });
    while (calls === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // As many as it takes to meet it, on however many workers.
    await bench.all(Array.from({ length: 4 }, () => runOf(hangs(), { limits: BRIEF })));
    expect(await waiting).toMatchObject({ status: 'failed', error: { class: 'WorkerLost' } });
    expect(calls).toBe(1);
  });

  test('a slow run in a batch does not hold up the outcomes of the others', async () => {
    const order: number[] = [];
    const slow = runOf('export default async () => { await new Promise((r) => setTimeout(r, 300)); return "slow" }');
    await bench.evaluator.run([slow, ...numbered(3)], (index) => order.push(index));
    expect(order).toEqual([1, 2, 3, 0]);
  });

  test('outcomes of half a batch arrive while the other half is at work', async () => {
    const order: number[] = [];
    const abort = new AbortController();
    const runs = [...numbered(3), runOf('for (;;);')];
    await bench.evaluator.run(
      runs,
      (index) => {
        order.push(index);
        if (order.length === 3) abort.abort();
      },
      abort.signal,
    );
    expect(order).toEqual([0, 1, 2, 3]);
  });

  test('a loop is interrupted without harm to a run that waits beside it', async () => {
    const waits = runOf('new Promise((resolve) => setTimeout(() => resolve("done"), 50))');
    const outcomes = await bench.all([waits, runOf('for (;;);', { limits: BRIEF })]);
    expect(outcomes.map(({ value, error }) => error?.class ?? value)).toEqual(['done', 'Timeout']);
  });

  test('a loop is given up without harm to a run that waits beside it', async () => {
    const abort = new AbortController();
    const waiting = bench.value('new Promise((resolve) => setTimeout(() => resolve("done"), 200))');
    const looping = bench.outcome('for (;;);', { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    expect(await looping).toMatchObject({ error: { class: 'Cancelled' } });
    expect(await waiting).toBe('done');
  });

  test.each([
    ['waits', WAITS],
    ['is at work', 'for (;;);'],
    ['cannot be interrupted', hangs()],
  ])('a caller can give up a run that %s', async (_what, source) => {
    const abort = new AbortController();
    // Longer than the test: only giving up ends it.
    const limits = { wallMs: 600_000, cpuMs: 600_000 };
    const runs = [runOf(source, { limits }), ...numbered(100), runOf(source, { limits })];
    setTimeout(() => abort.abort(), 50);
    const outcomes = await bench.all(runs, abort.signal);
    expect(outcomes).toHaveLength(102);
    expect(outcomes[101]).toMatchObject({ status: 'failed', error: { class: 'Cancelled' } });
    expect(await bench.value('6 * 7')).toBe(42);
  });

  test('a caller that has given up before starts nothing', async () => {
    let calls = 0;
    const capabilities = { count: () => ++calls };
    const outcome = await bench.outcome('ctx.call("count")', { capabilities, signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ error: { class: 'Cancelled' } });
    await bench.value('6 * 7');
    expect(calls).toBe(0);
  });

  test('a caller that gives up does so for its own runs only', async () => {
    const abort = new AbortController();
    const mine = bench.outcome('export default () => new Promise((r) => setTimeout(() => r(1), 200))');
    const theirs = bench.outcome(WAITS, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    expect(await theirs).toMatchObject({ error: { class: 'Cancelled' } });
    expect(await mine).toMatchObject({ value: 1 });
  });

  test('a listener that throws is the caller’s own trouble', async () => {
    const failing = bench.evaluator.run(numbered(3), () => {
      throw new Error('listener');
    });
    await expect(failing).rejects.toThrow('listener');
    expect(await bench.value('6 * 7')).toBe(42);
  });

  test('closing settles what is under way, and takes nothing new', async () => {
    const evaluator = await open();
    const outcomes: Outcome[] = [];
    const running = evaluator.run([runOf(WAITS), runOf('for (;;);'), ...numbered(300)], (_index, outcome) => {
      outcomes.push(outcome);
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await evaluator.close();
    await running;
    expect(outcomes).toHaveLength(302);
    expect(outcomes.filter(({ error }) => error?.class === 'Cancelled').length).toBeGreaterThanOrEqual(2);
    await expect(evaluator.run(numbered(1), () => {})).rejects.toThrow('closed');
    await expect(evaluator.check(programOf('1'))).rejects.toThrow('closed');
    await evaluator.close();
  });
}

/** Runs that compute for long, and those that share a worker with them. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { Board, nextSeq } from '../../src/evaluator/board.ts';
import { runOf } from '../contract/evaluator/bench.ts';
import { Crew, ends, until } from '../support/crew.ts';

jest.setTimeout(60_000);

const crew = Crew.use();

/** Computes until its time is over. Each number is a program of its own. */
const hog = (wallMs: number, number = 0) => runOf(`/* ${number} */ for (;;);`, { limits: { wallMs } });
const awaits = (wallMs: number) =>
  runOf('export default async (ctx) => ctx.call("slow")', {
    capabilities: { slow: () => delay(50, 'answered') },
    limits: { wallMs },
  });
const sleeps = (wallMs: number) =>
  runOf('export default () => new Promise((resolve) => setTimeout(resolve, 50, "woken"))', { limits: { wallMs } });
const quick = (input: number) => runOf('export default (ctx) => ctx.input', { context: { input } });

describe('beside a run that computes for long', () => {
  test('what waits is not charged for the time that it could not be woken', async () => {
    const evaluator = crew.open();
    const runs = [awaits(400), sleeps(400), hog(1500)];
    expect(await ends(evaluator, runs)).toEqual(['answered', 'woken', 'WallTimeout']);
  });

  test('a run is charged for its own time, in however many stints', async () => {
    const evaluator = crew.open();
    const source = `export default async () => {
      for (;;) { const t = Date.now(); for (let i = 0; i < 3e6; i++); await new Promise((resolve) => setTimeout(resolve, 1)); }
    }`;
    expect(await ends(evaluator, [runOf(source, { limits: { wallMs: 600 } })])).toEqual(['WallTimeout']);
  });

  test('what had not begun goes to another worker, and is over long before', async () => {
    const evaluator = crew.open();
    const order: number[] = [];
    const runs = [hog(5000), ...Array.from({ length: 400 }, (_, i) => quick(i))];
    const ended = await ends(evaluator, runs, order);
    expect(ended).toEqual(['WallTimeout', ...Array.from({ length: 400 }, (_, i) => i)]);
    expect(order.at(-1)).toBe(0);
  });

  test('nothing begins twice, and nothing is forgotten, however many programs do so', async () => {
    const evaluator = crew.open();
    const begun = new Map<number, number>();
    const capabilities = { begin: (input: number) => void begun.set(input, (begun.get(input) ?? 0) + 1) };
    const counted = (input: number) =>
      runOf('export default async (ctx) => { await ctx.call("begin", ctx.input); return ctx.input }', {
        capabilities,
        context: { input },
      });
    const runs = Array.from({ length: 300 }, (_, i) => (i % 50 === 7 ? hog(400, i) : counted(i)));
    const ended = await ends(evaluator, runs);
    expect(ended).toEqual(runs.map((_, i) => (i % 50 === 7 ? 'WallTimeout' : i)));
    expect([...begun.values()].every((times) => times === 1)).toBe(true);
    expect(begun.size).toBe(294);
  });

  test('there is room for the next ones, too, but not for any number of workers', async () => {
    const evaluator = crew.open();
    const hogs = ends(
      evaluator,
      Array.from({ length: 12 }, (_, i) => hog(300, i)),
    );
    const others: Promise<unknown[]>[] = [];
    let most = 0;
    for (let i = 0; i < 20; i++) {
      others.push(ends(evaluator, [quick(i)]));
      most = Math.max(most, crew.live);
      await delay(50);
    }
    expect(await Promise.all(others)).toEqual(Array.from({ length: 20 }, (_, i) => [i]));
    expect(await hogs).toEqual(Array(12).fill('WallTimeout'));
    expect(most).toBeLessThanOrEqual(4);
  });
});

test('a program that has kept others waiting runs apart the next time: they are through before it is', async () => {
  const evaluator = crew.open();
  await ends(evaluator, [hog(600), quick(1)]);
  const order: number[] = [];
  expect(await ends(evaluator, [hog(3000), awaits(400), sleeps(400), quick(1)], order)).toEqual([
    'WallTimeout',
    'answered',
    'woken',
    1,
  ]);
  expect(order.at(-1)).toBe(0);
});

test('a program that computes when nobody else is there harms nobody, and needs no second worker', async () => {
  const evaluator = crew.open();
  for (let i = 0; i < 3; i++) expect(await ends(evaluator, [hog(300, i)])).toEqual(['WallTimeout']);
  expect(crew.opened).toBe(1);
  await until(() => crew.live === 1);
});

describe('a recall, seen from both threads', () => {
  /** Names around the end of the numbers, where they wrap. */
  const first = 2 ** 31 - 3;
  const names = Array.from({ length: 8 }).reduce<number[]>((all) => [...all, nextSeq(all.at(-1) ?? first - 1)], []);
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = names;

  test('what has started goes on, what has not does not start, and what comes later does', () => {
    const main = new Board();
    const worker = new Board(main.shared);
    expect(worker.start(a)).toBe(true);
    main.recall(c);
    expect([a, b, c].map((seq) => main.hasStarted(seq))).toEqual([true, false, false]);
    expect([b, c, d].map((seq) => worker.start(seq))).toEqual([false, false, true]);
    main.recall(e);
    expect(worker.start(e)).toBe(false);
  });

  test('what starts at the same moment is known to one of the two', () => {
    const main = new Board();
    const worker = new Board(main.shared);
    worker.start(a);
    // The worker has said that it starts, and not looked yet.
    worker.start(b);
    main.recall(c);
    expect(main.hasStarted(b)).toBe(true);
    expect(main.hasStarted(c)).toBe(false);
    expect(worker.start(c)).toBe(false);
  });
});

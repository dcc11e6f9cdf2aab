import { expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/launch.ts';
import { type Bench, runOf } from './bench.ts';

const MIB = 1024 * 1024;

/** Somebody who answers when the test says so. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let most = 0;
  let waiting = 0;
  const wait = async () => {
    most = Math.max(most, ++waiting);
    await opened;
    waiting--;
  };
  return { open, wait, most: () => most };
}

export function waitingTests(bench: Bench): void {
  test('three hundred runs wait together, and each goes on where it was', async () => {
    const { open, wait, most } = gate();
    const source = `let local = 0; globalThis.mine = [];
      export default async (ctx) => {
        local = ctx.input; mine.push(ctx.input);
        const before = Math.random();
        await ctx.call('wait');
        mine.push(local);
        return [local, mine, before === ctx.input, Object.keys(globalThis).filter((name) => name === 'mine').length];
      }`;
    const runs = Array.from({ length: 300 }, (_, input) =>
      runOf(source, { capabilities: { wait }, context: { input }, seed: `${input}` }),
    );
    const finished = bench.all(runs);
    // Those that hang together with them would wait for ever if one had to end before another can begin.
    while (most() < 300) await new Promise((resolve) => setTimeout(resolve, 5));
    const quick = await bench.value('"in between"');
    open();
    expect(quick).toBe('in between');
    expect((await finished).map(({ value }) => value)).toEqual(runs.map((_run, i) => [i, [i, i], false, 1]));
  });

  test('a timer has its turn between many answers that came together', async () => {
    const { open, wait, most } = gate();
    const source = (then: string) => `export default async (ctx) => { await ctx.call('wait'); ${then} }`;
    const brief = runOf(source('await new Promise((resolve) => setTimeout(resolve, 1))'), { capabilities: { wait } });
    const busy = runOf(source('for (let i = 0; i < 3e5; i++);'), { capabilities: { wait } });
    const ended: number[] = [];
    const finished = bench.evaluator.run([brief, ...Array(40).fill(busy)], (index) => ended.push(index));
    while (most() < 41) await new Promise((resolve) => setTimeout(resolve, 5));
    open();
    await finished;
    expect(ended.indexOf(0)).toBeLessThan(20);
  });

  test('runs that wait with much memory wait their turn, and lose nothing', async () => {
    const source = `export default async (ctx) => {
      const mine = new Uint8Array(${6 * MIB}).fill(ctx.input);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return mine.indexOf(0) < 0 && mine[0] === ctx.input && mine.at(-1) === ctx.input;
    }`;
    const runs = Array.from({ length: 40 }, (_, i) => runOf(source, { context: { input: i + 1 } }));
    expect((await bench.all(runs)).map(({ value, error }) => error ?? value)).toEqual(runs.map(() => true));
  });

  test('when runs that wait grow beyond all memory, those that hold most go, and the small ones stay', async () => {
    const [inside, late] = [gate(), gate()];
    const enter = async () => {
      const entered = inside.wait();
      if (inside.most() === 40) inside.open(); // nobody grows before all are there
      await entered;
    };
    const small = 'export default async (ctx) => { await ctx.call("enter"); await ctx.call("wait"); return "small" }';
    const hog = `export default async (ctx) => {
      await ctx.call('enter');
      const mine = new Uint8Array(${30 * MIB}).fill(7);
      await ctx.call('wait');
      return mine.length;
    }`;
    const capabilities = { enter, wait: late.wait };
    const runs = Array.from({ length: 40 }, (_, i) =>
      runOf(i % 2 === 0 ? small : hog, { capabilities, limits: { memoryBytes: 40 * MIB, wallMs: 60_000 } }),
    );
    const outcomes: Outcome[] = [];
    await bench.evaluator.run(runs, (index, outcome) => {
      outcomes[index] = outcome;
      late.open(); // nobody ends before: the first to be reported is one that had to go
    });
    const [smalls, hogs] = [outcomes.filter((_, i) => i % 2 === 0), outcomes.filter((_, i) => i % 2)];
    expect(smalls.map(({ value, error }) => error ?? value)).toEqual(smalls.map(() => 'small'));
    const ends = hogs.map(({ value, error }) => error?.class ?? value);
    expect(new Set(ends)).toEqual(new Set(['Memory', 30 * MIB]));
    expect(await bench.value('"after"')).toBe('after');
  }, 120_000);

  test('a run that waits ends in time, wherever its memory is', async () => {
    const waits = runOf('new Promise((resolve) => setTimeout(resolve, 1e6))', { limits: { wallMs: 100 } });
    const others = Array.from({ length: 20 }, (_, i) =>
      runOf(`export default () => new Promise((r) => setTimeout(r, ${10 * i}, ${i}))`),
    );
    const [first, ...rest] = await bench.all([waits, ...others]);
    expect(first).toMatchObject({ status: 'timed-out', error: { class: 'Timeout', name: 'WallTimeout' } });
    expect(first?.usage.peakBytes).toBeGreaterThan(MIB);
    expect(rest.map(({ value }) => value)).toEqual(others.map((_run, i) => i));
  });

  test('that the stack was spent before a run waited decides as it would have without waiting', async () => {
    const source = `export default async (ctx) => {
      let overflow;
      try { (function f() { f() })() } catch (error) { overflow = error }
      await ctx.call('wait');
      throw overflow;
    }`;
    const { open, wait } = gate();
    const outcomes = bench.all(Array.from({ length: 3 }, () => runOf(source, { capabilities: { wait } })));
    setTimeout(open, 50);
    expect((await outcomes).map(({ error }) => error?.class)).toEqual(Array(3).fill('StackOverflow'));
  });
}

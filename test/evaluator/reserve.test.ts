/** The reserve, and who runs there: whoever has taken a worker with him runs alone, and holds up nobody else. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { act, Crew, ends, Turnstile, until } from '../support/crew.ts';

jest.setTimeout(30_000);

const crew = Crew.use();

describe('the reserve', () => {
  test('there is none as long as nothing hangs, and one from then on', async () => {
    const evaluator = crew.script({ workers: 2, graceMs: 20 });
    const sound = [act('finish'), act('finishByMail'), act('finish')];
    await ends(evaluator, sound);
    expect(crew.opened).toBe(2);
    await ends(evaluator, [act('hang')]);
    await until(() => crew.opened === 4 && crew.live === 3);
    await ends(evaluator, sound);
    expect(crew.opened).toBe(4);
  });

  test('a program that has taken its worker with it dies alone the next time', async () => {
    const evaluator = crew.script();
    expect(await ends(evaluator, [act('die', 'culprit')])).toEqual(['EngineTrap']);
    const gate = new Turnstile();
    const innocents = ends(evaluator, Array(10).fill(act('wait', 'innocent', gate.arrived)));
    await gate.reached(10);
    for (let i = 0; i < 3; i++) expect(await ends(evaluator, [act('die', 'culprit')])).toEqual(['EngineTrap']);
    gate.turn();
    expect(await innocents).toEqual(Array(10).fill('done'));
  });

  test('what was on its way to the others when that became known goes there as well', async () => {
    const evaluator = crew.script();
    const gate = new Turnstile();
    // More than a worker has at a time, so that the last ones have not even been sent.
    const between = Array(300).fill(act('finish'));
    const waiting = [act('wait', 'culprit', gate.arrived), act('wait', 'innocent', gate.arrived)];
    const running = ends(evaluator, [act('die', 'culprit'), ...between, ...waiting]);
    await gate.reached(2);
    // Both are the first that their worker has seen wait.
    expect(gate.arrivals).toEqual([1, 1]);
    gate.turn();
    expect(await running).toEqual(['EngineTrap', ...Array(302).fill('done')]);
  });

  test('culprits take turns there, and hold up nobody else', async () => {
    const evaluator = crew.script();
    expect(await ends(evaluator, [act('die', 'a'), act('die', 'b')])).toEqual(['EngineTrap', 'EngineTrap']);
    const gate = new Turnstile();
    const order: string[] = [];
    const culprits = ['a', 'b', 'a'].map((program, i) =>
      ends(evaluator, [act('wait', program, gate.arrived)]).then(() => order.push(`${program}${i}`)),
    );
    const others = Array(200).fill(act('finish'));
    for (let done = 0; done < 3; done++) {
      await gate.reached(done + 1);
      expect(await ends(evaluator, others)).toEqual(Array(200).fill('done'));
      expect([gate.arrivals.length, order.length]).toEqual([done + 1, done]);
      gate.turn();
      await culprits[done];
    }
    expect(order).toEqual(['a0', 'b1', 'a2']);
  });

  test('while a culprit is there, it takes nobody else’s place', async () => {
    const evaluator = crew.script();
    expect(await ends(evaluator, [act('die', 'a')])).toEqual(['EngineTrap']);
    const gate = new Turnstile();
    const culprit = ends(evaluator, [act('wait', 'a', gate.arrived)]);
    await gate.reached(1);
    expect(await ends(evaluator, [act('die', 'b')])).toEqual(['EngineTrap']);
    const innocent = ends(evaluator, [act('wait', 'c', gate.arrived)]);
    await gate.reached(2);
    expect(gate.arrivals).toEqual([1, 1]);
    gate.turn();
    expect([await culprit, await innocent]).toEqual([['done'], ['done']]);
  });

  test('a culprit that is given up while it waits for its turn never starts', async () => {
    const evaluator = crew.script();
    expect(await ends(evaluator, [act('die', 'a')])).toEqual(['EngineTrap']);
    const gate = new Turnstile();
    const first = ends(evaluator, [act('wait', 'a', gate.arrived)]);
    await gate.reached(1);
    const abort = new AbortController();
    const starts: unknown[] = [];
    const second = evaluator.run(
      [act('wait', 'a', gate.arrived)],
      (_index, { hasStarted = true }) => starts.push(hasStarted),
      abort.signal,
    );
    abort.abort();
    await second;
    gate.turn();
    expect(await first).toEqual(['done']);
    expect(await ends(evaluator, [act('finish', 'a')])).toEqual(['done']);
    expect(starts).toEqual([false]);
    expect(gate.arrivals).toEqual([1]);
  });

  test('a culprit that is late has its successor in readiness, and yet the next one waits until it is over', async () => {
    const evaluator = crew.script({ graceMs: 10_000 });
    expect(await ends(evaluator, [act('die', 'a'), act('die', 'b')])).toEqual(['EngineTrap', 'EngineTrap']);
    const events: string[] = [];
    const late = ends(evaluator, [act('dawdle', 'a')]).then(() => events.push('one is over'));
    const next = ends(evaluator, [act('wait', 'b', () => events.push('the next one begins'))]);
    await Promise.all([late, next]);
    expect(events).toEqual(['one is over', 'the next one begins']);
  });

  test('a culprit that is late but well is let go on, and no worker is left over', async () => {
    const evaluator = crew.script({ graceMs: 10_000 });
    expect(await ends(evaluator, [act('die', 'a')])).toEqual(['EngineTrap']);
    for (let i = 0; i < 3; i++) expect(await ends(evaluator, [act('dawdle', 'a')])).toEqual(['done']);
    await until(() => crew.live === 2);
    expect(crew.opened).toBe(6);
  });
});

describe('the places of a worker', () => {
  test.each([
    ['hold', 192],
    ['wait', 192 + 1024],
  ] as const)('of runs that %s, it is given %i and not one more', async (what, most) => {
    const evaluator = crew.script();
    const gate = new Turnstile();
    const running = evaluator.run(Array(1500).fill(act(what, 'same', gate.arrived)), () => {});
    await gate.reached(most);
    await delay(100);
    expect(gate.arrivals).toHaveLength(most);
    await evaluator.close();
    await running;
  });

  test('runs that sleep, and tell nobody, hold up none that come after them', async () => {
    const evaluator = crew.script();
    const sleeping = evaluator.run(Array(400).fill(act('sleep')), () => {});
    expect(await ends(evaluator, Array(100).fill(act('finish')))).toEqual(Array(100).fill('done'));
    await evaluator.close();
    await sleeping;
  });

  test('there is an end to what may wait for one', async () => {
    const evaluator = crew.script();
    const running = evaluator.run(Array(60_000).fill(act('hold')), () => {});
    await expect(evaluator.run(Array(60_000).fill(act('hold')), () => {})).rejects.toThrow(
      /\d{5} runs wait already; 100000 may/,
    );
    await evaluator.close();
    await running;
  });
});

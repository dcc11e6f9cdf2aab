/** Workers that do not start, die or are ended: every run has its outcome, once, and none is started twice. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import type { Evaluator, Run, Started } from '../../src/evaluator.ts';
import type { Outcome } from '../../src/launch.ts';
import { programOf } from '../../src/program.ts';
import { runOf } from '../contract/evaluator/bench.ts';
import { Crew, DyingWorker, until } from '../support/crew.ts';
import { reportOf } from '../support/reports.ts';
import type { Act } from '../support/scripted-worker.ts';

jest.setTimeout(30_000);

const crew = Crew.use();

/** What a run does, and of which program it is: each is of its own unless that is said. */
const run = (act: Act | 'die first', program: string = act, capabilities: Run['capabilities'] = {}): Run =>
  runOf(`"${program}"`, { context: { input: act }, capabilities });

/** What became of each, in their order: a value, or an error's class. Fails when one is told of twice. */
async function ends(evaluator: Evaluator, runs: readonly Run[], order: number[] = []): Promise<unknown[]> {
  const ended: unknown[] = [];
  await evaluator.run(runs, (index, outcome: Outcome & Started) => {
    if (order.includes(index)) throw new Error(`run ${index} was told of twice`);
    order.push(index);
    ended[index] = outcome.error?.name ?? outcome.value;
  });
  return ended;
}

describe('workers that cannot start', () => {
  const failing = () => new Worker('throw new Error("no room for it")', { eval: true });
  const broken = { message: 'the evaluator cannot start its workers', cause: { message: 'no room for it' } };

  test('three fail, and everything that waits is refused, with the reason', async () => {
    const evaluator = crew.open({ openWorker: failing });
    const ready = expect(evaluator.ready()).rejects.toThrow('ended while it started');
    await expect(evaluator.run([run('finish'), run('finish')], () => {})).rejects.toMatchObject(broken);
    await ready;
    expect(crew.opened).toBe(3);
    await expect(evaluator.run([run('finish')], () => {})).rejects.toMatchObject(broken);
    await expect(evaluator.check(programOf('1'))).rejects.toMatchObject(broken);
  });

  test('a machine without threads refuses, and does not crash the process', async () => {
    const evaluator = crew.open({
      openWorker: () => {
        throw new Error('no room for it');
      },
    });
    await expect(evaluator.ready()).rejects.toMatchObject(broken);
    await expect(evaluator.run([run('finish')], () => {})).rejects.toMatchObject(broken);
  });

  test('none can be had in place of one that was lost: what is done is told, what waits is refused', async () => {
    const scripted = crew.script();
    await scripted.ready();
    const order: number[] = [];
    let opened = 0;
    const evaluator = crew.script({ openWorker: () => (opened++ === 0 ? new DyingWorker() : failing()) });
    const running = ends(evaluator, [run('finish'), run('die'), run('finish'), run('finish')], order);
    await expect(running).rejects.toMatchObject(broken);
    expect(order).toEqual([0, 1]);
    expect(opened).toBe(4);
    expect(await ends(scripted, [run('finish')])).toEqual(['done']);
  });

  test('they start and die before they have begun anything: nobody starts them for ever', async () => {
    const evaluator = crew.script();
    await expect(ends(evaluator, [run('die first'), run('finish')])).rejects.toThrow('cannot start its workers');
    expect(crew.opened).toBe(3);
  });
});

describe('a worker that dies by itself', () => {
  const never = { arrived: () => new Promise(() => {}) };

  test('costs the run in the engine and those that wait; what had not begun runs in another one', async () => {
    const evaluator = crew.script();
    const acts = [run('finish'), run('finishByMail'), run('wait', 'w', never), run('die'), run('finish'), run('wait')];
    expect(await ends(evaluator, acts)).toEqual(['done', 'done', 'WorkerLost', 'EngineTrap', 'done', 'done']);
  });

  test('takes with it nothing that was finished, though nobody had been told yet', async () => {
    // Nobody looks now and then, either.
    const evaluator = crew.script({ clock: { ...systemClock, after: () => () => {} } });
    const acts = [run('finishSilently'), run('finishSilently'), run('die'), run('finish')];
    expect(await ends(evaluator, acts)).toEqual(['done', 'done', 'EngineTrap', 'done']);
  });

  test('does so for one program: the next time, that one dies alone', async () => {
    const evaluator = crew.script();
    let waiting = 0;
    let open: (value?: unknown) => void = () => {};
    const opened = new Promise((resolve) => {
      open = resolve;
    });
    const gate = {
      arrived: () => {
        waiting++;
        return opened;
      },
    };
    expect(await ends(evaluator, [run('die', 'culprit')])).toEqual(['EngineTrap']);
    const innocents = ends(
      evaluator,
      Array.from({ length: 10 }, () => run('wait', 'innocent', gate)),
    );
    await until(() => waiting === 10);
    for (let i = 0; i < 3; i++) expect(await ends(evaluator, [run('die', 'culprit')])).toEqual(['EngineTrap']);
    open();
    expect(await innocents).toEqual(Array(10).fill('done'));
  });
});

describe('a worker that is ended', () => {
  /** The first worker does something at last; those that take its place do not. */
  function open(atLast: (worker: DyingWorker) => void) {
    let opened = 0;
    return crew.script({ graceMs: 20, openWorker: () => new DyingWorker(opened++ === 0 ? atLast : undefined) });
  }

  test('the run that hangs is over before its worker is; what that one had finished is told, and only once', async () => {
    let hasEnded = false;
    const evaluator = open(({ outbox }) => {
      hasEnded = true;
      outbox.write(reportOf(1, { body: '"the one that hung"' }));
      outbox.write(reportOf(2, { body: '"late"' }));
    });
    const told: unknown[] = [];
    await evaluator.run([run('hang'), run('finish'), run('finish')], (index, { error, value }) => {
      told.push([index, error?.name ?? value, hasEnded]);
    });
    expect(told).toEqual([
      [0, 'HardTimeout', false],
      [1, 'late', true],
      [2, 'done', true],
    ]);
  });

  test('what it still begins while it dies is not begun a second time', async () => {
    const evaluator = open(({ board }) => board.start(2));
    const acts = [run('hang'), run('finish'), run('finish')];
    expect(await ends(evaluator, acts)).toEqual(['HardTimeout', 'WorkerLost', 'done']);
  });

  test('asks for nothing any more on behalf of what it has begun', async () => {
    const evaluator = open((worker) => {
      const again = { seq: 1, kind: 'call', call: '2', name: 'arrived', args: '["again"]' };
      worker.emit('message', { type: 'news', calls: [again] });
    });
    const asked: unknown[] = [];
    const capabilities = {
      arrived: (what: unknown) => {
        asked.push(what);
        return new Promise(() => {});
      },
    };
    expect(await ends(evaluator, [run('wait', 'w', capabilities), run('hang')])).toEqual(['WorkerLost', 'HardTimeout']);
    expect(asked).toEqual([1]);
  });
});

describe('the reserve', () => {
  test('there is none as long as nothing hangs, and one from then on', async () => {
    const evaluator = crew.script({ workers: 2, graceMs: 20 });
    await ends(evaluator, [run('finish'), run('finishByMail'), run('finish')]);
    expect(crew.opened).toBe(2);
    await ends(evaluator, [run('hang')]);
    await until(() => crew.opened === 4 && crew.live === 3);
    await ends(evaluator, [run('finish'), run('finishByMail'), run('finish')]);
    expect(crew.opened).toBe(4);
  });

  test('culprits take turns there, and hold up nobody else', async () => {
    const evaluator = crew.script();
    expect(await ends(evaluator, [run('die', 'a'), run('die', 'b')])).toEqual(['EngineTrap', 'EngineTrap']);
    const order: string[] = [];
    const gates: ((value: unknown) => void)[] = [];
    const capabilities = { arrived: () => new Promise((resolve) => gates.push(resolve)) };
    const culprits = ['a', 'b', 'a'].map((program, i) =>
      ends(evaluator, [run('wait', program, capabilities)]).then(() => order.push(`${program}${i}`)),
    );
    for (let done = 0; done < 3; done++) {
      await until(() => gates.length === done + 1);
      expect(await ends(evaluator, Array(200).fill(run('finish')))).toEqual(Array(200).fill('done'));
      expect([gates.length, order.length]).toEqual([done + 1, done]);
      gates[done]?.(null);
      await culprits[done];
    }
    expect(order).toEqual(['a0', 'b1', 'a2']);
  });

  test('a culprit that is late but well is let go on, and no worker is left over', async () => {
    const evaluator = crew.script({ graceMs: 10_000 });
    expect(await ends(evaluator, [run('die', 'a')])).toEqual(['EngineTrap']);
    for (let i = 0; i < 3; i++) expect(await ends(evaluator, [run('dawdle', 'a')])).toEqual(['done']);
    await until(() => crew.live === 2);
    expect(crew.opened).toBe(6);
  });
});

describe('the places of a worker', () => {
  test.each([
    ['hold', 192],
    ['wait', 192 + 1024],
  ] as const)('of runs that %s, it is given %i and not one more', async (act, most) => {
    const evaluator = crew.script();
    let arrived = 0;
    const capabilities = {
      arrived: (count: number) => {
        arrived = count;
        return new Promise(() => {});
      },
    };
    const running = evaluator.run(Array(1500).fill(run(act, 'same', capabilities)), () => {});
    await until(() => arrived >= most);
    await delay(100);
    expect(arrived).toBe(most);
    await evaluator.close();
    await running;
  });

  test('there is an end to what may wait for one', async () => {
    const evaluator = crew.script();
    const running = evaluator.run(Array(60_000).fill(run('hold')), () => {});
    await expect(evaluator.run(Array(60_000).fill(run('hold')), () => {})).rejects.toThrow(
      /\d{5} runs wait already; 100000 may/,
    );
    await evaluator.close();
    await running;
  });
});

/** Workers that do not start, die or are ended: every run has its outcome, once, and none is started twice. */
import { getEventListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { programOf } from '../../src/program.ts';
import { act, Crew, DyingWorker, ends, Turnstile, until } from '../support/crew.ts';
import { reportOf } from '../support/reports.ts';

jest.setTimeout(30_000);

const crew = Crew.use();

describe('workers that cannot start', () => {
  const failing = () => new Worker('throw new Error("no room for it")', { eval: true });
  const broken = { message: 'the evaluator cannot start its workers', cause: { message: 'no room for it' } };

  /** The first few start. */
  function open(sound: number, workers = 1) {
    let opened = 0;
    return crew.script({ workers, openWorker: () => (opened++ < sound ? new DyingWorker() : failing()) });
  }

  test('three fail, and everything that waits is refused, with the reason', async () => {
    const evaluator = open(0);
    const ready = expect(evaluator.ready()).rejects.toThrow('ended while it started');
    await expect(evaluator.run([act('finish'), act('finish')], () => {})).rejects.toMatchObject(broken);
    await ready;
    expect(crew.opened).toBe(3);
    await expect(evaluator.run([act('finish')], () => {})).rejects.toMatchObject(broken);
    await expect(evaluator.check(programOf('1'))).rejects.toMatchObject(broken);
  });

  test('a machine without threads refuses, and does not crash the process', async () => {
    const evaluator = crew.script({
      openWorker: () => {
        throw new Error('no room for it');
      },
    });
    await expect(evaluator.ready()).rejects.toMatchObject(broken);
    await expect(evaluator.run([act('finish')], () => {})).rejects.toMatchObject(broken);
  });

  test('none can be had in place of one that was lost: what is done is told, what waits is refused', async () => {
    const evaluator = open(1);
    const order: number[] = [];
    const running = ends(evaluator, [act('finish'), act('die'), act('finish'), act('finish')], order);
    await expect(running).rejects.toMatchObject(broken);
    expect(order).toEqual([0, 1]);
    expect(crew.opened).toBe(4);
  });

  test('what another worker is at is refused, too, and that worker does not stay', async () => {
    const evaluator = open(2, 2);
    await evaluator.ready();
    const gate = new Turnstile();
    const holding = ends(evaluator, [act('hold', 'h', gate.arrived)]);
    await gate.reached(1);
    const refused = expect(holding).rejects.toMatchObject(broken);
    expect(await ends(evaluator, [act('die')])).toEqual(['EngineTrap']);
    await refused;
    await until(() => crew.live === 0);
  });

  test('they start and die before they have begun anything: nobody starts them for ever', async () => {
    const evaluator = crew.script();
    await expect(ends(evaluator, [act('die first'), act('finish')])).rejects.toThrow('cannot start its workers');
    expect(crew.opened).toBe(3);
  });

  test('workers that were of use before they died do not count as failures', async () => {
    const evaluator = crew.script();
    for (let i = 0; i < 5; i++) expect(await ends(evaluator, [act('finishAndDie')])).toEqual(['done']);
    expect(await ends(evaluator, [act('finish')])).toEqual(['done']);
  });
});

describe('a worker that dies by itself', () => {
  test('costs the run in the engine and those that wait; what had not begun runs in another one', async () => {
    const evaluator = crew.script();
    const acts = [act('finish'), act('finishByMail'), act('wait'), act('die'), act('finish'), act('finish')];
    expect(await ends(evaluator, acts)).toEqual(['done', 'done', 'WorkerLost', 'EngineTrap', 'done', 'done']);
  });

  test('takes with it nothing that was finished, though nobody had been told yet', async () => {
    // Nobody looks now and then, either.
    const evaluator = crew.script({ clock: { ...systemClock, after: () => () => {} } });
    const acts = [act('finishSilently'), act('finishSilently'), act('die'), act('finish')];
    expect(await ends(evaluator, acts)).toEqual(['done', 'done', 'EngineTrap', 'done']);
  });

  test('does not change the order in which the others start', async () => {
    const evaluator = crew.script();
    const order: number[] = [];
    await ends(evaluator, [act('die'), ...Array(400).fill(act('finish'))], order);
    expect(order).toEqual(Array.from({ length: 401 }, (_, i) => i));
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
    await evaluator.run([act('hang'), act('finish'), act('finish')], (index, { error, value }) => {
      told.push([index, error?.name ?? value, hasEnded]);
    });
    expect(told).toEqual([
      [0, 'HardTimeout', false],
      [1, 'late', true],
      [2, 'done', true],
    ]);
  });

  test('what it still begins while it dies is not begun a second time', async () => {
    const evaluator = open(({ board }) => {
      board.start(2);
      board.enter(2, 1000);
    });
    const acts = [act('hang'), act('finish'), act('finish')];
    expect(await ends(evaluator, acts)).toEqual(['HardTimeout', 'WorkerLost', 'done']);
  });

  test('a check is no run: it is made again, even if it had begun', async () => {
    const evaluator = open(({ board }) => board.start(2));
    const running = ends(evaluator, [act('hang')]);
    expect(await evaluator.check(programOf('1'))).toBeUndefined();
    expect(await running).toEqual(['HardTimeout']);
  });

  test('asks for nothing any more on behalf of what it has begun', async () => {
    const evaluator = open((worker) => {
      const again = { seq: 1, kind: 'call', call: 2, name: 'arrived', args: '[99]' };
      worker.emit('message', { type: 'news', calls: [again] });
    });
    const { arrivals, arrived } = new Turnstile();
    expect(await ends(evaluator, [act('wait', 'w', arrived), act('hang')])).toEqual(['WorkerLost', 'HardTimeout']);
    expect(arrivals).toEqual([1]);
  });

  test('closing waits for it, too, and settles what it has', async () => {
    const evaluator = open(() => {});
    const ended: unknown[] = [];
    let closing: Promise<void> | undefined;
    await evaluator.run([act('hang'), act('finish')], (_index, { error }) => {
      ended.push(error?.name);
      closing ??= evaluator.close();
    });
    expect(ended).toEqual(['HardTimeout', 'Cancelled']);
    await closing;
    expect(crew.live).toBe(0);
  });
});

test('a run that was given up before it came into the engine is interrupted there, and its worker lives on', async () => {
  const evaluator = crew.script();
  await evaluator.ready();
  const abort = new AbortController();
  const ended: unknown[] = [];
  const running = evaluator.run([act('loopLater')], (_index, { error }) => ended.push(error?.name), abort.signal);
  setTimeout(() => abort.abort(), 50);
  await running;
  expect(ended).toEqual(['Cancelled']);
  expect(await ends(evaluator, [act('finish')])).toEqual(['done']);
  expect(crew.opened).toBe(1);
});

test('nothing is asked on behalf of a run that was given up', async () => {
  const worker = new DyingWorker();
  const evaluator = crew.script({ openWorker: () => worker });
  const gate = new Turnstile();
  const abort = new AbortController();
  const running = evaluator.run([act('hold', 'h', gate.arrived)], () => {}, abort.signal);
  await gate.reached(1);
  abort.abort();
  await running;
  worker.emit('message', { type: 'news', calls: [{ seq: 1, kind: 'call', call: '2', name: 'arrived', args: '[99]' }] });
  expect(gate.arrivals).toEqual([1]);
});

test('who gives a run up does not interrupt the one that happens to be in the engine', async () => {
  const worker = new DyingWorker();
  const evaluator = crew.script({ openWorker: () => worker });
  const [own, others] = [new AbortController(), new AbortController()];
  const ended: unknown[] = [];
  const looping = evaluator.run([act('loopLater')], (_index, { error }) => ended.push(error?.name), own.signal);
  await until(() => worker.board.running === 1);
  const waiting = evaluator.run([act('finish')], () => {}, others.signal);
  await new Promise(setImmediate);
  others.abort();
  await waiting;
  await new Promise(setImmediate);
  expect(worker.board.isCancelled(1)).toBe(false);
  own.abort();
  await looping;
  expect(ended).toEqual(['Cancelled']);
});

test('a signal that outlives its runs keeps nothing of them', async () => {
  const evaluator = crew.script();
  const { signal } = new AbortController();
  await evaluator.run([act('finish')], () => {}, signal);
  const told = () => {
    throw new Error('who listens may throw');
  };
  await expect(evaluator.run([act('finish')], told, signal)).rejects.toThrow('who listens may throw');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

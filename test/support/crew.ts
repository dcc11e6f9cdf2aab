/** Evaluators whose workers are counted, and may be others than the real ones. All are closed after their test. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach } from '@jest/globals';
import { type Clock, systemClock } from '../../src/clock.ts';
import { Board } from '../../src/evaluator/board.ts';
import { type Engine, loadEngine } from '../../src/evaluator/engine.ts';
import { openWorker } from '../../src/evaluator/lane.ts';
import type { ToWorker } from '../../src/evaluator/messages.ts';
import { Outbox } from '../../src/evaluator/outbox.ts';
import { QuickJsEvaluator } from '../../src/evaluator/quickjs.ts';
import type { Evaluator, Run } from '../../src/evaluator.ts';
import { runOf } from '../contract/evaluator/bench.ts';
import type { Act } from './scripted-worker.ts';

export interface CrewOptions {
  readonly workers?: number;
  readonly graceMs?: number;
  readonly clock?: Clock;
  readonly engine?: Promise<Engine>;
  readonly openWorker?: () => Worker;
}

/** Of each run, its value or its error's name; `order` is that of the news. Fails when one is told of twice. */
export async function ends(evaluator: Evaluator, runs: readonly Run[], order: number[] = []): Promise<unknown[]> {
  const ended: unknown[] = [];
  await evaluator.run(runs, (index, { error, value }) => {
    if (index in ended) throw new Error(`run ${index} was told of twice`);
    ended[index] = error?.name ?? value;
    order.push(index);
  });
  return ended;
}

/** What a scripted worker is to do with a run, and of which program it is: each act has its own, unless that is said. */
export const act = (
  what: Act | 'die first',
  program: string = what,
  arrived: (count: number) => unknown = () => new Promise(() => {}),
): Run => runOf(`"${program}"`, { context: { input: what }, capabilities: { arrived } });

/** Notes the runs that arrive, and lets them go on one by one. */
export class Turnstile {
  /** The how many-th of its worker each of them was. */
  readonly arrivals: number[] = [];
  readonly #open: ((value: null) => void)[] = [];

  readonly arrived = (count: number): Promise<null> => {
    this.arrivals.push(count);
    return new Promise((resolve) => this.#open.push(resolve));
  };

  /** Lets those go on that have arrived by now. */
  turn(): void {
    for (const open of this.#open.splice(0)) open(null);
  }

  reached(count: number): Promise<void> {
    return until(() => this.arrivals.length >= count);
  }
}

/** Looks again until `holds` does. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

export class Crew {
  opened = 0;
  live = 0;
  readonly #evaluators: QuickJsEvaluator[] = [];

  /** For the tests of the surrounding block. */
  static use(): Crew {
    const crew = new Crew();
    afterEach(() => crew.#dismiss());
    return crew;
  }

  open(options: CrewOptions = {}): QuickJsEvaluator {
    const { workers = 1, graceMs = 100, clock = systemClock, engine = loadEngine() } = options;
    const open = () => this.#counted((options.openWorker ?? openWorker)());
    const evaluator = new QuickJsEvaluator({ engine, openWorker: open, graceMs, clock }, workers);
    this.#evaluators.push(evaluator);
    return evaluator;
  }

  /** On workers without an engine: see scripted-worker.ts. */
  script(options: CrewOptions = {}): QuickJsEvaluator {
    return this.open({ engine: NO_ENGINE, openWorker: () => new Worker(SCRIPTED), ...options });
  }

  #counted(worker: Worker): Worker {
    this.opened++;
    this.live++;
    worker.once('exit', () => this.live--);
    return worker;
  }

  async #dismiss(): Promise<void> {
    await Promise.all(this.#evaluators.splice(0).map((evaluator) => evaluator.close()));
    await until(() => this.live === 0);
    this.opened = 0;
  }
}

const SCRIPTED = new URL('./scripted-worker.ts', import.meta.url);
const EMPTY_MODULE = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
const NO_ENGINE: Promise<Engine> = WebAssembly.compile(EMPTY_MODULE).then((module) => ({
  module,
  guest: { core: '', chapters: {} },
}));

/** A scripted worker that goes on for a moment when it is to end: `atLast` is what it still does. */
export class DyingWorker extends Worker {
  board = new Board();
  outbox = new Outbox();
  readonly #atLast: (worker: DyingWorker) => void;

  constructor(atLast: (worker: DyingWorker) => void = () => {}) {
    super(SCRIPTED);
    this.#atLast = atLast;
  }

  override postMessage(message: ToWorker): void {
    if (message.type === 'start') {
      this.board = new Board(message.board);
      this.outbox = new Outbox(message.outbox);
    }
    super.postMessage(message);
  }

  override async terminate(): Promise<number> {
    // A turn later: whoever ends it has done by then what must be done at once.
    await delay(0);
    this.#atLast(this);
    return super.terminate();
  }
}

/**
 * The main thread's side of one worker, from its start to its end: sends orders, collects reports, answers host calls,
 * and watches. A run that does not leave the engine in its time, parser and built-in functions included, is ended
 * together with the worker. What the worker had finished is collected, and what it had not started is given back.
 */
import { Worker } from 'node:worker_threads';
import { afterMicrotasks, type Cancel, type Clock } from '../clock.ts';
import { workerUrl } from './assets.ts';
import { Board, IDLE, nextSeq, type Seq } from './board.ts';
import { answerCall, answerFetch } from './capability.ts';
import type { Engine } from './engine.ts';
import type { Flight } from './flight.ts';
import {
  type FromWorker,
  type HostCall,
  monotonicMs,
  type Order,
  packOrders,
  type Reply,
  type ToWorker,
} from './messages.ts';
import { Outbox, type Report } from './outbox.ts';
import { outcomeOf } from './outcome.ts';
import { ProgramCache } from './program-cache.ts';

/** How often the watch looks at a busy worker: hangs are noticed this late, and so are results of half-done batches. */
const WATCH_MS = 25;
/** Flights that a worker has at a time. Three batches of 64: it works on one while the others are on their way. */
const FLIGHTS_MAX = 192;
/** The worker's own heap and stack. What guests use is linear memory, outside of both. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, stackSizeMb: 4 };

export interface LaneOptions {
  /** The worker starts meanwhile. */
  readonly engine: Promise<Engine>;
  readonly graceMs: number;
  readonly clock: Clock;
  /** Some flights are through. */
  readonly onRoom: () => void;
  /** The worker has ended, for whatever reason. `returned` had not started. */
  readonly onEnded: (lane: Lane, returned: readonly Flight[]) => void;
}

export class Lane {
  /** Resolves when the worker takes orders; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly #options: LaneOptions;
  readonly #worker: Worker;
  readonly #board = new Board();
  readonly #outbox = new Outbox();
  readonly #programs = new ProgramCache();
  readonly #replies: Reply[] = [];
  /** In the order in which they were sent. */
  readonly #flights = new Map<Seq, Flight>();
  #lastSeq: Seq = IDLE;
  #isReady = false;
  #cause: unknown;
  /** The run for which the worker is being ended. */
  #hung: Seq = IDLE;

  #cancelWatch: Cancel | undefined;
  #watchedAt = 0;
  #watchedStint = 0;
  #stintMs = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#worker = new Worker(workerUrl, {
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: RESOURCE_LIMITS,
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') resolve(this.#open());
        else this.#receive(message);
      });
      this.#worker.on('error', (error) => {
        this.#cause = error;
      });
      this.#worker.once('exit', () => {
        reject(new Error('the evaluator has no worker: it ended while it started', { cause: this.#cause }));
        this.#end();
      });
    });
    const [board, outbox] = [this.#board.shared, this.#outbox.shared];
    // Whoever created the promise hears of its failure, and closes the lane.
    options.engine.then(
      (engine) => this.#post({ type: 'start', ...engine, board, outbox }),
      () => {},
    );
  }

  get wasReady(): boolean {
    return this.#isReady;
  }

  /** Why the worker ended by itself, if it said so. */
  get cause(): unknown {
    return this.#cause;
  }

  /** How many flights {@link send} takes now. */
  get room(): number {
    return this.#isReady && this.#hung === IDLE ? FLIGHTS_MAX - this.#flights.size : 0;
  }

  get flights(): Iterable<Flight> {
    return this.#flights.values();
  }

  send(flights: readonly Flight[]): void {
    const { clock } = this.#options;
    const orders: Order[] = flights.map((flight) => {
      this.#lastSeq = nextSeq(this.#lastSeq);
      this.#flights.set(this.#lastSeq, flight);
      return { seq: this.#lastSeq, ...flight.order };
    });
    const lesson = this.#programs.prepare(flights.map(({ program }) => program));
    const sentAt = { epochMs: clock.now(), monotonicMs: monotonicMs() };
    this.#post({ type: 'orders', ...lesson, orders: packOrders(orders), sentAt });
    this.#watchSoon();
  }

  /** Flights whose runs the worker has begun. */
  get started(): Flight[] {
    return [...this.#flights].filter(([seq]) => this.#board.hasStarted(seq)).map(([, flight]) => flight);
  }

  /** Tells the worker of flights that were settled without it. */
  cancelSettled(): void {
    const seqs = [...this.#flights].filter(([, flight]) => flight.isSettled).map(([seq]) => seq);
    if (seqs.length === 0) return;
    this.#post({ type: 'cancel', seqs });
    const { running } = this.#board;
    if (this.#flights.get(running)?.isSettled) {
      this.#board.cancel(running);
      this.#stintMs = 0;
    }
  }

  async close(): Promise<void> {
    this.#worker.ref();
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** An idle worker does not keep the process alive; a busy one does, through the timer of its watch. */
  #open(): void {
    this.#isReady = true;
    this.#worker.unref();
  }

  #receive(message: Exclude<FromWorker, { type: 'ready' }>): void {
    switch (message.type) {
      case 'news':
        this.#collect();
        for (const call of message.calls) void this.#answer(call);
        break;
      case 'report':
        this.#settle(message.report);
        this.#options.onRoom();
        break;
    }
  }

  async #answer({ seq, kind, call, name, args }: HostCall): Promise<void> {
    const flight = this.#flights.get(seq);
    if (flight === undefined || flight.isSettled) return;
    const answer = await (kind === 'fetch'
      ? answerFetch(flight.fetch, args, flight.over)
      : answerCall(flight.capabilities, name, args));
    if (this.#replies.push({ seq, call, answer }) === 1) afterMicrotasks(() => this.#sendReplies());
  }

  /** Answers that are there at the same time share a message. */
  #sendReplies(): void {
    this.#post({ type: 'replies', replies: this.#replies.splice(0) });
  }

  #collect(): void {
    let collected = 0;
    for (const report of this.#outbox.drain()) {
      this.#settle(report);
      collected++;
    }
    if (collected > 0) this.#options.onRoom();
  }

  #settle(report: Report): void {
    const flight = this.#flights.get(report.seq);
    this.#flights.delete(report.seq);
    if (flight?.isSettled === false) flight.settle(outcomeOf(report));
  }

  #watchSoon(): void {
    if (this.#cancelWatch !== undefined) return;
    this.#watchedAt = this.#options.clock.elapsed();
    this.#stintMs = 0;
    const again = () => {
      this.#cancelWatch = undefined;
      this.#watch();
      if (this.#flights.size > 0 && this.#hung === IDLE) this.#cancelWatch = this.#options.clock.after(WATCH_MS, again);
    };
    this.#cancelWatch = this.#options.clock.after(WATCH_MS, again);
  }

  #watch(): void {
    this.#collect();
    const now = this.#options.clock.elapsed();
    // A process that was frozen must not take that for a run that hangs: a step counts for two periods at most.
    const stepMs = Math.min(now - this.#watchedAt, 2 * WATCH_MS);
    this.#watchedAt = now;
    const { stint, running, allowedMs } = this.#board;
    if (stint !== this.#watchedStint || running === IDLE) {
      this.#watchedStint = stint;
      this.#stintMs = 0;
      return;
    }
    this.#stintMs += stepMs;
    const isUnwanted = this.#flights.get(running)?.isSettled === true;
    if (isUnwanted) this.#board.cancel(running);
    if (this.#stintMs > (isUnwanted ? 0 : allowedMs) + this.#options.graceMs) {
      this.#hung = running;
      void this.#worker.terminate();
    }
  }

  /** The worker is gone, with all its messages read: settles or gives back what it leaves. */
  #end(): void {
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    this.#collect();
    const culprit = this.#hung === IDLE ? this.#board.running : this.#hung;
    const nowMs = this.#options.clock.now();
    const returned: Flight[] = [];
    for (const [seq, flight] of this.#flights) {
      if (flight.isSettled) continue;
      const hasStarted = this.#board.hasStarted(seq);
      if (seq === culprit && this.#hung !== IDLE) {
        const message = 'did not stop in time, not even when interrupted; its worker was ended';
        flight.end('Timeout', message, nowMs - this.#stintMs, this.#stintMs);
      } else if (seq === culprit) {
        flight.end('EngineTrap', 'the worker ended in the middle of the run', nowMs);
      } else if (hasStarted && flight.order.task === 'run') {
        flight.end('WorkerLost', 'another run took the worker with it', nowMs);
      } else {
        returned.push(flight);
      }
    }
    this.#flights.clear();
    this.#options.onEnded(this, returned);
  }
}

/**
 * The main thread's side of one worker, from its start to its end: sends orders, collects reports, answers host calls,
 * and watches. A run that does not leave the engine in its time, parser and built-in functions included, is over at
 * once, and its worker is ended. What the worker had finished is collected, and what it had not started is given back.
 */
import { Worker } from 'node:worker_threads';
import { atEndOfTurn, type Cancel, type Clock } from '../clock.ts';
import type { Program } from '../evaluator.ts';
import { workerUrl } from './assets.ts';
import { Board, IDLE, nextSeq, type Seq, WAITING_MAX } from './board.ts';
import type { Engine } from './engine.ts';
import type { Flight } from './flight.ts';
import { type FromWorker, type HostCall, monotonicMs, packOrders, type ToWorker } from './messages.ts';
import { Outbox, type Report } from './outbox.ts';
import { outcomeOf } from './outcome.ts';
import { ProgramCache } from './program-cache.ts';
import { Switchboard } from './switchboard.ts';
import { WATCH_MS, Watch } from './watch.ts';

/**
 * Flights that a worker has at a time, those that wait for host calls or timers left out. Three batches of 64: it works
 * on one while the others are on their way.
 */
const FLIGHTS_MAX = 192;
/**
 * What a worker has sent is read for so long at a stretch: tasks decide how much that is, and how long it takes, and the
 * main thread has a session to keep alive.
 */
const READING_MS = 5;
/** The worker's own heap and stack. What guests use is linear memory, outside of both. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, stackSizeMb: 4 };

/** What all lanes of an evaluator have in common. */
export interface Equipment {
  /** Workers start meanwhile. */
  readonly engine: Promise<Engine>;
  readonly openWorker: () => Worker;
  /** How long a run may overstay its time, until it is ended together with its worker. */
  readonly graceMs: number;
  readonly clock: Clock;
}

export interface LaneListener {
  /** There may be more room than before: some flights are through or wait, or the worker has just become ready. */
  readonly onRoom: (lane: Lane) => void;
  /** A run is in the engine. Comes often. */
  readonly onRunning: (lane: Lane, stint: StintSeen) => void;
  /** The worker has not begun these, and will not: see {@link Lane.recall}. */
  readonly onReturned: (flights: readonly Flight[]) => void;
  /** The lane takes no more flights: it was the doing of `culprit`, if of any program. Comes once, before the end. */
  readonly onLost: (lane: Lane, culprit: Program | undefined) => void;
  /** The worker is gone. `returned` had not started. */
  readonly onEnded: (lane: Lane, returned: readonly Flight[]) => void;
}

/** What is seen of a run that is in the engine. */
export interface StintSeen {
  readonly program: Program;
  readonly stintMs: number;
  /** Until it should have left; less than none when it overstays. */
  readonly leftMs: number;
}

/** A thread with an empty environment. Its standard streams are swallowed. */
export const openWorker = (file: URL = workerUrl): Worker =>
  new Worker(file, { env: {}, execArgv: [], stdout: true, stderr: true, resourceLimits: RESOURCE_LIMITS });

export class Lane {
  /** Resolves when the worker takes orders; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly #equipment: Equipment;
  readonly #listener: LaneListener;
  readonly #worker: Worker;
  readonly #board = new Board();
  readonly #outbox = new Outbox();
  readonly #programs = new ProgramCache();
  /** What came by message and is not read yet. */
  readonly #reports: Report[] = [];
  #isReadingDue = false;
  /** The worker is no more, and nothing new will come. */
  #isGone = false;
  readonly #switchboard = new Switchboard(this.#board, (replies) => this.#post({ type: 'replies', replies }));
  readonly #watch = new Watch(this.#board);
  /** In the order in which they were sent. */
  readonly #flights = new Map<Seq, Flight>();
  #lastSeq: Seq = IDLE;
  #state: 'starting' | 'ready' | 'lost' = 'starting';
  #wasOfUse = false;
  #cause: unknown;
  #cancelLook: Cancel | undefined;

  constructor(equipment: Equipment, listener: LaneListener) {
    this.#equipment = equipment;
    this.#listener = listener;
    this.#worker = equipment.openWorker();
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') resolve();
        this.#receive(message);
      });
      this.#worker.on('error', (error) => {
        this.#cause = error;
      });
      this.#worker.once('exit', () => {
        reject(new Error('the evaluator has no worker: it ended while it started', { cause: this.#cause }));
        this.#isGone = true;
        if (!this.#isReadingDue) this.#read();
      });
    });
    // Whoever waits for it hears of its failure; the others hear of the end.
    this.ready.catch(() => {});
    const [board, outbox] = [this.#board.shared, this.#outbox.shared];
    // Whoever created the promise hears of its failure, and closes the lane.
    equipment.engine.then(
      (engine) => this.#post({ type: 'start', ...engine, board, outbox }),
      () => {},
    );
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** No flight is here, not even one that was settled without the worker. */
  get isIdle(): boolean {
    return this.#flights.size === 0;
  }

  /** Only one flight is here. */
  get isAlone(): boolean {
    return this.#flights.size === 1;
  }

  /** It has finished something. */
  get wasOfUse(): boolean {
    return this.#wasOfUse;
  }

  /** Why the worker ended by itself, if it said so. */
  get cause(): unknown {
    return this.#cause;
  }

  /** How many flights {@link send} takes now. */
  get room(): number {
    if (this.#state !== 'ready') return 0;
    return FLIGHTS_MAX + Math.min(this.#board.waiting, WAITING_MAX) - this.#flights.size;
  }

  get flights(): Iterable<Flight> {
    return this.#flights.values();
  }

  /** Flights whose runs the worker has begun. */
  get started(): Flight[] {
    return [...this.#flights].filter(([seq]) => this.#board.hasStarted(seq)).map(([, flight]) => flight);
  }

  send(flights: readonly Flight[]): void {
    const { clock } = this.#equipment;
    const seqs = Int32Array.from(flights, (flight) => {
      this.#lastSeq = nextSeq(this.#lastSeq);
      this.#flights.set(this.#lastSeq, flight);
      return this.#lastSeq;
    });
    const orders = packOrders(
      seqs,
      flights.map(({ order }) => order),
    );
    const lesson = this.#programs.prepare(flights.map(({ program }) => program));
    const sentAt = { epochMs: clock.now(), monotonicMs: monotonicMs() };
    this.#post({ type: 'orders', ...lesson, orders, sentAt });
    if (this.#cancelLook !== undefined) return;
    this.#watch.restart(clock.elapsed());
    this.#lookLater();
  }

  /** Takes back what the worker has not begun. Where that is not certain yet, the worker will say so. */
  recall(): void {
    this.#board.recall(this.#lastSeq);
    const returned: Flight[] = [];
    for (const [seq, flight] of this.#flights) {
      if (this.#board.hasStarted(seq)) continue;
      this.#flights.delete(seq);
      if (!flight.isSettled) returned.push(flight);
    }
    this.#listener.onReturned(returned);
  }

  /** Tells the worker of flights that were settled without it. */
  cancelSettled(): void {
    const seqs = [...this.#flights].filter(([, flight]) => flight.isSettled).map(([seq]) => seq);
    if (seqs.length === 0) return;
    this.#post({ type: 'cancel', seqs });
    const { running } = this.#board;
    if (!this.#flights.get(running)?.isSettled) return;
    this.#board.cancel(running);
    this.#watch.restart(this.#equipment.clock.elapsed());
  }

  /** Ends the worker, whatever it does. */
  async close(): Promise<void> {
    this.#lose();
    // An idle worker would not keep the process alive until it has ended, and what it leaves is settled only then.
    this.#worker.ref();
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** An idle worker does not keep the process alive; a busy one does, through the timer of its watch. */
  #open(): void {
    if (this.#state === 'lost') return;
    this.#state = 'ready';
    this.#worker.unref();
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#open();
        break;
      case 'news':
        this.#switchboard.take(message.calls);
        break;
      case 'report':
        this.#reports.push(message.report);
        break;
    }
    if (!this.#isReadingDue) this.#read();
    this.#listener.onRoom(this);
  }

  /** Reads what has come, but not for long: the rest has its turn after others. */
  #read(): void {
    const { clock } = this.#equipment;
    const endMs = clock.elapsed() + READING_MS;
    while (this.#readNext()) {
      if (clock.elapsed() < endMs) continue;
      this.#readLater();
      return;
    }
    if (this.#isGone) this.#end();
  }

  /** One thing; false when there is none. */
  #readNext(): boolean {
    const report = this.#outbox.take() ?? this.#reports.shift();
    if (report !== undefined) {
      this.#settle(report);
      return true;
    }
    const call = this.#switchboard.next();
    if (call === undefined) return false;
    this.#answer(call);
    return true;
  }

  #readLater(): void {
    this.#isReadingDue = true;
    atEndOfTurn(() => {
      this.#isReadingDue = false;
      this.#read();
      this.#listener.onRoom(this);
    });
  }

  #answer(call: HostCall): void {
    const flight = this.#flights.get(call.seq);
    if (flight?.isSettled === false && this.#state !== 'lost') void this.#switchboard.answer(call, flight);
  }

  #settle(report: Report): void {
    const flight = this.#flights.get(report.seq);
    this.#flights.delete(report.seq);
    this.#wasOfUse = true;
    if (flight?.isSettled !== false) return;
    if (report.failure === 'WorkerLost') this.#listener.onReturned([flight]);
    else flight.settle(outcomeOf(report));
  }

  #lookLater(): void {
    this.#cancelLook = this.#equipment.clock.after(WATCH_MS, () => {
      this.#cancelLook = undefined;
      this.#look();
      if (this.#flights.size > 0 && this.#state === 'ready') this.#lookLater();
    });
  }

  #look(): void {
    const { clock, graceMs } = this.#equipment;
    if (!this.#isReadingDue) this.#read();
    // Runs that wait make room, and nobody rings a bell for that.
    this.#listener.onRoom(this);
    this.#watch.look(clock.elapsed());
    const { running, stintMs, allowedMs } = this.#watch;
    if (running === IDLE) return;
    const flight = this.#flights.get(running);
    const isUnwanted = flight?.isSettled === true;
    if (isUnwanted) this.#board.cancel(running);
    const leftMs = (isUnwanted ? 0 : allowedMs) - stintMs;
    if (leftMs < -graceMs) this.#giveUp(running);
    else if (flight !== undefined) this.#listener.onRunning(this, { program: flight.program, stintMs, leftMs });
  }

  /** The run hangs. It is over now; what else the worker may still finish is seen to when the worker has ended. */
  #giveUp(hanging: Seq): void {
    const { stintMs } = this.#watch;
    const flight = this.#flights.get(hanging);
    this.#lose(flight?.program);
    void this.close();
    flight?.end({
      failure: 'Timeout',
      name: 'HardTimeout',
      message: 'did not stop in time, not even when interrupted; its worker was ended',
      startedMs: this.#equipment.clock.now() - stintMs,
      wallMs: stintMs,
    });
  }

  #lose(culprit?: Program): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#listener.onLost(this, culprit);
  }

  /** The worker is gone, and all that it has sent is read: settles or gives back what it leaves. */
  #end(): void {
    const { running } = this.#board;
    // A worker that was ended by us was not ended by the run that happened to be in the engine.
    const broken = this.#state === 'lost' ? undefined : this.#flights.get(running);
    this.#lose(broken?.program);
    const startedMs = this.#equipment.clock.now();
    broken?.end({ failure: 'EngineTrap', message: 'the worker ended in the middle of the run', startedMs });
    const returned: Flight[] = [];
    for (const [seq, flight] of this.#flights) {
      if (flight.isSettled) continue;
      if (flight.order.task === 'check' || !this.#board.hasStarted(seq)) returned.push(flight);
      else flight.end({ failure: 'WorkerLost', message: 'another run took the worker with it', startedMs });
    }
    this.#flights.clear();
    this.#listener.onEnded(this, returned);
  }
}

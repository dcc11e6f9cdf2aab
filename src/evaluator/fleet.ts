/**
 * The workers: spreads flights over them, and replaces those that had to be ended or that one program keeps for itself.
 * Once that has happened, one more is kept in reserve. It takes the place of the next one that is lost; until then,
 * programs that have taken a worker from others run there, one at a time and alone.
 */
import { CronkeeperError } from '../errors.ts';
import type { Program } from '../evaluator.ts';
import { Culprits } from './culprits.ts';
import type { Flight } from './flight.ts';
import { type Equipment, Lane, type LaneListener, type StintSeen } from './lane.ts';

/** Runs that travel to a worker in one message. More gains nothing (measured), fewer costs. */
const BATCH_RUNS = 64;
/** Runs that wait for a worker. */
const QUEUE_MAX = 100_000;
/** A worker takes about so long to start. */
const STARTUP_MS = 150;
/** A run that overstays its time by so much has not heeded the interrupt, and is not likely to. */
const OVERSTAY_MS = 25;
/** Whoever computes for so long at a stretch, while others wait behind him, runs apart. */
const HOG_MS = 100;
/** Workers beyond those that were asked for: the reserve, and some that are leaving. */
const EXTRA_WORKERS_MAX = 3;
/** Workers that may end by themselves, one after another and without use, until the evaluator counts as broken. */
const FAILURES_MAX = 3;

export const CLOSED = new CronkeeperError('internal', 'the evaluator is closed');

export class Fleet {
  readonly #equipment: Equipment;
  readonly #workers: number;
  readonly #listener: LaneListener = {
    onRoom: (lane) => this.#onRoom(lane),
    onRunning: (lane, stint) => this.#onRunning(lane, stint),
    onReturned: (flights) => this.#onReturned(flights),
    onLost: (lane, culprit) => this.#onLost(lane, culprit),
    onEnded: (lane, returned) => this.#onEnded(lane, returned),
  };
  /** For flights that may share a worker. */
  readonly #lanes = new Set<Lane>();
  #reserve: Lane | undefined;
  /** A worker has hung, or is about to. Most evaluators never come to that, and need no reserve. */
  #wantsReserve = false;
  /** They take nothing more: dead in a moment, or as soon as the culprit is through with its time. */
  readonly #leaving = new Set<Lane>();
  readonly #culprits = new Culprits();
  #queue: Flight[] = [];
  /** Flights of culprits. */
  #apart: Flight[] = [];
  #isDispatchDue = false;
  #isCancelDue = false;
  #failures = 0;
  /** Why it takes no more flights: closed, or broken. */
  #refusal: CronkeeperError | undefined;

  constructor(equipment: Equipment, workers: number) {
    this.#equipment = equipment;
    this.#workers = workers;
    for (let i = 0; i < workers; i++) this.#openShared();
  }

  /** Resolves when all workers take orders; rejects when one of them ends before. */
  async ready(): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => lane.ready));
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  fly(flights: readonly Flight[]): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    const waiting = this.#queue.length + this.#apart.length;
    if (waiting + flights.length > QUEUE_MAX) {
      throw new CronkeeperError('too-large', `${waiting} runs wait already; ${QUEUE_MAX} may`);
    }
    for (const flight of flights) (this.#placeOf(flight) === 'apart' ? this.#apart : this.#queue).push(flight);
    this.#dispatchSoon();
  }

  cancel(flights: Iterable<Flight>, why: string): void {
    const startedMs = this.#equipment.clock.now();
    const started = new Set(this.#all().flatMap((lane) => lane.started));
    for (const flight of flights) {
      flight.end({ failure: 'Cancelled', message: why, startedMs, hasStarted: started.has(flight) });
    }
    this.#queue = this.#queue.filter((flight) => !flight.isSettled);
    this.#apart = this.#apart.filter((flight) => !flight.isSettled);
    this.#cancelSoon();
  }

  async close(): Promise<void> {
    this.#refusal ??= CLOSED;
    this.cancel(this.#flights(), 'the evaluator was closed');
    await this.#closeAll();
  }

  #placeOf({ program }: Flight): 'apart' | 'shared' {
    return this.#culprits.has(program) ? 'apart' : 'shared';
  }

  /** Every lane whose worker is alive. */
  #all(): Lane[] {
    return [...this.#lanes, ...(this.#reserve === undefined ? [] : [this.#reserve]), ...this.#leaving];
  }

  #flights(): Flight[] {
    return [...this.#queue, ...this.#apart, ...this.#all().flatMap((lane) => [...lane.flights])];
  }

  async #closeAll(): Promise<void> {
    await Promise.all(this.#all().map((lane) => lane.close()));
  }

  /** Batches that are cancelled in one turn are told of in one message: between two, a worker would begin what is next. */
  #cancelSoon(): void {
    if (this.#isCancelDue) return;
    this.#isCancelDue = true;
    queueMicrotask(() => {
      this.#isCancelDue = false;
      for (const lane of this.#all()) lane.cancelSettled();
    });
  }

  /** Calls of the same turn share a message. */
  #dispatchSoon(): void {
    if (this.#isDispatchDue) return;
    this.#isDispatchDue = true;
    queueMicrotask(() => {
      this.#isDispatchDue = false;
      this.#dispatch();
      this.#dispatchApart();
    });
  }

  #dispatch(): void {
    const share = Math.min(BATCH_RUNS, Math.ceil(this.#queue.length / this.#lanes.size));
    while (this.#queue.length > 0) {
      const lane = [...this.#lanes].reduce((freest, other) => (other.room > freest.room ? other : freest));
      const count = Math.min(share, this.#queue.length);
      // Crumbs would cost a message each; a whole batch will have room soon.
      if (lane.room < count) return;
      lane.send(this.#queue.splice(0, count));
    }
  }

  #dispatchApart(): void {
    if (this.#reserve?.isReady !== true || !this.#reserve.isIdle) return;
    // One that may still hang is alone, in spite of its successor.
    if ([...this.#leaving].some((lane) => lane.isReady)) return;
    const next = this.#apart.shift();
    if (next !== undefined) this.#reserve.send([next]);
  }

  #open(): Lane | undefined {
    try {
      return new Lane(this.#equipment, this.#listener);
    } catch (error) {
      // The system has no more threads.
      this.#break(error);
      return undefined;
    }
  }

  #openShared(): void {
    const lane = this.#takeReserve() ?? this.#open();
    if (lane !== undefined) this.#lanes.add(lane);
  }

  /** Starts the reserve, but not beside a worker that is wanted more. */
  #keepReserve(): void {
    if (!this.#wantsReserve || this.#reserve !== undefined || this.#refusal !== undefined) return;
    if ([...this.#lanes].every((lane) => lane.isReady)) this.#reserve = this.#open();
  }

  #onRoom(lane: Lane): void {
    this.#keepReserve();
    this.#dispatchSoon();
    if (this.#leaving.has(lane) && lane.isIdle) void lane.close();
  }

  /** Starts what will be needed when the worker has to be ended: early for a culprit, late for anybody else. */
  #onRunning(lane: Lane, { program, stintMs, leftMs }: StintSeen): void {
    if (stintMs > HOG_MS && this.#lanes.has(lane) && !(lane.isAlone && this.#queue.length === 0)) {
      this.#leaveTo(program, lane);
    }
    if (lane === this.#reserve && leftMs < STARTUP_MS) {
      this.#reserve = undefined;
      this.#leaving.add(lane);
    } else if (leftMs < -OVERSTAY_MS) this.#wantsReserve = true;
    this.#keepReserve();
  }

  /**
   * A program keeps a worker to itself: it may have it. The others get another one, but for those that had begun there:
   * they go on when it is through.
   */
  #leaveTo(program: Program, lane: Lane): void {
    if (this.#all().length >= this.#workers + EXTRA_WORKERS_MAX) return;
    this.#setApart(program);
    this.#lanes.delete(lane);
    this.#openShared();
    if (this.#reserve === undefined) this.#reserve = lane;
    else this.#leaving.add(lane);
    lane.recall();
  }

  #onLost(lane: Lane, culprit: Program | undefined): void {
    const wasShared = this.#lanes.delete(lane);
    if (lane === this.#reserve) this.#reserve = undefined;
    this.#leaving.add(lane);
    if (culprit !== undefined) this.#setApart(culprit);
    if (this.#refusal !== undefined) return;
    this.#failures = culprit !== undefined || lane.wasOfUse ? 0 : this.#failures + 1;
    if (this.#failures >= FAILURES_MAX) {
      this.#break(lane.cause);
      return;
    }
    if (wasShared) this.#openShared();
    this.#keepReserve();
    this.#dispatchSoon();
  }

  /** The reserve, unless a culprit is there. */
  #takeReserve(): Lane | undefined {
    if (this.#reserve?.isIdle !== true) return undefined;
    const lane = this.#reserve;
    this.#reserve = undefined;
    return lane;
  }

  #setApart(culprit: Program): void {
    this.#wantsReserve = true;
    this.#culprits.add(culprit);
    const isApart = ({ program }: Flight) => program.hash === culprit.hash;
    this.#apart = [...this.#apart, ...this.#queue.filter(isApart)];
    this.#queue = this.#queue.filter((flight) => !isApart(flight));
  }

  #onEnded(lane: Lane, returned: readonly Flight[]): void {
    this.#leaving.delete(lane);
    this.#onReturned(returned);
  }

  /** What had not started goes first. */
  #onReturned(returned: readonly Flight[]): void {
    const { apart = [], shared = [] } = Object.groupBy(returned, (flight) => this.#placeOf(flight));
    this.#apart = [...apart, ...this.#apart];
    this.#queue = [...shared, ...this.#queue];
    this.#dispatchSoon();
  }

  #break(cause: unknown): void {
    this.#refusal = new CronkeeperError('internal', 'the evaluator cannot start its workers', { cause });
    for (const flight of this.#flights()) flight.abandon(this.#refusal);
    this.#queue = [];
    this.#apart = [];
    void this.#closeAll();
  }
}

/**
 * The evaluator on QuickJS: compiled to WebAssembly, in worker threads with an empty environment, every run in memory
 * that no other run has touched. This file spreads runs over the workers and replaces workers that had to be ended.
 */
import { type Clock, systemClock } from '../clock.ts';
import { CronkeeperError } from '../errors.ts';
import {
  DEFAULT_LIMITS,
  type Evaluator,
  type Limits,
  type OutcomeListener,
  type Program,
  type Run,
  type RunContext,
} from '../evaluator.ts';
import type { RunError } from '../launch.ts';
import { loadEngine } from './engine.ts';
import { Flight, type FlightPlan } from './flight.ts';
import { Lane, type LaneOptions } from './lane.ts';

/** Runs that travel to a worker in one message. More gains nothing (measured), fewer costs. */
const BATCH_RUNS = 64;
/** Runs that wait for a worker. */
const QUEUE_MAX = 100_000;
/** Workers that may end before they are ready, one after another, until the evaluator counts as broken. */
const FAILED_STARTS_MAX = 3;
/** Parsing the largest source takes some milliseconds. */
const CHECK_LIMITS: Limits = { ...DEFAULT_LIMITS, wallMs: 5000, cpuMs: 5000 };

export interface QuickJsOptions {
  /** Threads. Default 1; at least 1. */
  readonly workers?: number;
  /** How long a run may overstay its time, until it is ended together with its worker. Default 150. */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

/** Resolves when all workers are ready. They start while the engine is compiled. */
export async function createQuickJsEvaluator(options: QuickJsOptions = {}): Promise<Evaluator> {
  const { workers = 1, graceMs = 150, clock = systemClock } = options;
  const engine = loadEngine();
  const evaluator = new QuickJsEvaluator({ engine, graceMs, clock }, workers);
  try {
    await engine;
    await evaluator.ready();
  } catch (error) {
    await evaluator.close();
    throw error;
  }
  return evaluator;
}

type Equipment = Pick<LaneOptions, 'engine' | 'graceMs' | 'clock'>;

class QuickJsEvaluator implements Evaluator {
  readonly #equipment: Equipment;
  readonly #lanes = new Set<Lane>();
  #queue: Flight[] = [];
  #isDispatchDue = false;
  #isCancelDue = false;
  #failedStarts = 0;
  /** Why it takes no more runs: closed, or broken. */
  #refusal: CronkeeperError | undefined;

  constructor(equipment: Equipment, workers: number) {
    this.#equipment = equipment;
    for (let i = 0; i < workers; i++) this.#startLane();
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => lane.ready));
  }

  async run(batch: readonly Run[], onOutcome: OutcomeListener, signal?: AbortSignal): Promise<void> {
    if (batch.length === 0) return;
    const flights: Flight[] = [];
    const cancel = () => this.#cancel(flights, 'the caller gave up');
    try {
      await new Promise<void>((resolve, reject) => {
        let left = batch.length;
        for (const [index, run] of batch.entries()) {
          const settle = (report: () => void) => {
            try {
              report();
            } catch (error) {
              reject(error);
            }
            if (--left === 0) resolve();
          };
          flights.push(
            new Flight({
              ...planOf(run),
              onOutcome: (outcome) => settle(() => onOutcome(index, outcome)),
              onBroken: (error) => settle(() => reject(error)),
            }),
          );
        }
        this.#fly(flights);
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted) cancel();
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  check(program: Program): Promise<RunError | undefined> {
    return new Promise((resolve, reject) => {
      const order = {
        task: 'check',
        hash: program.hash,
        context: '',
        nowMs: 0,
        seed: '',
        limits: CHECK_LIMITS,
      } as const;
      const flight = new Flight({
        program,
        order,
        capabilities: {},
        onOutcome: ({ error }) => (error?.class === 'Cancelled' ? reject(CLOSED) : resolve(error)),
        onBroken: reject,
      });
      this.#fly([flight]);
    });
  }

  async close(): Promise<void> {
    this.#refusal ??= CLOSED;
    const lanes = [...this.#lanes];
    this.#cancel([...this.#queue, ...lanes.flatMap((lane) => [...lane.flights])], 'the evaluator was closed');
    await Promise.all(lanes.map((lane) => lane.close()));
  }

  #fly(flights: readonly Flight[]): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#queue.length + flights.length > QUEUE_MAX) {
      throw new CronkeeperError('too-large', `${this.#queue.length} runs wait already; ${QUEUE_MAX} may`);
    }
    for (const flight of flights) if (!this.#isOversized(flight)) this.#queue.push(flight);
    this.#dispatchSoon();
  }

  #isOversized(flight: Flight): boolean {
    const { sourceBytes } = flight.order.limits;
    const { source } = flight.program;
    // A UTF-16 unit is at most three bytes: most sources need no counting.
    if (source.length * 3 <= sourceBytes) return false;
    const bytes = Buffer.byteLength(source);
    if (bytes <= sourceBytes) return false;
    flight.end(
      'SourceTooLarge',
      `the source has ${bytes} bytes; ${sourceBytes} are allowed`,
      this.#equipment.clock.now(),
    );
    return true;
  }

  #cancel(flights: readonly Flight[], why: string): void {
    const nowMs = this.#equipment.clock.now();
    const started = new Set([...this.#lanes].flatMap((lane) => lane.started));
    for (const flight of flights) flight.end('Cancelled', why, nowMs, 0, started.has(flight));
    this.#queue = this.#queue.filter((flight) => !flight.isSettled);
    this.#cancelSoon();
  }

  /** Batches that are cancelled in one turn are told of in one message: between two, a worker would begin what is next. */
  #cancelSoon(): void {
    if (this.#isCancelDue) return;
    this.#isCancelDue = true;
    queueMicrotask(() => {
      this.#isCancelDue = false;
      for (const lane of this.#lanes) lane.cancelSettled();
    });
  }

  /** Calls of the same turn share a message. */
  #dispatchSoon(): void {
    if (this.#isDispatchDue) return;
    this.#isDispatchDue = true;
    queueMicrotask(() => {
      this.#isDispatchDue = false;
      this.#dispatch();
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

  #startLane(): void {
    const lane = new Lane({
      ...this.#equipment,
      onRoom: () => this.#dispatchSoon(),
      onEnded: (ended, returned) => this.#replace(ended, returned),
    });
    this.#lanes.add(lane);
    // A lane that never becomes ready ends, and is counted there.
    lane.ready.then(
      () => this.#dispatchSoon(),
      () => {},
    );
  }

  #replace(lane: Lane, returned: readonly Flight[]): void {
    this.#lanes.delete(lane);
    this.#failedStarts = lane.wasReady ? 0 : this.#failedStarts + 1;
    if (this.#refusal !== undefined) {
      for (const flight of returned) flight.abandon(this.#refusal);
      return;
    }
    this.#queue.unshift(...returned);
    if (this.#failedStarts < FAILED_STARTS_MAX) this.#startLane();
    else this.#break(lane.cause);
  }

  #break(cause: unknown): void {
    this.#refusal = new CronkeeperError('internal', 'the evaluator cannot start its workers', { cause });
    for (const flight of this.#queue.splice(0)) flight.abandon(this.#refusal);
    for (const lane of this.#lanes) void lane.close();
  }
}

const CLOSED = new CronkeeperError('internal', 'the evaluator is closed');

const planOf = (run: Run): Pick<FlightPlan, 'program' | 'order' | 'capabilities' | 'fetch'> => ({
  program: run.program,
  order: {
    task: 'run',
    hash: run.program.hash,
    context: JSON.stringify(contextOf(run.context)),
    nowMs: run.nowMs,
    seed: run.seed,
    limits: run.limits,
    ...(run.answers !== undefined && { answers: run.answers }),
  },
  capabilities: run.capabilities,
  ...(run.fetch !== undefined && { fetch: run.fetch }),
});

/** The data of `ctx`, in the task's terms. */
const contextOf = ({ taskId, slotMs, attempt, fence, idempotencyKey, input, state }: RunContext): object => ({
  taskId,
  slot: new Date(slotMs).toISOString(),
  attempt,
  fence,
  idempotencyKey,
  input: input ?? null,
  state: state ?? null,
});

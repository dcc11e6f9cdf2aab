/**
 * The evaluator on QuickJS: compiled to WebAssembly, in worker threads with an empty environment, every run in memory
 * that no other run has touched. This file makes flights of runs; fleet.ts brings them to the workers.
 */
import { type Clock, type EpochMs, systemClock } from '../clock.ts';
import {
  DEFAULT_LIMITS,
  type Evaluator,
  type Limits,
  type OutcomeListener,
  type Program,
  type Run,
  type RunContext,
  type Started,
} from '../evaluator.ts';
import type { Outcome, RunError } from '../launch.ts';
import { loadEngine } from './engine.ts';
import { CLOSED, Fleet } from './fleet.ts';
import { Flight, type FlightOwner, type FlightPlan } from './flight.ts';
import { type Equipment, openWorker } from './lane.ts';
import { monotonicMs } from './messages.ts';

/** Parsing the largest source takes some milliseconds. */
const CHECK_LIMITS: Limits = { ...DEFAULT_LIMITS, wallMs: 5000, cpuMs: 5000 };

export interface QuickJsOptions {
  /** Threads. Default 1; at least 1. */
  readonly workers?: number;
  /** How long a run may overstay its time, until it is ended together with its worker. Default 100. */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

/** Resolves when all workers are ready. They start while the engine is compiled. */
export async function createQuickJsEvaluator(options: QuickJsOptions = {}): Promise<Evaluator> {
  const { workers = 1, graceMs = 100, clock = systemClock } = options;
  const engine = loadEngine();
  const evaluator = new QuickJsEvaluator({ engine, openWorker, graceMs, clock }, workers);
  try {
    await engine;
    await evaluator.ready();
  } catch (error) {
    await evaluator.close();
    throw error;
  }
  return evaluator;
}

export class QuickJsEvaluator implements Evaluator {
  readonly #clock: Clock;
  readonly #fleet: Fleet;

  constructor(equipment: Equipment, workers: number) {
    this.#clock = equipment.clock;
    this.#fleet = new Fleet(equipment, workers);
  }

  ready(): Promise<void> {
    return this.#fleet.ready();
  }

  async run(batch: readonly Run[], onOutcome: OutcomeListener, signal?: AbortSignal): Promise<void> {
    if (batch.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const owner = new BatchOwner(batch.length, onOutcome, resolve, reject);
    const flights = batch.map((run, index) => new Flight(planOf(run), owner, index));
    const cancel = () => this.#fleet.cancel(flights, 'the caller gave up');
    try {
      this.#fly(flights);
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
      await promise;
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
        notBeforeMs: 0,
        seed: '',
        limits: CHECK_LIMITS,
      } as const;
      const owner: FlightOwner = {
        onOutcome: (_index, { error }) => (error?.class === 'Cancelled' ? reject(CLOSED) : resolve(error)),
        onBroken: reject,
      };
      this.#fly([new Flight({ program, order, capabilities: {}, fetch: undefined }, owner, 0)]);
    });
  }

  close(): Promise<void> {
    return this.#fleet.close();
  }

  #fly(flights: readonly Flight[]): void {
    this.#fleet.fly(flights.filter((flight) => !this.#isOversized(flight)));
  }

  #isOversized(flight: Flight): boolean {
    const { sourceBytes } = flight.order.limits;
    const { source } = flight.program;
    // A UTF-16 unit is at most three bytes: most sources need no counting.
    if (source.length * 3 <= sourceBytes) return false;
    const bytes = Buffer.byteLength(source);
    if (bytes <= sourceBytes) return false;
    flight.end({
      failure: 'SourceTooLarge',
      message: `the source has ${bytes} bytes; ${sourceBytes} are allowed`,
      startedMs: this.#clock.now(),
      hasStarted: false,
    });
    return true;
  }
}

/** Tells of outcomes as they come, and of the end of all. */
class BatchOwner implements FlightOwner {
  readonly #onOutcome: OutcomeListener;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #left: number;

  constructor(count: number, onOutcome: OutcomeListener, resolve: () => void, reject: (error: unknown) => void) {
    this.#left = count;
    this.#onOutcome = onOutcome;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onOutcome(index: number, outcome: Outcome & Started): void {
    try {
      this.#onOutcome(index, outcome);
    } catch (error) {
      this.#reject(error);
    }
    this.#settle();
  }

  onBroken(error: Error): void {
    this.#reject(error);
    this.#settle();
  }

  #settle(): void {
    if (--this.#left === 0) this.#resolve();
  }
}

const planOf = ({ program, context, nowMs, delayMs, seed, limits, answers, capabilities, fetch }: Run): FlightPlan => ({
  program,
  order: {
    task: 'run',
    hash: program.hash,
    context: contextJson(context),
    nowMs,
    notBeforeMs: delayMs === undefined ? 0 : monotonicMs() + delayMs,
    seed,
    limits,
    answers,
  },
  capabilities,
  fetch,
});

/** The data of `ctx`, in the task's terms: values in the order of guest/run.js, which has their names. */
const contextJson = ({ taskId, slotMs, attempt, fence, idempotencyKey, input, state }: RunContext): string =>
  JSON.stringify([taskId, slotOf(slotMs), attempt, fence, idempotencyKey, input ?? null, state ?? null]);

let lastSlot = { ms: 0, text: new Date(0).toISOString() };

/** Tasks of a batch are mostly due at the same time, and to write one down takes a microsecond. */
function slotOf(ms: EpochMs): string {
  if (ms !== lastSlot.ms) lastSlot = { ms, text: new Date(ms).toISOString() };
  return lastSlot.text;
}

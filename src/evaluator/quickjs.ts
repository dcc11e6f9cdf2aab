/**
 * The evaluator on QuickJS: compiled to WebAssembly, in worker threads with an empty environment, every run in memory
 * that no other run has touched. This file makes flights of runs; fleet.ts brings them to the workers.
 */
import { type Clock, systemClock } from '../clock.ts';
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
import { CLOSED, Fleet } from './fleet.ts';
import { Flight, type FlightPlan } from './flight.ts';
import { type Equipment, openWorker } from './lane.ts';

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
    const flights: Flight[] = [];
    const cancel = () => this.#fleet.cancel(flights, 'the caller gave up');
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

/** The data of `ctx`, in the task's terms: values in the order of guest/run.js, which has their names. */
const contextOf = ({
  taskId,
  slotMs,
  attempt,
  fence,
  idempotencyKey,
  input,
  state,
}: RunContext): readonly unknown[] => [
  taskId,
  new Date(slotMs).toISOString(),
  attempt,
  fence,
  idempotencyKey,
  input ?? null,
  state ?? null,
];

/** One run or check on its way: what the worker needs, and who waits for the outcome. */
import type { Program, Run, Started } from '../evaluator.ts';
import type { Outcome } from '../launch.ts';
import type { Order } from './messages.ts';
import { type Unreported, unreported } from './outcome.ts';

export interface FlightPlan {
  readonly program: Program;
  readonly order: Omit<Order, 'seq'>;
  readonly capabilities: Run['capabilities'];
  readonly fetch?: Run['fetch'];
  readonly onOutcome: (outcome: Outcome & Started) => void;
  /** The evaluator is broken: there will be no outcome. */
  readonly onBroken: (error: Error) => void;
}

/** Settles once; whatever comes later is dropped. It may be settled while the worker is still at it. */
export class Flight {
  readonly program: Program;
  readonly order: Omit<Order, 'seq'>;
  readonly capabilities: Run['capabilities'];
  readonly fetch: Run['fetch'];
  readonly #plan: FlightPlan;
  #over: AbortController | undefined;
  #isSettled = false;

  constructor(plan: FlightPlan) {
    this.program = plan.program;
    this.order = plan.order;
    this.capabilities = plan.capabilities;
    this.fetch = plan.fetch;
    this.#plan = plan;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Aborts when the run is over: for requests that are made on its behalf. */
  get over(): AbortSignal {
    this.#over ??= new AbortController();
    if (this.#isSettled) this.#over.abort();
    return this.#over.signal;
  }

  settle(outcome: Outcome & Started): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#over?.abort();
    this.#plan.onOutcome(outcome);
  }

  /** Settles without a report of the worker. */
  end(what: Unreported): void {
    if (!this.#isSettled) this.settle(unreported(what));
  }

  abandon(error: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#over?.abort();
    this.#plan.onBroken(error);
  }
}

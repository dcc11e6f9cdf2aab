/** One run or check on its way: what the worker needs, and who waits for the outcome. */
import type { Program, Run, Started } from '../evaluator.ts';
import type { Outcome } from '../launch.ts';
import type { Task } from './messages.ts';
import { type Unreported, unreported } from './outcome.ts';

/** Whoever waits for flights: for each, one of the two is called once. */
export interface FlightOwner {
  onOutcome(index: number, outcome: Outcome & Started): void;
  /** The evaluator is broken: there will be no outcome. */
  onBroken(error: Error): void;
}

export interface FlightPlan {
  readonly program: Program;
  readonly order: Task;
  readonly capabilities: Run['capabilities'];
  readonly fetch: Run['fetch'];
}

/** Settles once; whatever comes later is dropped. It may be settled while the worker is still at it. */
export class Flight {
  readonly program: Program;
  readonly order: Task;
  readonly capabilities: Run['capabilities'];
  readonly fetch: Run['fetch'];
  readonly #owner: FlightOwner;
  readonly #index: number;
  #over: AbortController | undefined;
  #isSettled = false;

  /** `index`: which of its owner's. */
  constructor({ program, order, capabilities, fetch }: FlightPlan, owner: FlightOwner, index: number) {
    this.program = program;
    this.order = order;
    this.capabilities = capabilities;
    this.fetch = fetch;
    this.#owner = owner;
    this.#index = index;
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
    this.#owner.onOutcome(this.#index, outcome);
  }

  /** Settles without a report of the worker. */
  end(what: Unreported): void {
    if (!this.#isSettled) this.settle(unreported(what));
  }

  abandon(error: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#over?.abort();
    this.#owner.onBroken(error);
  }
}

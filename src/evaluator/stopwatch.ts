/**
 * How long a run has taken, and whether that is too long: by the wall clock, and by the time it was in the engine. What
 * other runs of the worker have held it up, in long stints of theirs, is not held against it.
 */
import type { Cancel, Clock } from '../clock.ts';
import type { Limits } from '../evaluator.ts';

/** A stint that holds others up. */
const LONG_STINT_MS = 50;

/** How much of a worker's time went into long stints, whosever they were. */
export class Occupancy {
  ms = 0;
}

export class Stopwatch {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #startedAt: number;
  readonly #occupancy: Occupancy;
  /** Of the occupancy: what had been before the run started, and its own part since. */
  #notOthersMs: number;
  #enteredAt = 0;
  #cpuMs = 0;
  #deadline = 0;
  #deadlineIs: 'wall' | 'cpu' = 'wall';

  constructor(clock: Clock, limits: Limits, occupancy: Occupancy) {
    this.#clock = clock;
    this.#limits = limits;
    this.#occupancy = occupancy;
    this.#notOthersMs = occupancy.ms;
    this.#startedAt = clock.elapsed();
  }

  get wallMs(): number {
    return this.#clock.elapsed() - this.#startedAt;
  }

  /** For how long others have held the run up. */
  get #heldUpMs(): number {
    return this.#occupancy.ms - this.#notOthersMs;
  }

  /** Of the stints that are over. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** A stint begins: since when the run has been under way, and how long the stint may take. */
  enter(): { readonly atMs: number; readonly allowedMs: number } {
    const { wallMs, cpuMs } = this.#limits;
    this.#enteredAt = this.#clock.elapsed();
    const wall = this.#startedAt + wallMs + this.#heldUpMs;
    const cpu = this.#enteredAt + cpuMs - this.#cpuMs;
    this.#deadlineIs = cpu < wall ? 'cpu' : 'wall';
    this.#deadline = Math.min(cpu, wall);
    return { atMs: this.#enteredAt - this.#startedAt, allowedMs: this.#deadline - this.#enteredAt };
  }

  leave(): void {
    const ms = this.#clock.elapsed() - this.#enteredAt;
    this.#cpuMs += ms;
    if (ms < LONG_STINT_MS) return;
    this.#occupancy.ms += ms;
    this.#notOthersMs += ms;
  }

  /** Acts when the run has been under way for so long, and never before: timers may be early by a millisecond. */
  at(ms: number, act: () => void): Cancel {
    return this.#when(() => ms - this.wallMs, act);
  }

  /** Acts when the run's time is over. */
  atEnd(act: () => void): Cancel {
    return this.#when(() => this.#limits.wallMs + this.#heldUpMs - this.wallMs, act);
  }

  #when(leftMs: () => number, act: () => void): Cancel {
    let cancel: Cancel;
    const arm = () => {
      cancel = this.#clock.after(leftMs(), () => (leftMs() > 0 ? arm() : act()));
    };
    arm();
    return () => cancel();
  }

  /** The limit that the present stint has gone beyond. */
  get exceeded(): 'wall' | 'cpu' | undefined {
    return this.#clock.elapsed() > this.#deadline ? this.#deadlineIs : undefined;
  }
}

/** How long a run has taken, and whether that is too long: by the wall clock, and by the time it was in the engine. */
import type { Cancel, Clock } from '../clock.ts';
import type { Limits } from '../evaluator.ts';

export class Stopwatch {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #startedAt: number;
  #enteredAt = 0;
  #cpuMs = 0;
  #deadline = 0;
  #deadlineIs: 'wall' | 'cpu' = 'wall';

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#startedAt = clock.elapsed();
  }

  get wallMs(): number {
    return this.#clock.elapsed() - this.#startedAt;
  }

  /** Of the stints that are over. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** A stint begins: since when the run has been under way, and how long the stint may take. */
  enter(): { readonly atMs: number; readonly allowedMs: number } {
    const { wallMs, cpuMs } = this.#limits;
    this.#enteredAt = this.#clock.elapsed();
    const [wall, cpu] = [this.#startedAt + wallMs, this.#enteredAt + cpuMs - this.#cpuMs];
    this.#deadlineIs = cpu < wall ? 'cpu' : 'wall';
    this.#deadline = Math.min(cpu, wall);
    return { atMs: this.#enteredAt - this.#startedAt, allowedMs: this.#deadline - this.#enteredAt };
  }

  leave(): void {
    this.#cpuMs += this.#clock.elapsed() - this.#enteredAt;
  }

  /** Acts when the run has been under way for so long, and never before: timers may be early by a millisecond. */
  at(ms: number, act: () => void): Cancel {
    let cancel: Cancel;
    const arm = () => {
      cancel = this.#clock.after(ms - this.wallMs, () => (this.wallMs < ms ? arm() : act()));
    };
    arm();
    return () => cancel();
  }

  /** The limit that the present stint has gone beyond. */
  get exceeded(): 'wall' | 'cpu' | undefined {
    return this.#clock.elapsed() > this.#deadline ? this.#deadlineIs : undefined;
  }
}

/**
 * A run's own time. It stands still while the task computes and moves on when the run is woken, so that a run which
 * is repeated, on a machine of any speed, sees the same times. (Cloudflare Workers freeze time likewise, against
 * timing attacks.) But every look at it takes a microsecond: a loop that waits for time to pass comes to its end.
 */

/** About what a look costs in the sandbox. */
const LOOK_MS = 0.001;

export class RunClock {
  #ms = 0;

  /** Ms since the run started, in its own time. */
  get ms(): number {
    return this.#ms;
  }

  /** The same, as the task sees it. */
  look(): number {
    this.#ms += LOOK_MS;
    return this.#ms;
  }

  /** It is so late now. Time never goes back. */
  advance(ms: number): void {
    this.#ms = Math.max(this.#ms, ms);
  }
}

/** Reasons to wake up, each at its time: what a lingering tick sleeps on. A reason asked for twice is one. */
import type { Cancel, Clock } from './clock.ts';

export class Wakes<Reason extends string> {
  readonly #clock: Clock;
  readonly #pending = new Map<Reason, Cancel>();
  readonly #ready = new Set<Reason>();
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes with `reason` once `delayMs` are over, unless that is to come already. */
  wakeIn(delayMs: number, reason: Reason): void {
    if (this.#pending.has(reason)) return;
    this.#pending.set(
      reason,
      this.#clock.after(Math.max(0, delayMs), () => {
        this.#pending.delete(reason);
        this.wakeNow(reason);
      }),
    );
  }

  wakeNow(reason: Reason): void {
    this.#ready.add(reason);
    this.#wake?.();
  }

  /** The next reason, in the order in which they came. */
  async next(): Promise<Reason> {
    for (;;) {
      const [reason] = this.#ready;
      if (reason !== undefined) {
        this.#ready.delete(reason);
        return reason;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  stop(): void {
    for (const cancel of this.#pending.values()) cancel();
    this.#pending.clear();
  }
}

/** Reasons to wake up, each at its time: what a lingering tick sleeps on. A reason asked for twice is one. */
import type { Cancel, Clock } from './clock.ts';

export class Wakes<Reason extends string> {
  readonly #clock: Clock;
  readonly #pending = new Map<Reason, { readonly atMs: number; readonly cancel: Cancel }>();
  readonly #ready = new Set<Reason>();
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes with `reason` once `delayMs` are over, unless that is to come sooner already. */
  wakeIn(delayMs: number, reason: Reason): void {
    const atMs = this.#clock.elapsed() + Math.max(0, delayMs);
    const pending = this.#pending.get(reason);
    if (pending !== undefined && pending.atMs <= atMs) return;
    pending?.cancel();
    const cancel = this.#clock.after(Math.max(0, delayMs), () => {
      this.#pending.delete(reason);
      this.wakeNow(reason);
    });
    this.#pending.set(reason, { atMs, cancel });
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
    for (const { cancel } of this.#pending.values()) cancel();
    this.#pending.clear();
  }
}

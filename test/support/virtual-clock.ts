/** A clock that stands still until a test moves it. */
import type { Cancel, Clock } from '../../src/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #wallMs: number;
  readonly #timers = new Set<Timer>();

  constructor(wallMs = Date.UTC(2027, 0, 1)) {
    this.#wallMs = wallMs;
  }

  now = (): number => this.#wallMs;

  elapsed = (): number => this.#elapsedMs;

  after(delayMs: number, fire: () => void): Cancel {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Sets the wall clock, as an administrator does; no time passes. */
  step(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Lets time pass: fires in order what becomes due, and lets everything that follows from it happen. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#elapsedMs + byMs;
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#moveTo(next.dueMs);
      this.#timers.delete(next);
      next.fire();
      await settled();
    }
    this.#moveTo(endMs);
    await settled();
  }

  #next(endMs: number): Timer | undefined {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs);
    return due.reduce<Timer | undefined>(
      (first, timer) => (first && first.dueMs <= timer.dueMs ? first : timer),
      undefined,
    );
  }

  #moveTo(elapsedMs: number): void {
    this.#wallMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }
}

/** Two turns of the event loop: whatever is done at the end of a turn, and what follows from it. */
async function settled(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

/** Exact timers: a heap of what is to come and one real timer for the first of it. Nothing fires early. */
import type { Cancel, Clock, EpochMs } from './clock.ts';

/**
 * Rings are at least so far apart, ms. What falls due alone is on time to the millisecond; in a crowd, what falls due in
 * between goes along with the next: a batch of sixteen costs little more than one.
 */
export const RING_GAP_MS = 16;

export interface Timed {
  readonly dueMs: EpochMs;
}

export class Timers<T extends Timed> {
  readonly #heap: T[] = [];
  readonly #clock: Clock;
  readonly #now: () => EpochMs;
  readonly #fire: (due: T[]) => void;
  #cancel: Cancel | undefined;
  #armedMs = Infinity;
  /** The next ring comes no sooner, by `clock.elapsed()`. */
  #restsUntilMs = -Infinity;

  /** `now` is the clock by which things are due; `fire` gets all that are due in one turn, in order. */
  constructor(clock: Clock, now: () => EpochMs, fire: (due: T[]) => void) {
    this.#clock = clock;
    this.#now = now;
    this.#fire = fire;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(timed: T): void {
    this.#push(timed);
    if (timed.dueMs < this.#armedMs) this.#arm();
  }

  /** Everything that is due until `untilMs`, in no particular order; it stays. */
  *until(untilMs: EpochMs): Generator<T, void> {
    const left = [0];
    for (let index = left.pop(); index !== undefined; index = left.pop()) {
      const timed = this.#heap[index];
      if (timed === undefined || timed.dueMs > untilMs) continue;
      yield timed;
      left.push(2 * index + 2, 2 * index + 1);
    }
  }

  /** Stops, and gives back what has not fired. */
  stop(): T[] {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedMs = Infinity;
    return this.#heap.splice(0);
  }

  #arm(): void {
    this.#cancel?.();
    const first = this.#heap[0];
    this.#armedMs = first?.dueMs ?? Infinity;
    if (first === undefined) this.#cancel = undefined;
    else {
      const restMs = this.#restsUntilMs - this.#clock.elapsed();
      this.#cancel = this.#clock.after(Math.max(0, restMs, first.dueMs - this.#now()), () => this.#ring());
    }
  }

  /** A timer may ring a little before its time by the wall clock, which it does not follow; then it waits again. */
  #ring(): void {
    const nowMs = this.#now();
    const due: T[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0])
      due.push(this.#pop());
    if (due.length > 0) this.#restsUntilMs = this.#clock.elapsed() + RING_GAP_MS;
    this.#arm();
    if (due.length > 0) this.#fire(due);
  }

  #push(timed: T): void {
    const heap = this.#heap;
    let i = heap.push(timed) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as T).dueMs <= timed.dueMs) break;
      heap[i] = heap[parent] as T;
      i = parent;
    }
    heap[i] = timed;
  }

  #pop(): T {
    const heap = this.#heap;
    const first = heap[0] as T;
    const last = heap.pop() as T;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && (heap[right] as T).dueMs < (heap[left] as T).dueMs ? right : left;
      if ((heap[child] as T).dueMs >= last.dueMs) break;
      heap[i] = heap[child] as T;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

/** Time that passes only from event to event: a binary heap by moment, and by order of arrival within one. */
import type { Cancel, Clock } from '../../src/clock.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export class VirtualTime {
  /** Since the world began. */
  nowMs = 0;
  events = 0;
  readonly #startMs: number;
  readonly #heap: Event[] = [];
  #order = 0;

  /** @param startMs what the coordinator's wall clock shows when the world begins. */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** The true wall clock: the coordinator's. */
  get wallMs(): number {
    return this.#startMs + this.nowMs;
  }

  get clock(): Clock {
    return { now: () => this.wallMs, elapsed: () => this.nowMs, after: (delayMs, fire) => this.after(delayMs, fire) };
  }

  after(delayMs: number, fire: () => void): Cancel {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#push(event);
    return () => {
      event.fire = undefined;
    };
  }

  /** Lets time pass, and everything happen that follows from it. */
  async runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs && !isOver(); next = this.#heap[0]) {
      this.#pop();
      if (next.fire === undefined) continue;
      this.nowMs = next.atMs;
      this.events++;
      next.fire();
      // The coordinator in memory and the engine go on by promises alone: when a turn is over, they all wait for time.
      await new Promise(setImmediate);
    }
    if (!isOver()) this.nowMs = Math.max(this.nowMs, endMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
  }
}

/** What was found to be wrong, and when. */
import type { VirtualTime } from './virtual-time.ts';

export interface Violation {
  /** Of the list in docs: `I1` … `I15`. */
  readonly invariant: string;
  readonly message: string;
  readonly atMs: number;
}

/** Beyond, one fault only repeats itself. */
const KEPT_MAX = 20;

export class Violations {
  readonly list: Violation[] = [];
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  add(invariant: string, message: string): void {
    if (this.list.length < KEPT_MAX) this.list.push({ invariant, message, atMs: this.#time.nowMs });
  }

  hold(holds: boolean, invariant: string, message: () => string): void {
    if (!holds) this.add(invariant, message());
  }
}

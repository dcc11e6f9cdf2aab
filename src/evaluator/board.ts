/**
 * What the worker is doing, in shared memory: the main thread can look at any time, also when the worker hangs in a
 * loop or has been ended. Every entry of the engine is a *stint*; a run has several when it waits in between.
 */

export type Seq = number;

/** No run: the worker is between stints. */
export const IDLE: Seq = 0;

/** Runs of a worker that may wait for an answer or a timer at a time. */
export const WAITING_MAX = 1024;

const STINT = 0;
const RUNNING = 1;
const ALLOWED_MS = 2;
const STARTED = 3;
const CANCELLED = 4;
const WAITING = 5;
const TAKEN = 6;
const RECALLED_AFTER = 7;
const RECALLED_UNTIL = 8;
const WORDS = 9;

/** The name of the next run in a worker. It wraps around, and is never {@link IDLE}. */
export const nextSeq = (seq: Seq): Seq => (seq + 1) | 0 || 1;

export class Board {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  /**
   * Worker: this run starts now, unless it was recalled. Runs start in the order of their names. It says so before it
   * looks, and {@link recall} looks after it has said so: one of the two sees the other.
   */
  start(seq: Seq): boolean {
    Atomics.store(this.#words, STARTED, seq);
    const after = Atomics.load(this.#words, RECALLED_AFTER);
    return after === IDLE || !isAfter(seq, after) || isAfter(seq, Atomics.load(this.#words, RECALLED_UNTIL));
  }

  /** Worker: the engine is entered for this run, and should be left within `allowedMs`. */
  enter(seq: Seq, allowedMs: number): void {
    Atomics.add(this.#words, STINT, 1);
    Atomics.store(this.#words, ALLOWED_MS, Math.max(0, Math.ceil(allowedMs)));
    Atomics.store(this.#words, RUNNING, seq);
  }

  /** Worker: the engine was left. */
  leave(): void {
    Atomics.store(this.#words, RUNNING, IDLE);
  }

  /** Worker: so many runs have started and wait for an answer or a timer. */
  wait(runs: number): void {
    Atomics.store(this.#words, WAITING, runs);
  }

  /** Worker: answers of so many characters have come. */
  take(chars: number): void {
    Atomics.add(this.#words, TAKEN, chars);
  }

  /** Worker: whether the run in the engine should stop. */
  isCancelled(seq: Seq): boolean {
    return Atomics.load(this.#words, CANCELLED) === seq;
  }

  /** Main: asks the run in the engine to stop at its next interrupt. */
  cancel(seq: Seq): void {
    Atomics.store(this.#words, CANCELLED, seq);
  }

  /** Main: what has not started of all up to `last` shall not start. What has started by now, {@link hasStarted} knows. */
  recall(last: Seq): void {
    // In this order: between the two, nothing is recalled that had not been anyway.
    Atomics.store(this.#words, RECALLED_UNTIL, last);
    Atomics.store(this.#words, RECALLED_AFTER, Atomics.load(this.#words, STARTED));
  }

  /** Main: changes with every stint. */
  get stint(): number {
    return Atomics.load(this.#words, STINT);
  }

  /** Main: the run in the engine, or {@link IDLE}. */
  get running(): Seq {
    return Atomics.load(this.#words, RUNNING);
  }

  /** Main: runs that have started and are not at work. */
  get waiting(): number {
    return Atomics.load(this.#words, WAITING);
  }

  /** Main: how many characters of `sent`, all answers so far, are still on their way. Either count wraps around. */
  untaken(sent: number): number {
    return (sent - Atomics.load(this.#words, TAKEN)) | 0;
  }

  get allowedMs(): number {
    return Atomics.load(this.#words, ALLOWED_MS);
  }

  /** Main: whether the run had started. */
  hasStarted(seq: Seq): boolean {
    return !isAfter(seq, Atomics.load(this.#words, STARTED));
  }
}

/** As TCP compares sequence numbers, so that wrapping does not matter. */
const isAfter = (seq: Seq, other: Seq): boolean => ((seq - other) | 0) > 0;

/**
 * How long a worker's engine has been at one stint, for somebody who looks at the board now and then. Nothing that task
 * code does can hide it: a stint goes on until the engine is left.
 */
import { type Board, IDLE, type Seq } from './board.ts';

/** How often to look. A hang is noticed this late, and so are results of half-done batches. */
export const WATCH_MS = 25;
/** A process that was frozen must not take that for a run that hangs: more than this never passes between two looks. */
const STEP_MAX_MS = 2 * WATCH_MS;

export class Watch {
  readonly #board: Board;
  #lookedAt = 0;
  #stint = 0;
  #running: Seq = IDLE;
  #stintMs = 0;
  #allowedMs = 0;

  constructor(board: Board) {
    this.#board = board;
  }

  /** The run that was in the engine at the last look, or {@link IDLE}. */
  get running(): Seq {
    return this.#running;
  }

  /** For how long it has been seen there. */
  get stintMs(): number {
    return this.#stintMs;
  }

  /** How long it may be there. */
  get allowedMs(): number {
    return this.#allowedMs;
  }

  /** Counts from here: nobody has looked for a while, or what counts has changed. */
  restart(nowMs: number): void {
    this.#lookedAt = nowMs;
    this.#stintMs = 0;
  }

  look(nowMs: number): void {
    // In the opposite order to that in which they are written, or the time of one stint might be held against another.
    const { allowedMs, running, stint } = this.#board;
    const isSame = stint === this.#stint && running === this.#running && running !== IDLE;
    this.#stintMs = isSame ? this.#stintMs + Math.min(nowMs - this.#lookedAt, STEP_MAX_MS) : 0;
    this.#lookedAt = nowMs;
    this.#stint = stint;
    this.#running = running;
    this.#allowedMs = allowedMs;
  }
}

/** The log lines of one run, held to their limits: what goes beyond is dropped, and that is remembered. */
import type { Limits } from '../evaluator.ts';

export class Logbook {
  readonly #limits: Limits;
  readonly #lines: string[] = [];
  #bytes = 0;
  #truncated = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** UTF-8 bytes that the next line may have. */
  get room(): number {
    return this.#isFull ? 0 : this.#limits.logBytes - this.#bytes;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  /** `line` is what was left of a line of `bytes`. */
  write(line: string, bytes: number): void {
    const kept = Buffer.byteLength(line);
    if (!this.#isFull && (kept > 0 || bytes === 0)) this.#lines.push(line);
    else this.#truncated = true;
    if (kept < bytes) this.#truncated = true;
    this.#bytes += kept;
  }

  /** Once something was dropped, all that follows is: a log with holes misleads. */
  get #isFull(): boolean {
    return this.#truncated || this.#lines.length >= this.#limits.logLines;
  }

  /** A JSON list, or nothing when there are no lines. */
  toJson(): string {
    return this.#lines.length === 0 ? '' : JSON.stringify(this.#lines);
  }
}

/** Programs that have taken a worker from others, or with them. They run apart from then on. */
import type { Program } from '../evaluator.ts';

/** How many are remembered; the one that was not met for the longest time is forgotten. */
const CULPRITS_MAX = 1000;

export class Culprits {
  /** Hashes, the last one met at the end. */
  readonly #hashes = new Set<string>();

  add({ hash }: Program): void {
    this.#hashes.delete(hash);
    this.#hashes.add(hash);
    const [oldest] = this.#hashes;
    if (this.#hashes.size > CULPRITS_MAX && oldest !== undefined) this.#hashes.delete(oldest);
  }

  /** Whether it is one. Asking is meeting it. */
  has(program: Program): boolean {
    if (!this.#hashes.has(program.hash)) return false;
    this.add(program);
    return true;
  }
}

/** Which programs a worker holds. The main thread decides, so that it knows what to send along. */
import type { Program } from '../evaluator.ts';

/** Memory of a worker's programs, as estimated: a source and its bytecode, and what goes with every entry (measured). */
const CACHE_BYTES = 96 * 1024 * 1024;
const BYTES_PER_SOURCE_BYTE = 4;
const ENTRY_BYTES = 2048;

export interface Lesson {
  readonly learn: readonly Program[];
  readonly forget: readonly string[];
}

export class ProgramCache {
  /** Size by hash, least recently used first. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  /** What the worker must be told before it can work on these programs. */
  prepare(programs: readonly Program[]): Lesson {
    const learn: Program[] = [];
    const used = new Set<string>();
    for (const program of programs) {
      if (used.has(program.hash)) continue;
      used.add(program.hash);
      const known = this.#sizes.get(program.hash);
      const size = known ?? ENTRY_BYTES + BYTES_PER_SOURCE_BYTE * Buffer.byteLength(program.source);
      if (known === undefined) {
        learn.push(program);
        this.#bytes += size;
      }
      this.#sizes.delete(program.hash);
      this.#sizes.set(program.hash, size);
    }
    return { learn, forget: this.#evict(used) };
  }

  #evict(used: ReadonlySet<string>): string[] {
    const forget: string[] = [];
    for (const [hash, size] of this.#sizes) {
      if (this.#bytes <= CACHE_BYTES) break;
      if (used.has(hash)) continue;
      this.#sizes.delete(hash);
      this.#bytes -= size;
      forget.push(hash);
    }
    return forget;
  }
}

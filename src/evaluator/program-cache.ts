/** Which programs a worker holds. The main thread decides, so that it knows what to send along. */
import type { Program } from '../evaluator.ts';

/** UTF-8 bytes of source; bytecode and the like cost a few times that. */
const CACHE_BYTES = 16 * 1024 * 1024;

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
      const size = known ?? Buffer.byteLength(program.source);
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

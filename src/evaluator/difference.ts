/** What differs between the memory of a run and the pristine one, word by word: little, after a module's evaluation. */
import { PAGE_BYTES } from './soft-memory.ts';

/** Words of 32 bits that are not as in the pristine memory. */
export interface Difference {
  /** Their indices in memory, and what is there. */
  readonly at: Uint32Array;
  readonly words: Int32Array;
  /** The end of memory. */
  readonly pages: number;
}

/** What is more is no difference worth keeping: a top level that computes, and not functions alone. */
export const WORDS_MAX = 32 * 1024;
/** An index and what is there. */
export const BYTES_PER_WORD = 8;

/** The words from `start` on that differ between `memory` and `image`, beyond whose end all is zero. */
export function differenceOf(
  memory: Int32Array,
  image: Int32Array,
  start: number,
  pages: number,
): Difference | undefined {
  const end = pages * (PAGE_BYTES / Int32Array.BYTES_PER_ELEMENT);
  const at: number[] = [];
  for (let i = start; i < end; i++) {
    const original = i - start < image.length ? image[i - start] : 0;
    if (memory[i] === original) continue;
    if (at.length === WORDS_MAX) return undefined;
    at.push(i);
  }
  return { at: Uint32Array.from(at), words: Int32Array.from(at, (i) => memory[i]!), pages };
}

/** Into memory that is pristine. */
export function write({ at, words }: Difference, memory: Int32Array): void {
  for (let i = 0; i < at.length; i++) memory[at[i]!] = words[i]!;
}

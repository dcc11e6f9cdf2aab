/** What differs between the memory of a run and the pristine one, word by word: little, after a module's evaluation. */
import { FRAME_BYTES } from './frames.ts';
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
const WORDS_MAX = 16 * 1024;
/** An index and what is there. */
export const BYTES_PER_WORD = 8;
const WORD_BYTES = 4;
const ZEROS = Buffer.alloc(FRAME_BYTES);

/** Pristine memory: an image from an address on, beyond whose end all is zero. Both are whole frames. */
export interface Original {
  readonly image: Buffer;
  readonly start: number;
}

/** Between `original` and `memory`, in which nothing lies beyond `pages`. */
export function differenceOf(memory: Buffer, original: Original, pages: number): Difference | undefined {
  const end = pages * PAGE_BYTES;
  const words = wordsOf(memory);
  const at: number[] = [];
  for (let frame = original.start; frame < end; frame += FRAME_BYTES) {
    const before = original.image.subarray(frame - original.start).subarray(0, FRAME_BYTES);
    const pristine = before.length === 0 ? ZEROS : before;
    if (pristine.compare(memory, frame, frame + FRAME_BYTES) === 0) continue;
    lookThrough(words, wordsOf(pristine), frame / WORD_BYTES, at);
    if (at.length > WORDS_MAX) return undefined;
  }
  return { at: Uint32Array.from(at), words: Int32Array.from(at, (i) => words[i]!), pages };
}

/** In the machine's order, which is the engine's. */
const wordsOf = ({ buffer, byteOffset, length }: Buffer): Int32Array =>
  new Int32Array(buffer, byteOffset, length / WORD_BYTES);

function lookThrough(words: Int32Array, pristine: Int32Array, start: number, at: number[]): void {
  for (let i = 0; i < pristine.length; i++) {
    if (words[start + i] !== pristine[i]) at.push(start + i);
  }
}

/** Into memory that is pristine. */
export function write({ at, words }: Difference, memory: Int32Array): void {
  for (let i = 0; i < at.length; i++) memory[at[i]!] = words[i]!;
}

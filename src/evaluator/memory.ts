/**
 * The linear memory of one instance: pristine for every run, kept aside for a run that waits, and with room for what is
 * on its way in. All that a run can change is this memory, the stack pointer, and the three globals of soft-memory.ts;
 * so setting these back is the isolation between runs. It costs some microseconds, because only what can have been
 * written is rewritten.
 */
import type { EngineExports } from './binding.ts';
import { type Difference, differenceOf, write } from './difference.ts';
import { FRAME_BYTES, type Frame, type Frames } from './frames.ts';
import { PAGE_BYTES } from './soft-memory.ts';

const KIB = 1024;

/** The linker put the stack below 1 MiB and the data from there. */
const DATA_START = 1024 * KIB;
/**
 * The stack pointer starts here instead of at 1 MiB: less to rewrite. What runs over its end traps at address 0. The
 * engine itself gives up earlier, with an error that a task can catch.
 */
export const STACK_TOP = 320 * KIB;
/** A run has spent its stack when something was written this close to the engine's limit. */
const STACK_MARGIN_BYTES = 8 * KIB;
const STACK_MARGIN_SHARE = 1 / 8;
const UNTOUCHED = Buffer.alloc(2 * STACK_MARGIN_BYTES);
const ZEROS = Buffer.alloc(FRAME_BYTES);
/** Between the stack and the data lies memory that the engine does not use: texts on their way in are put there. */
const INPUT_START = STACK_TOP;
const INPUT_BYTES = DATA_START - INPUT_START;
/** Memory that an instance may keep between runs; one that holds more is replaced, as memory cannot shrink. */
const KEEP_BYTES = 8 * 1024 * KIB;
/** The most bytes of UTF-8 that one UTF-16 unit becomes. */
const UTF8_PER_UNIT = 3;

/** What a run may use. */
export interface Allowance {
  readonly memoryBytes: number;
  readonly stackBytes: number;
}

/** Memory after boot. The same for every instance of a module. */
export interface PristineMemory {
  /** From the first byte of data to the last one that is not zero, in whole frames. */
  readonly image: Buffer;
  readonly pages: number;
}

/** The memory of a run that waits, as far as it differs from pristine memory, and what belongs to it. */
export interface SavedMemory {
  /** Addresses, and the frames that hold what was there. */
  readonly at: readonly number[];
  readonly frames: readonly Frame[];
  readonly pages: number;
  readonly limit: number;
  readonly refused: number;
  readonly stackBytes: number;
  readonly hasSpentStack: boolean;
}

export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
}

export class EngineMemory {
  readonly #engine: EngineExports;
  #bytes: Buffer;
  #words: Int32Array;
  #pristine: PristineMemory = { image: Buffer.alloc(0), pages: 0 };
  /** Bytes of the input area that were written since it was last cleared. */
  #inputBytes = 0;
  #mustWipe = true;
  #stackBytes = 0;
  #hasSpentStack = false;

  constructor(engine: EngineExports) {
    this.#engine = engine;
    this.#bytes = Buffer.from(engine.memory.buffer);
    this.#words = new Int32Array(engine.memory.buffer);
  }

  /** The memory. It moves when it grows, and then nothing is left where it was. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0) this.#bytes = Buffer.from(this.#engine.memory.buffer);
    return this.#bytes;
  }

  /** The same as words of 32 bits, in the machine's order, which is the engine's: little-endian. */
  get words(): Int32Array {
    if (this.#words.length === 0) this.#words = new Int32Array(this.#engine.memory.buffer);
    return this.#words;
  }

  /** Takes what is in memory now for pristine. Nothing may be on the stack, so its pristine state is all zeros. */
  keep(): PristineMemory {
    const engine = this.#engine;
    if (engine.__stack_pointer.value !== STACK_TOP) throw new Error('QuickJS did not clear its stack');
    const pages = engine.pages.value;
    const { bytes } = this;
    let end = pages * PAGE_BYTES;
    while (end > DATA_START && bytes[end - 1] === 0) end--;
    end = Math.ceil(end / FRAME_BYTES) * FRAME_BYTES;
    this.#pristine = { image: Buffer.from(bytes.subarray(DATA_START, end)), pages };
    return this.#pristine;
  }

  /** Becomes a copy of an instance that has booted. */
  adopt(pristine: PristineMemory): void {
    this.#pristine = pristine;
    this.#engine.pages.value = pristine.pages;
  }

  /** Pristine but for `difference`, for a run within `allowance`. */
  reset({ memoryBytes, stackBytes }: Allowance, difference?: Difference): void {
    const { pages } = difference ?? this.#pristine;
    this.#load(pages);
    if (difference !== undefined) write(difference, this.words);
    this.#engine.limit.value = Math.max(pages, Math.floor(memoryBytes / PAGE_BYTES));
    this.#engine.refused.value = 0;
    this.#stackBytes = stackBytes;
    this.#hasSpentStack = false;
  }

  /** What the run has changed, if it is not much and no limit has had a say in it. The engine must have been left. */
  difference(): Difference | undefined {
    if (this.wasRefused || this.hasSpentStack) return undefined;
    const { image } = this.#pristine;
    return differenceOf(this.bytes, { image, start: DATA_START }, this.#engine.pages.value);
  }

  /** Keeps what the run has changed. The engine must have been left. */
  save(frames: Frames): SavedMemory {
    const { image } = this.#pristine;
    const { bytes } = this;
    const { pages, limit, refused } = this.#engine;
    const end = pages.value * PAGE_BYTES;
    const changed: number[] = [];
    for (let at = DATA_START; at < end; at += FRAME_BYTES) {
      const original = at - DATA_START;
      const isSame =
        original < image.length
          ? image.compare(bytes, at, at + FRAME_BYTES, original, original + FRAME_BYTES) === 0
          : ZEROS.compare(bytes, at, at + FRAME_BYTES) === 0;
      if (!isSame) changed.push(at);
    }
    return {
      at: changed,
      frames: frames.keep(bytes, changed),
      pages: pages.value,
      limit: limit.value,
      refused: refused.value,
      stackBytes: this.#stackBytes,
      hasSpentStack: this.hasSpentStack,
    };
  }

  restore(saved: SavedMemory, frames: Frames): void {
    this.#load(saved.pages);
    const { bytes } = this;
    for (const [index, at] of saved.at.entries()) frames.restore(saved.frames[index] as Frame, bytes, at);
    this.#engine.limit.value = saved.limit;
    this.#engine.refused.value = saved.refused;
    this.#stackBytes = saved.stackBytes;
    this.#hasSpentStack = saved.hasSpentStack;
  }

  /** What was here did not end as a run should: the next one finds everything rewritten. */
  distrust(): void {
    this.#mustWipe = true;
  }

  /** The pristine image where data lies, and zeros wherever else something can have been written. */
  #load(pages: number): void {
    const engine = this.#engine;
    const { image } = this.#pristine;
    const end = Math.max(engine.pages.value, pages) * PAGE_BYTES;
    const missing = pages - engine.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) engine.memory.grow(missing);
    const { bytes } = this;
    bytes.set(image, DATA_START);
    bytes.fill(0, DATA_START + image.length, end);
    bytes.fill(0, 0, INPUT_START + this.#inputBytes);
    this.#inputBytes = 0;
    if (this.#mustWipe) {
      // Only a broken engine can have written here; after a run that ended well nobody looks.
      bytes.fill(0, INPUT_START, DATA_START);
      bytes.fill(0, end);
      this.#mustWipe = false;
    }
    engine.__stack_pointer.value = STACK_TOP;
    engine.pages.value = pages;
  }

  /** Too large to keep. */
  get isBloated(): boolean {
    return this.#engine.memory.buffer.byteLength > KEEP_BYTES;
  }

  /** Memory of the run so far: it only grows. */
  get usedBytes(): number {
    return this.#engine.pages.value * PAGE_BYTES;
  }

  /** The run has hit its memory limit. */
  get wasRefused(): boolean {
    return this.#engine.refused.value !== 0;
  }

  /** The run has gone to the end of the engine's stack. */
  get hasSpentStack(): boolean {
    const limit = STACK_TOP - this.#stackBytes;
    const margin = Math.min(STACK_MARGIN_BYTES, this.#stackBytes * STACK_MARGIN_SHARE);
    const area = this.bytes.subarray(limit - margin, limit + margin);
    this.#hasSpentStack ||= !area.equals(UNTOUCHED.subarray(0, area.length));
    return this.#hasSpentStack;
  }

  malloc(bytes: number): number {
    const at = this.#engine.wasm_malloc(bytes);
    if (at === 0) throw new OutOfMemory(`no room for ${bytes} bytes`);
    return at;
  }

  /** A copy of `text` in memory of the engine, closed by a zero as in C. */
  allocate(text: string): number {
    const length = Buffer.byteLength(text);
    const at = this.malloc(length + 1);
    const { bytes } = this;
    bytes.write(text, at, length);
    bytes[at + length] = 0;
    return at;
  }

  /** Puts a text where the engine can read it until the next one is put: its address and length. */
  put(text: string): readonly [at: number, bytes: number] {
    const most = text.length * UTF8_PER_UNIT;
    const at = this.room(most + 1);
    const { bytes } = this;
    const length = bytes.write(text, at, most);
    bytes[at + length] = 0;
    return [at, length];
  }

  /** Room for something on its way in: the input area, or, for what is larger, memory of the run. */
  room(length: number): number {
    if (length > INPUT_BYTES) return this.malloc(length);
    this.#inputBytes = Math.max(this.#inputBytes, length);
    return INPUT_START;
  }

  /** A text in C: up to its zero, and to `bytesMax`. */
  cString(at: number, bytesMax: number): string {
    const bytes = this.bytes.subarray(at, at + bytesMax);
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  }
}

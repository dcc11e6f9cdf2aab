/**
 * As much of the WebAssembly binary format as a patch needs: a module is a header and a list of sections, a section
 * is mostly a counted vector, numbers are LEB128. https://webassembly.github.io/spec/core/binary/
 */

export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  global: 6,
  export: 7,
  code: 10,
} as const;

export interface Section {
  readonly id: number;
  readonly body: Buffer;
}

/** `\0asm` and version 1. */
const HEADER = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Reads numbers and byte strings one after another. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError('the WebAssembly module ends too early');
    return value;
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  uint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value >>> 0;
    }
    throw new RangeError('a number in the WebAssembly module has more than 32 bits');
  }

  /** The next `length` bytes; a view, not a copy. */
  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('the WebAssembly module ends too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** A byte string behind its length: names, function bodies, sections. */
  vector(): Buffer {
    return this.take(this.uint());
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at);
  }
}

/** Unsigned LEB128. */
export function uleb(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const more = rest > 0x7f;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>>= 7;
  } while (rest !== 0);
  return Buffer.from(bytes);
}

/** Signed LEB128, as constants in code are written. */
export function sleb(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    const signBitSet = (low & 0x40) !== 0;
    if ((rest === 0 && !signBitSet) || (rest === -1 && signBitSet)) {
      bytes.push(low);
      return Buffer.from(bytes);
    }
    bytes.push(low | 0x80);
  }
}

export const withLength = (bytes: Buffer): Buffer => Buffer.concat([uleb(bytes.length), bytes]);

export function readSections(wasm: Buffer): Section[] {
  const reader = new ByteReader(wasm);
  if (!reader.take(HEADER.length).equals(HEADER)) throw new TypeError('not a WebAssembly module of version 1');
  const sections: Section[] = [];
  while (!reader.done) sections.push({ id: reader.byte(), body: reader.vector() });
  return sections;
}

export const writeSections = (sections: readonly Section[]): Buffer =>
  Buffer.concat([HEADER, ...sections.flatMap(({ id, body }) => [Buffer.from([id]), withLength(body)])]);

/** How many entries a vector section has. */
export const countOf = (section: Section): number => new ByteReader(section.body).uint();

/** A vector section with `entries` put behind those that it has. */
export function append(section: Section, ...entries: readonly Buffer[]): Section {
  const reader = new ByteReader(section.body);
  const count = reader.uint();
  return { id: section.id, body: Buffer.concat([uleb(count + entries.length), reader.rest(), ...entries]) };
}

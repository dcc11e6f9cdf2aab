/** TextEncoder, TextDecoder, atob and btoa. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bench } from './bench.ts';
import { sameAsNode, telling } from './same-as-node.ts';

const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'windows-1251', 'koi8-r', 'iso-8859-15'];

const DECODE = `({ encoding, options, chunks }) => {
  const decoder = new TextDecoder(encoding, options);
  const seen = [decoder.encoding, decoder.fatal, decoder.ignoreBOM];
  for (const [index, chunk] of chunks.entries()) {
    try {
      seen.push(decoder.decode(new Uint8Array(chunk), { stream: index < chunks.length - 1 }));
    } catch (error) {
      // In Node, what a decoder makes of more after a failure depends on the build.
      return [...seen, error.name, error.code, error.message];
    }
  }
  return seen;
}`;

const ENCODE = `({ text, room }) => {
  const bytes = new Uint8Array(room);
  return [[...new TextEncoder().encode(text)], new TextEncoder().encodeInto(text, bytes), [...bytes]];
}`;

/** Whole characters, beginnings of some, and what is none. */
const bytes = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 3 }).map((text) => [...Buffer.from(text)]),
  fc.constantFrom(
    ...[[0xef, 0xbb, 0xbf], [0xff, 0xfe], [0xe0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x8e], [0xf4, 0x90], [0xc0]],
    ...[
      [0x3d, 0xd8],
      [0x3d, 0xd8, 0x01],
      [0x01, 0xdc],
    ],
  ),
);

interface Decoding {
  readonly encoding: string;
  readonly options: { readonly fatal: boolean; readonly ignoreBOM: boolean };
  readonly chunks: readonly (readonly number[])[];
}

/**
 * Node takes a byte order mark for the first thing in a stream where only the beginning of a character went before it,
 * and drops it: in pieces, such bytes are another text than in one.
 */
function nodeAgreesWithItself({ encoding, options, chunks }: Decoding): boolean {
  const textOf = (pieces: readonly (readonly number[])[]) => {
    const decoder = new TextDecoder(encoding, options);
    const last = pieces.length - 1;
    return pieces.map((piece, index) => decoder.decode(new Uint8Array(piece), { stream: index < last })).join('');
  };
  try {
    return textOf(chunks) === textOf([chunks.flat()]);
  } catch {
    return true;
  }
}

export function byteTests(bench: Bench): void {
  const same = sameAsNode(bench);

  test('any bytes, in any pieces, are the text that they are in Node', async () => {
    const decoding = fc.record({
      encoding: fc.constantFrom(...ENCODINGS),
      options: fc.record({ fatal: fc.boolean(), ignoreBOM: fc.boolean() }),
      chunks: fc.array(bytes, { maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(decoding, (input) => {
        fc.pre(nodeAgreesWithItself(input));
        return same(DECODE, input);
      }),
      { numRuns: 500 },
    );
  });

  test('a byte order mark after the beginning of a character is text, as the Encoding Standard has it', async () => {
    const input = { encoding: 'utf-8', options: {}, chunks: [[0xe0], [0xef, 0xbb, 0xbf]] };
    const seen = await bench.value(`export default (ctx) => (${DECODE})(ctx.input)`, { context: { input } });
    expect(seen).toEqual(['utf-8', false, false, '', '\ufffd\ufeff']);
  });

  test('any text is the bytes that it is in Node, as far as there is room', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'aü€🎉\ud83c\udf89\0'.split('')), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.record({ text, room: fc.nat({ max: 12 }) }), (input) => same(ENCODE, input)),
      { numRuns: 200 },
    );
  });

  test('long texts come back as they went, however their characters fall', async () => {
    const source = `export default (ctx) => ctx.input.map((text) => {
      const long = text + 'aü€🎉'.repeat(20000);
      const bytes = new TextEncoder().encode(long);
      return [bytes.length, new TextDecoder('utf-8', { fatal: true }).decode(bytes) === long];
    })`;
    const input = ['', 'a', 'ab', 'abc', '€'];
    expect(await bench.value(source, { context: { input } })).toEqual(
      input.map((text) => [Buffer.byteLength(text) + 200_000, true]),
    );
  });

  describe('as in Node:', () => {
    test.each([
      'new TextDecoder().decode()',
      'new TextDecoder().decode(new Uint8Array([65, 66, 67]).subarray(1))',
      'new TextDecoder().decode(new DataView(new ArrayBuffer(2), 1))',
      'new TextDecoder().decode(new Uint16Array([0x4241]).buffer)',
      'new TextDecoder("UTF8 ").encoding',
      'new TextDecoder("ascii").encoding',
      '[...new TextEncoder().encode()]',
      '[...new TextEncoder().encode(undefined)]',
      '[...new TextEncoder().encode(5)]',
      'new TextEncoder().encoding',
      'atob("aGk=")',
      'atob(" aG k")',
      'btoa("hi\\xff")',
      'Object.prototype.toString.call(new TextDecoder()) + Object.prototype.toString.call(new TextEncoder())',
    ])('%s', (expression) => same(telling(expression)));

    test.each([
      ['new TextDecoder("nope")', 'RangeError', 'ERR_ENCODING_NOT_SUPPORTED'],
      ['new TextDecoder().decode("a")', 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      ['btoa("€")', 'InvalidCharacterError', 5],
      ['atob("*")', 'InvalidCharacterError', 5],
    ])('%s throws', async (expression, name, code) => {
      const tell = `() => { try { ${expression} } catch (error) { return [error.name, error.code] } }`;
      await same(tell);
      expect(await bench.value(`(${tell})()`)).toEqual([name, code]);
    });
  });

  test('an encoding that is not there is refused, and which are is said', async () => {
    expect(await bench.error('new TextDecoder("shift_jis")')).toMatchObject({
      name: 'RangeError',
      message: 'encoding: received "shift_jis"; allowed: UTF-8, UTF-16, and encodings of one byte per character',
    });
  });
}

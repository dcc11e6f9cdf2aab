/** Math.random and crypto. */
import { describe, expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';
import { sameAsNode } from './same-as-node.ts';

const { imul } = Math;

/** cyrb128 of the seed, then sfc32, written down a second time: recorded runs must find the same numbers for ever. */
function* chanceOf(seed: string): Generator<number> {
  let [h1, h2, h3, h4] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (const unit of Array.from({ length: seed.length }, (_, i) => seed.charCodeAt(i))) {
    h1 = h2 ^ imul(h1 ^ unit, 597399067);
    h2 = h3 ^ imul(h2 ^ unit, 2869860233);
    h3 = h4 ^ imul(h3 ^ unit, 951274213);
    h4 = h1 ^ imul(h4 ^ unit, 2716044179);
  }
  h1 = imul(h3 ^ (h1 >>> 18), 597399067);
  h2 = imul(h4 ^ (h2 >>> 22), 2869860233);
  h3 = imul(h1 ^ (h3 >>> 17), 951274213);
  h4 = imul(h2 ^ (h4 >>> 19), 2716044179);
  let a = h1 ^ h2 ^ h3 ^ h4;
  let [b, c, d] = [h2 ^ a, h3 ^ a, h4 ^ a];
  for (let i = 0; ; i++) {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    if (i >= 12) yield t >>> 0;
  }
}

const RANDOM = 'Array.from({ length: 5 }, () => Math.random())';

export function chanceTests(bench: Bench): void {
  const same = sameAsNode(bench);

  test.each(['', '1', 'report@1767323045000', 'ü🎉', 'x'.repeat(500)])(
    'a seed names its numbers for ever: %j',
    async (seed) => {
      const words = chanceOf(seed);
      const next = (): number => words.next().value as number;
      const numbers = Array.from(
        { length: 5 },
        () => (Math.floor(next() / 32) * 2 ** 26 + Math.floor(next() / 64)) / 2 ** 53,
      );
      expect(await bench.value(RANDOM, { seed })).toEqual(numbers);
    },
  );

  test('numbers and bytes come from the same chance, one after the other', async () => {
    const words = chanceOf('7');
    const bytes = Buffer.alloc(8);
    for (const at of [0, 4]) bytes.writeUInt32LE(words.next().value as number, at);
    const source = '[[...crypto.getRandomValues(new Uint8Array(8))], Math.random()]';
    const [first, second] = (await bench.value(source, { seed: '7' })) as [number[], number];
    expect(first).toEqual([...bytes]);
    const [high, low] = [words.next().value as number, words.next().value as number];
    expect(second).toBe((Math.floor(high / 32) * 2 ** 26 + Math.floor(low / 64)) / 2 ** 53);
  });

  test('seeds that differ little give numbers that have nothing in common', async () => {
    const seeds = Array.from({ length: 64 }, (_, i) => `task-${i >> 3}@${i & 7}`);
    const values = await Promise.all(seeds.map((seed) => bench.value(RANDOM, { seed })));
    expect(new Set(values.flat() as number[]).size).toBe(64 * 5);
  });

  test('every byte is as likely as any other', async () => {
    const source = `export default () => {
      const counts = Array(256).fill(0);
      for (const byte of crypto.getRandomValues(new Uint8Array(65536))) counts[byte]++;
      return counts;
    }`;
    const counts = (await bench.value(source)) as number[];
    // Chi-squared of 255 degrees of freedom: beyond these bounds once in a thousand seeds, and this is one seed.
    const chiSquared = counts.reduce((sum, count) => sum + (count - 256) ** 2 / 256, 0);
    expect(chiSquared).toBeGreaterThan(187);
    expect(chiSquared).toBeLessThan(331);
  });

  test('numbers are from 0 up to 1', async () => {
    const source = 'Array.from({ length: 1000 }, () => Math.random()).every((n) => n >= 0 && n < 1)';
    expect(await bench.value(source)).toBe(true);
  });

  test('UUIDs are of version 4, and none comes twice', async () => {
    const uuids = (await bench.value('Array.from({ length: 200 }, () => crypto.randomUUID())')) as string[];
    expect(new Set(uuids).size).toBe(200);
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  describe('all of what was given is filled, and nothing else:', () => {
    test.each([
      'Int8Array',
      'Uint8Array',
      'Uint8ClampedArray',
      'Int16Array',
      'Uint32Array',
      'BigInt64Array',
      'BigUint64Array',
    ])('%s', async (type) => {
      const source = `export default () => {
          const buffer = new ArrayBuffer(64);
          const part = new ${type}(buffer, 16, 3);
          const same = crypto.getRandomValues(part) === part;
          const end = 16 + part.byteLength;
          const bytes = [...new Uint8Array(buffer)];
          return [same, bytes.slice(0, 16).concat(bytes.slice(end)).every((byte) => byte === 0), part.every((n) => n != 0)];
        }`;
      expect(await bench.value(source)).toEqual([true, true, true]);
    });
  });

  test.each([
    'new Uint8Array(65537)',
    'new Uint8Array(65536).length',
    'new Float32Array(1)',
    'new DataView(new ArrayBuffer(1))',
    '[]',
    'undefined',
    'new Uint8Array(0).length',
  ])('getRandomValues takes what it takes in Node: %s', (argument) =>
    same(`() => {
      try {
        crypto.getRandomValues(${argument});
        return 'taken';
      } catch (error) {
        return [error.name, error instanceof DOMException || error instanceof TypeError];
      }
    }`),
  );
}

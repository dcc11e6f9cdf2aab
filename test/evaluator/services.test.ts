/** Services answer what the guest asks; whatever else a task asks them, they say nothing, and stay small. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SERVICE_BYTES, serve } from '../../src/evaluator/services.ts';

const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64');

test.each([
  ['U["http://X/a/../b"]', expect.stringContaining('"href":"http://x/b"')],
  ['U["/b","http://x/a"]', expect.stringContaining('"href":"http://x/b"')],
  ['U["nope"]', ''],
  ['P["search","http://x/?a","b=1"]', expect.stringContaining('"href":"http://x/?b=1"')],
  ['P["href","http://x/","nope"]', ''],
  ['Eü', 'w7w='],
  ['NUTF8', 'utf-8'],
  ['Nshift_jis', ''],
  ['Nnope', ''],
  [`Dutf-8 r.${base64(0x61, 0xff)}`, '0a\ufffd'],
  [`Dutf-8 f.${base64(0x61, 0xff)}`, 'E'],
  [`Dutf-8 f+${base64(0x61, 0xf0, 0x9f)}`, '2a'],
  [`Dutf-16le f+${base64(0x61, 0x00, 0x3d, 0xd8, 0x01)}`, '3a'],
  ['Z[0,"Europe/Berlin"]', '{"offsetMs":3600000}'],
  ['Z[0,"Europe/Berlin","short"]', '{"offsetMs":3600000,"name":"GMT+1"}'],
  ['Z[0,"Mars/Olympus"]', ''],
])('%s is answered', (question, answer) => {
  expect(serve(question)).toEqual(answer);
});

describe('nothing is made of', () => {
  test.each([
    ...[
      '',
      '?',
      'U',
      'U[',
      'U[]',
      'U[1]',
      'U{}',
      'Unull',
      'U["http://x/',
      'P["href"]',
      'P["searchParams","http://x/","y"]',
    ],
    ...['P["__proto__","http://x/","y"]', 'P["search","nope","y"]', 'D', 'Dutf-8', 'Dutf-8 r.%', 'Dshift_jis r.YQ=='],
    ...[
      'Dgzip r.YQ==',
      'Z',
      'Z[]',
      'Z["0","UTC"]',
      'Z[0]',
      'Z[1e300,"UTC"]',
      'Z[null,"UTC"]',
      'constructor',
      '__proto__',
    ],
  ])('%j', (question) => {
    expect(serve(question)).toBeUndefined();
  });

  test('any text at all, and no error comes of it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...'UPEDNZX'), fc.string({ unit: 'binary' }), (letter, text) => {
        expect([undefined, 'string']).toContain(
          serve(letter + text) === undefined ? undefined : typeof serve(letter + text),
        );
      }),
    );
  });
});

test('a question of full length is answered, and the answer is no more than some times as long', () => {
  const text = 'é'.repeat(SERVICE_BYTES / 2 - 20);
  for (const question of [`U["http://x/${text}"]`, `E${text}`, `N${text}`]) {
    expect(serve(question)?.length).toBeLessThan(20 * SERVICE_BYTES);
  }
});

test('zones that were asked for long ago are answered still, however many came since', () => {
  const zones = Intl.supportedValuesOf('timeZone').slice(0, 100);
  const ask = () => zones.map((zone) => serve(`Z[1767323045000,${JSON.stringify(zone)}]`));
  expect(ask()).toEqual(ask());
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are among the sources
/** Source text is seen to be a module or a script, and gets a name. */
import { describe, expect, test } from '@jest/globals';
import { kindOf, programOf, rememberPrograms } from '../../src/program.ts';

describe('a source is a module when it exports', () => {
  test.each([
    'export default 1',
    'export default () => 1',
    'export default async function (ctx) {}',
    'export{a as default};const a=1',
    'const a = 1; export { a as default };',
    'export const x = 1',
    'export let x',
    'export function f() {}',
    'export class C {}',
    'export async function f() {}',
    'export * from "x"',
    '/* why */ export /* so */ default 1',
    '// why\nexport\ndefault 1',
    '"use strict";\nexport default 1',
    'const a = `${`${1}`}`; export default a',
    'const half = 4 / 2; const q = "/"; export default half',
    'const r = /["`]/; export default r.source',
    'const r = /[/"]/g; export default 1',
    'if (x) /"/.test(y)\nexport default 1',
    'const o = { export: 1 }; export default o.export',
    "const s = 'it\\'s'; export default s",
    'const s = "\\\\"; export default s',
    'const t = `\\``; export default t',
    'const t = `$`; export default t',
    'return_ / 2; export default 1 / 2',
    'x++ / 2; "/"; export default 1',
    '#!/usr/bin/env node\nexport default 1',
    '\ufeffexport default 1',
    '\ufeff// why\r\nexport default 1',
    '1;\u00a0export default 1',
    'one()\u2028export default 1',
  ])('%s', (source) => {
    expect(kindOf(source)).toBe('module');
  });
});

describe('a source is a script when it only speaks of exports', () => {
  test.each([
    '',
    '1 + 1',
    '({ completed: true })',
    '// export default 1',
    '/* export default 1 */ 1',
    '/* export\n default */',
    '"export default 1"',
    "'export default 1'",
    '`export default 1`',
    '`${"export default 1"}`',
    '`${`export default 1`}`',
    '`\n${1}\nexport default 1`',
    '/export default/.test(x)',
    'x = /[/]export default/',
    'const o = { export: 1 }; o.export',
    'o.export\ndefault_',
    'o.export {}',
    'exports.default = 1',
    'my_export; function f() {}',
    '$export\nfunction f() {}',
    'class A { #export\nconst = 1 }',
    '"unterminated export default',
    '`unterminated export default ${',
    '/* unterminated export default',
    'import("x").then((m) => m.default)',
  ])('%s', (source) => {
    expect(kindOf(source)).toBe('script');
  });
});

test('any text at all has a kind, however broken', () => {
  for (const piece of [
    '"',
    '`',
    '`${',
    '/',
    '\\',
    '{',
    '}',
    '/*',
    '//',
    '[',
    '/[',
    "'\\",
    'export ',
    '\u2028',
    '\ud800',
  ]) {
    expect(['module', 'script']).toContain(kindOf(piece.repeat(20_000)));
  }
});

test('a program’s name depends on its kind and on every character', () => {
  const names = ['1', '1 ', '"1"', 'export default 1'].map((source) => programOf(source).hash);
  expect(new Set(names).size).toBe(4);
  expect(programOf('1')).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{32}$/), kind: 'script', source: '1' });
  expect(programOf('1')).toEqual(programOf('1'));
});

test('a program’s name is the one that is written in the registry: it must not change', () => {
  // printf 'script\0001' | sha256sum
  expect(programOf('1').hash).toBe('b2b34304b1f2b2f7710109ee2f43590e');
});

test('a source beyond all limits is not looked into: that alone would hold up the caller for seconds', () => {
  const source = `${"'".padEnd(2 ** 20, 'x')} export default 1`;
  expect(programOf(source)).toMatchObject({ kind: 'script', hash: 'too-large' });
  expect(programOf(`export default 1 ${'/'.repeat(1000)}`).hash).toMatch(/^[0-9a-f]{32}$/);
});

/** Steps that a pattern takes are not counted anywhere, so time has to tell: four times the text, and not 16 times as long. */
test.each([
  ['templates that end in a backslash', (n: number) => `if(1)/${'`\\'.repeat(n)}a/;export default 1//\\`],
  ['quotation marks', (n: number) => `${`'"`.repeat(n)}\nexport default 1`],
  ['classes of characters without an end', (n: number) => `/${'['.repeat(n)}\nexport default 1`],
  ['slashes', (n: number) => `${'a /'.repeat(n)}\nexport default 1`],
  ['nested templates', (n: number) => `${'`${'.repeat(n)}\nexport default 1`],
  ['comments', (n: number) => `${'/*'.repeat(n)}\nexport default 1`],
  ['blanks', (n: number) => `${' \n'.repeat(n)}export default 1`],
])('looking into a source takes time in proportion to its length: %s', (_what, make) => {
  const ms = (source: string) => {
    const takes = Array.from({ length: 5 }, () => {
      const from = performance.now();
      kindOf(source);
      return performance.now() - from;
    });
    return Math.min(...takes);
  };
  const [short, long] = [ms(make(4000)), ms(make(16_000))];
  // Short times are all noise; the square of this length took a second.
  expect(long < 50 || long / short < 10).toBe(true);
});

test('a source that is known is not looked into again, and no more are kept than there is room for', () => {
  const remembered = rememberPrograms();
  const first = remembered('export default 1');
  expect(first).toEqual(programOf('export default 1'));
  expect(remembered('export default 1')).toBe(first);
  for (let i = 0; i < 300; i++) remembered(`${i}`);
  expect(remembered('export default 1')).not.toBe(first);
  const large = `${'x'.repeat(600_000)}`;
  expect(remembered(large)).toBe(remembered(large));
  remembered(`${large}y`);
  expect(remembered(large)).toEqual(programOf(large));
});

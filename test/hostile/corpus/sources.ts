/** Source texts that close what they did not open, go too deep for a parser, or are hardly text. */
import { type End, type HostileCase, STOPPED } from '../case.ts';

const KIB_64 = 64 * 1024;
const fill = (piece: string): string => piece.repeat(Math.floor(KIB_64 / piece.length));

const PARSED: readonly End[] = ['Syntax', 'StackOverflow', 'Memory', 'EngineTrap', 'Timeout'];
const ODD: readonly End[] = ['succeeded', 'Syntax', 'Thrown'];
const HURT = 'overflow, hang or fool the parser';

const one = (name: string, source: string, ends: readonly End[], more: Partial<HostileCase> = {}): HostileCase => ({
  name,
  forbids: HURT,
  source,
  ends,
  ...more,
});

/** 64 KiB of something that opens and never closes, or nests without a bracket. */
const DEEP: readonly (readonly [string, string])[] = [
  ['square brackets', '['],
  ['parentheses', '('],
  ['braces', '{'],
  ['templates', '`${'],
  ['arrow functions', 'a=>'],
  ['async arrow functions', 'async a=>'],
  ['functions', 'function f(){'],
  ['classes', 'class a extends '],
  ['class bodies', 'class a{static{'],
  ['conditions', 'a?'],
  ['negations', '!'],
  ['signs', '- '],
  ['voids', 'void '],
  ['awaits', 'await '],
  ['news', 'new '],
  ['ifs', 'if(1)'],
  ['loops', 'for(;;)'],
  ['labels', 'a:'],
  ['tries', 'try{'],
  ['switches', 'switch(1){case 1:'],
  ['objects', 'a={b:'],
  ['assignments', 'a='],
  ['exponents', '2**'],
  ['patterns', '[{a:'],
  ['default arguments', '(a='],
  ['spreads', '[...'],
  ['imports', 'import('],
  ['regular expressions', '/('],
];

export const sources: readonly HostileCase[] = [
  ...DEEP.map(([name, piece]) => one(`64 KiB of ${name}`, fill(piece), PARSED)),
  one('64 KiB of brackets that close', '['.repeat(KIB_64 / 2) + ']'.repeat(KIB_64 / 2), [...PARSED, 'ResultTooLarge']),
  one('64 KiB of one comment', `/*${'*'.repeat(KIB_64 - 2)}`, ['Syntax']),
  one('64 KiB of one line', `export default () => 7 //${'x'.repeat(KIB_64 - 30)}`, ['succeeded'], { value: 7 }),
  one('64 KiB of one string', `'${'x'.repeat(KIB_64 - 1)}`, ['Syntax']),
  one('64 KiB of one template', `\`${'$'.repeat(KIB_64 - 1)}`, ['Syntax']),
  one('64 KiB of slashes and brackets', fill('/[/\n'), PARSED),
  one('64 KiB of slashes and stars', fill('/*/'), [...PARSED, 'succeeded']),
  one('64 KiB of backslashes', fill('\\'), ['Syntax']),
  one('64 KiB of quotes', fill('\'"`'), PARSED),
  one('64 KiB of line breaks of four kinds', fill('\n\r\u2028\u2029'), ['succeeded', 'SourceTooLarge', 'Syntax']),
  one('64 KiB of one identifier', `${'x'.repeat(KIB_64 - 20)} = 1`, ['succeeded', 'Thrown']),
  one('64 KiB of one number', '9'.repeat(KIB_64), ['succeeded']),
  one('64 KiB of one big integer', `${'9'.repeat(KIB_64 - 1)}n`, ['ResultNotSerializable', 'Syntax']),
  one('64 KiB of a sum', `1${'+1'.repeat(32_000)}`, ['succeeded'], { value: 32_001 }),
  one('64 KiB of commas', `[${','.repeat(KIB_64 - 2)}]`, ['succeeded', 'ResultTooLarge']),
  one('ten thousand variables', `let ${Array.from({ length: 9000 }, (_, i) => `a${i}`).join()}; 7`, ['succeeded'], {
    value: 7,
  }),
  one('ten thousand arguments', `(${Array.from({ length: 9000 }, (_, i) => `a${i}`).join()}) => 1`, [
    'Syntax',
    'ResultNotSerializable',
    'StackOverflow',
  ]),
  one('ten thousand cases', `switch (ctx.attempt) { ${'case 1: '.repeat(8000)} }`, ['succeeded', 'StackOverflow']),
  one('an escape with sixty thousand zeros', `'\\u{${'0'.repeat(60_000)}41}'`, ['succeeded'], { value: 'A' }),
  one('one byte more than 64 KiB', ' '.repeat(KIB_64 + 1), ['SourceTooLarge']),
  one('64 KiB in characters, more in bytes', `'${'\u20ac'.repeat(KIB_64 / 2)}'`, ['SourceTooLarge']),
  one('the end of the function around it', '}); globalThis.out = 1; (async () => {', ['Syntax']),
  one('the end of a module around it', 'export default 1 } export const x = 1; {', ['Syntax']),
  one('a comment that opens', '/* export default () => 1', ['Syntax']),
  one('a comment that closes', '*/ export default () => 1 /*', ['Syntax']),
  one('a hashbang', '#!/usr/bin/env node\nexport default () => 7', ['succeeded'], { value: 7 }),
  one('a hashbang in the second line', '\n#!/usr/bin/env node\n1', ['Syntax']),
  one('comments of HTML in a script', '<!-- ctx.call("boom")\n7\n--> ctx.call("boom")', ['succeeded'], {
    value: 7,
    callsAtMost: { boom: 0 },
  }),
  one('comments of HTML in a module', '<!-- x\nexport default () => 7', ['Syntax']),
  one('line separators in a string', `'a\u2028b\u2029c'.length`, ['succeeded'], { value: 5 }),
  one('a line separator that ends a comment', `// x\u2028ctx.attempt`, ['succeeded'], { value: 1 }),
  one('a byte order mark', '\ufeffexport default () => 7', ['succeeded'], { value: 7 }),
  one('a zero byte', `'a\0b'.length`, ODD),
  one('a zero byte at the start', '\0ctx.call("boom")', ['Syntax', 'succeeded'], { callsAtMost: { boom: 0 } }),
  one('a zero byte that hides the rest', 'export default () => 1 \0 ; while (true) {}', ODD),
  one('half characters', `'\ud800'.length + "\udc00"`, ODD),
  one('half a character in an identifier', 'let \ud800 = 1', ['Syntax']),
  one('characters without width', 'let a\u200db = 1; a\u200db', ODD),
  one('nothing', '', ['succeeded', 'Syntax']),
  one('nothing but blanks', ' \t\n\r\u00a0\ufeff', ['succeeded', 'Syntax']),
  one('strict mode and octal', '"use strict"; 010', ['Syntax']),
  one('strict mode in a function with a default', 'export default (a = 1) => { "use strict" }', ['Syntax']),
  one('a with statement in a script', 'with (ctx) { attempt }', ['succeeded'], { value: 1 }),
  one('a with statement in a module', 'with ({}) {} export default 1', ['Syntax']),
  one('two default exports', 'export default 1; export default 2', ['Syntax']),
  one('no default export', 'export const task = () => 1', ['Syntax']),
  one(
    'a default export that is not there yet',
    'export { task as default }; await null; let task = () => 7',
    ['succeeded'],
    {
      value: 7,
    },
  ),
  one(
    'a default export that changes',
    'export let task = () => 1; export { task as default }; task = () => 7',
    ['succeeded'],
    {
      value: 7,
    },
  ),
  one('a default export that is a class', 'export default class { constructor() { for (;;); } }', ['Thrown']),
  one(
    'a default export that is a constructor in disguise',
    'export default function () { return new.target ?? typeof this }',
    ODD,
  ),
  one('a default export in a string', `'export default () => 1'`, ['succeeded'], { value: 'export default () => 1' }),
  one('a default export in a template', `\`\${\`export default () => 1\`}\``, ['succeeded'], {
    value: 'export default () => 1',
  }),
  one('a default export behind a regular expression', '/`/; export default () => 7; /`/', ['succeeded'], { value: 7 }),
  one('a return at the top', 'return 1', ['Syntax']),
  one('an await at the top of a script', 'await 1', ODD),
  one('an await at the top of a module, for ever', 'for (;;) await null; export default 1', STOPPED),
  one('arguments at the top', '[typeof arguments, typeof this, typeof ctx]', ODD),
  one('arguments at the top of a module', 'export default [typeof arguments, typeof this, typeof ctx]', ODD),
  one('a redeclaration of ctx', 'const ctx = 1; ctx', ODD),
  one('a redeclaration of undefined', 'let undefined = 1', ODD),
  one(
    'globals under names of the host',
    'var process = 1, require = 2; function host() {} [process, require]',
    ['succeeded'],
    {
      value: [1, 2],
    },
  ),
  one('private names outside of a class', '#x in {}', ['Syntax']),
  one('super outside of a class', 'super.x', ['Syntax']),
  one(
    'a source map',
    'export default () => 7\n//# sourceMappingURL=file:///etc/passwd\n//# sourceURL=/etc/passwd',
    ['succeeded'],
    {
      value: 7,
    },
  ),
  one('a source URL in the stack', `//# sourceURL=node:internal/process\nnull.x`, ['Thrown']),
];

/** The console, ctx.log, and how values look there. */
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bench } from './bench.ts';

/** A stack of one line, in task code. */
const FRAME = '\\n {4}at .*\\(task\\.js:\\d+:\\d+\\)';

export function logTests(bench: Bench): void {
  const line = async (...values: string[]): Promise<string | undefined> =>
    (await bench.outcome(`console.log(${values.join(', ')})`)).logs[0];

  test.each([
    ['text as it is', `'text', "it's", 1, true, null, undefined, 2n, -0`, "text it's 1 true null undefined 2n -0"],
    [
      'text within values',
      `['it', "it's", '"it\\'s"', '\`"\\'', '\\n\\x00\\\\\\ud800']`,
      inspect(['it', "it's", '"it\'s"', '`"\'', '\n\0\\\ud800'], { breakLength: Infinity }),
    ],
    [
      'objects',
      `{ a: [1, { b: 'c' }], 'd-e': 2, [Symbol('f')]: 3, 4: 5 }`,
      "{ '4': 5, a: [ 1, { b: 'c' } ], 'd-e': 2, [Symbol(f)]: 3 }",
    ],
    ['nothing in them', '{}, [], new Map(), new Set(), ""', '{} [] Map(0) {} Set(0) {} '],
    [
      'what has a class',
      'new (class Point { x = 1 })(), new (class extends Array {})(2), Object.create(null)',
      'Point { x: 1 } [ <2 empty items> ] [Object: null prototype] {}',
    ],
    [
      'getters, which are not called',
      '{ get a() { throw 1 }, set b(v) {}, get c() { return 1 }, set c(v) {} }',
      '{ a: [Getter], b: [Setter], c: [Getter/Setter] }',
    ],
    ['holes', '[1, , 2, , ,]', '[ 1, <1 empty item>, 2, <2 empty items> ]'],
    ['Maps and Sets', 'new Map([[{ a: 1 }, new Set(["b"])]])', "Map(1) { { a: 1 } => Set(1) { 'b' } }"],
    ['times and patterns', 'new Date(0), new Date(NaN), [/a/g]', '1970-01-01T00:00:00.000Z Invalid Date [ /a/g ]'],
    ['bytes', 'new Uint8Array([1, 2]), new ArrayBuffer(3)', 'Uint8Array(2) [ 1, 2 ] ArrayBuffer { byteLength: 3 }'],
    ['boxes', 'new Number(1), new String("a"), new Boolean(false)', "[Number: 1] [String: 'a'] [Boolean: false]"],
    [
      'functions',
      '() => 1, function f() {}, class A {}, class B extends Date {}, async () => 1',
      '[Function (anonymous)] [Function: f] [class A] [class B extends Date] [AsyncFunction (anonymous)]',
    ],
    ['symbols', 'Symbol("s"), [Symbol.iterator]', 'Symbol(s) [ Symbol(Symbol.iterator) ]'],
    ['promises', 'Promise.resolve(1)', 'Promise {}'],
    ['lists of more than a hundred', 'Array(102).fill(0)', `[ ${'0, '.repeat(100)}... 2 more items ]`],
    ['what is deep', '{ a: { b: { c: { d: { e: { f: 1 } } } } } }', '{ a: { b: { c: { d: { e: [Object] } } } } }'],
    [
      'circles',
      '(() => { const o = { a: [] }; o.a.push(o, o.a); return o })()',
      '<ref *1> { a: <ref *2> [ [Circular *1], [Circular *2] ] }',
    ],
    ['what is there twice', '(() => { const o = {}; return [o, o] })()', '[ {}, {} ]'],
    [
      'URLs',
      'new URL("http://x/?a=1").searchParams, [new Headers({ B: 2 })]',
      "URLSearchParams { 'a' => '1' } [ Headers { b: '2' } ]",
    ],
    ['what says how it looks', '{ [Symbol.for("nodejs.util.inspect.custom")]: () => "mine" }', 'mine'],
    [
      'patterns',
      `'%s|%d|%i|%f|%j|%o|%c|%%|%x|%s', 'a', '1.5', '1.5', '1.5', { a: 1 }, ['b'], 'css'`,
      `a|1.5|1|1.5|{"a":1}|[ 'b' ]||%|%x|%s`,
    ],
    ['patterns, and what is left over', `'%s', 1, 2, { a: 1 }`, '1 2 { a: 1 }'],
    ['a percentage', `'100%', 5`, '100% 5'],
  ])('shows %s', async (_what, values, text) => {
    expect(await line(values)).toBe(text);
  });

  test('any data looks as in Node', async () => {
    const value = fc.anything({
      maxDepth: 4,
      withBigInt: false,
      key: fc.oneof(fc.string(), fc.constantFrom('a', 'b_1', '1', '__proto__')),
      values: [fc.string(), fc.string({ unit: 'binary' }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
    });
    const json = value.map((each) => JSON.parse(JSON.stringify(each ?? null)) as unknown);
    await fc.assert(
      fc.asyncProperty(json, async (input) => {
        const { logs } = await bench.outcome('console.log([ctx.input])', { context: { input } });
        expect(logs).toEqual([inspect([input], { compact: true, breakLength: Infinity, depth: 4 })]);
      }),
      { numRuns: 200 },
    );
  });

  describe('errors show', () => {
    test.each([
      ['where they were made', 'new TypeError("why")', `TypeError: why${FRAME}`],
      ['their class', 'new (class Odd extends Error {})("why")', `Odd: why(?:${FRAME})+`],
      ['their name', 'Object.assign(new Error("why"), { name: "Odd" })', `Odd: why${FRAME} \\{ name: 'Odd' \\}`],
      ['what was added', 'Object.assign(new Error("why"), { code: "E" })', `Error: why${FRAME} \\{ code: 'E' \\}`],
      [
        'their cause',
        'new Error("a", { cause: new RangeError("b") })',
        `Error: a${FRAME} \\{ \\[cause\\]: RangeError: b${FRAME} \\}`,
      ],
      ['their errors', 'new AggregateError([1], "all")', `AggregateError: all${FRAME} \\{ \\[errors\\]: \\[ 1 \\] \\}`],
      [
        'nothing of the guest',
        '(() => { try { new URL("nope") } catch (e) { return e } })()',
        `TypeError: Invalid URL(?:${FRAME})+ \\{ code: 'ERR_INVALID_URL', input: 'nope' \\}`,
      ],
    ])('%s', async (_what, error, text) => {
      expect(await line(error)).toMatch(new RegExp(`^${text}$`));
    });
  });

  test.each([
    ['a proxy that throws', 'new Proxy({}, { ownKeys() { throw 1 } })', '[unprintable]'],
    [
      'a revoked proxy',
      '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()',
      '[unprintable]',
    ],
    ['a name that throws', 'Object.defineProperty(() => {}, "name", { get() { throw 1 } })', '[unprintable]'],
  ])('%s does no harm', async (_what, value, text) => {
    expect(await line(value)).toBe(text);
  });

  test('what is endless ends', async () => {
    const source = 'const list = (n) => n === 0 ? 1 : Array(100).fill(list(n - 1)); console.log(list(4))';
    const { logs, status } = await bench.outcome(source, { limits: { logBytes: 1_000_000 } });
    expect(status).toBe('succeeded');
    expect(logs[0]?.length).toBeLessThanOrEqual(65_536);
    expect(logs[0]).toContain('...');
  });

  test('every method of the console that a script is likely to call is there', async () => {
    const { logs } = await bench.outcome(`
      console.log('log'); console.info('info'); console.warn('warn'); console.error('error'); console.debug('debug');
      ctx.log('ctx'); console.dir({ a: 1 }, { depth: 0 }); console.table([1]); console.log();
      console.assert(true, 'no'); console.assert(0); console.assert('', '%s!', 'yes');
      console.count(); console.count('a'); console.count(); console.countReset(); console.count();
      console.group('outer'); console.log('in\\nside'); console.group(); console.log('deep'); console.groupEnd();
      console.groupEnd(); console.groupEnd(); console.log('out');
      console.time('t'); console.timeLog('t', 1); console.timeEnd('t'); console.timeEnd('t');`);
    expect(logs).toEqual([
      ...['log', 'info', 'warn', 'error', 'debug', 'ctx', '{ a: 1 }', '[ 1 ]', ''],
      ...['Assertion failed', 'Assertion failed: yes!'],
      ...['default: 1', 'a: 1', 'default: 2', 'default: 1'],
      ...['outer', '  in\n  side', '    deep', 'out'],
      ...['t: 0ms 1', 't: 0ms'],
    ]);
  });

  test('a trace says where it is', async () => {
    const { logs } = await bench.outcome('function here() {\n console.trace("at", 1);\n}\nhere()');
    expect(logs[0]).toMatch(/^Trace: at 1\n {4}at here \(task\.js:2:\d+\)\n {4}at .*\(task\.js:4:\d+\)$/);
  });
}

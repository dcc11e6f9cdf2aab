/** Random programs: generated from a grammar that likes what is strange, and made from the corpus by mutation. */
import fc from 'fast-check';
import { sourceOf } from './case.ts';
import { ALL_CASES } from './corpus.ts';

type Text = fc.Arbitrary<string>;

/** Every program declares these, so that what a statement leaves behind can be taken up by another. */
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const PRELUDE = `let a = 1, b = { x: [1, 2, 3] }, c = [5, , 'seven'], d = (...list) => list.length, e = 'text';`;

const name = fc.constantFrom(...NAMES);
const literal = fc.constantFrom(
  ...['0', '-1', '1e9', '2 ** 53', 'NaN', '-0', '7n', '2n ** 64n', '""', '"x".repeat(1e5)', '"\\ud800"', 'null'],
  ...['undefined', 'true', '/(a+)+$/g', '/(?<__proto__>x)/', 'Symbol.iterator', 'Symbol("s")', 'new Date(NaN)'],
  ...['new ArrayBuffer(8, { maxByteLength: 1 << 20 })', 'new Uint8Array(64)', 'new Error("e")', 'new Map([[1, {}]])'],
);
const key = fc.constantFrom(
  ...['x', '0', 'length', '__proto__', 'constructor', 'prototype', 'then', 'toJSON', 'toString', 'valueOf', 'name'],
  ...['message', 'stack', 'cause', 'next', 'return', 'get', 'lastIndex', 'exec', 'completed', 'state', 'log', 'call'],
);
const global = fc.constantFrom(
  ...['Object', 'Array', 'Function', 'Error', 'Promise', 'Proxy', 'Reflect', 'JSON', 'Math', 'String', 'Number'],
  ...['BigInt', 'Symbol', 'RegExp', 'Date', 'Map', 'Set', 'WeakRef', 'Uint8Array', 'ArrayBuffer', 'globalThis', 'ctx'],
  ...['Iterator', 'console', 'AggregateError', 'FinalizationRegistry', 'Object.prototype', 'Array.prototype'],
);
const method = fc.constantFrom(
  ...['map', 'sort', 'concat', 'slice', 'splice', 'fill', 'join', 'flat', 'reverse', 'push', 'replace', 'split', 'at'],
  ...['padEnd', 'normalize', 'matchAll', 'exec', 'test', 'call', 'apply', 'bind', 'then', 'catch', 'next', 'return'],
  ...['set', 'get', 'forEach', 'resize', 'transfer', 'toString', 'valueOf', 'toJSON', 'keys', 'entries', 'toSorted'],
);
const builtIn = fc.constantFrom(
  ...[
    'Object.assign',
    'Object.freeze',
    'Object.setPrototypeOf',
    'Object.getOwnPropertyDescriptors',
    'Object.fromEntries',
  ],
  ...['Object.groupBy', 'Array.from', 'Reflect.ownKeys', 'Reflect.construct', 'Reflect.apply', 'JSON.stringify'],
  ...[
    'JSON.parse',
    'Promise.all',
    'Promise.race',
    'Promise.resolve',
    'Promise.reject',
    'structuredClone',
    'String.raw',
  ],
  ...['BigInt.asUintN', 'new Proxy', 'new Function', 'new RegExp', 'eval', 'import', 'Error.captureStackTrace'],
  ...['setTimeout', 'clearTimeout', 'queueMicrotask', 'ctx.log', 'ctx.fetch', 'console.error', 'new WeakRef'],
);
const hostCall = fc.constantFrom('add', 'echo', 'boom', 'toss', 'slow', 'merge', 'nope', '__proto__');
const operator = fc.constantFrom(
  '+',
  '-',
  '*',
  '**',
  '%',
  '<',
  '==',
  '===',
  'in',
  'instanceof',
  '&&',
  '??',
  ',',
  '>>>',
);
const hook = fc.constantFrom(
  ...[
    'get x()',
    'toString()',
    'valueOf()',
    'toJSON()',
    'then(yes, no)',
    '[Symbol.toPrimitive]()',
    '*[Symbol.iterator]()',
  ],
  ...['get [Symbol.species]()', 'get message()', 'set x(v)', 'async *[Symbol.asyncIterator]()', 'get length()'],
);
const trap = fc.constantFrom('get', 'set', 'has', 'ownKeys', 'getPrototypeOf', 'defineProperty', 'apply', 'construct');

const fill = (parts: readonly Text[], join: (...texts: string[]) => string): Text =>
  fc.tuple(...parts).map((texts) => join(...texts));

interface Grammar {
  readonly expression: Text;
  readonly statement: Text;
}

/** Expressions and statements; functions within them have bodies of `inner`, or of the same grammar. */
const grammar = (extra: readonly ((one: Text) => Text)[], inner?: Text): Grammar =>
  fc.letrec<{ expression: string; statement: string }>((tie) => {
    const one = tie('expression');
    const body = tie('statement');
    const code = inner ?? body;
    return {
      expression: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        name,
        literal,
        global,
        ...extra.map((make) => make(one)),
        fill([one, key], (object, property) => `(${object})?.[${JSON.stringify(property)}]`),
        fill([one, method, one], (object, called, argument) => `(${object})?.${called}?.(${argument})`),
        fill([builtIn, one, one], (called, first, second) => `${called}(${first}, ${second})`),
        fill([hostCall, one, one], (called, first, second) => `ctx.call('${called}', ${first}, ${second})`),
        fill([one, operator, one], (left, infix, right) => `((${left}) ${infix} (${right}))`),
        fill([one, one], (first, second) => `[${first}, ...[${second}]]`),
        fill([one, one], (first, second) => `\`\${${first}}\${${second}}\``),
        fill(
          [key, one, hook, code],
          (property, value, named, does) => `({ ['${property}']: ${value}, ${named} { ${does} } })`,
        ),
        fill([code], (does) => `((...f) => { ${does} })`),
        fill([code], (does) => `(function* () { ${does}; yield 1 })()`),
        fill([one, trap, code], (target, caught, does) => `new Proxy(Object(${target}), { ${caught}() { ${does} } })`),
      ),
      statement: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        fill([name, one], (variable, value) => `${variable} = ${value};`),
        fill([one, key, one], (object, property, value) => `Object(${object})['${property}'] = ${value};`),
        fill([one, key], (object, property) => `delete Object(${object})['${property}'];`),
        fill([one], (value) => `return ${value};`),
        fill([one], (value) => `throw ${value};`),
        fill([one], (value) => `void (${value});`),
        fill([body, body], (first, second) => `try { ${first} } catch (f) { a = f; ${second} }`),
        fill([body, body], (first, second) => `try { ${first} } finally { ${second} }`),
        fill([body], (again) => `for (let i = 0; i < 20; i++) { ${again} }`),
        fill([body], (again) => `while (true) { ${again} }`),
        fill([one, body], (list, again) => `for (const f of [${list}].flat()) { ${again} }`),
        fill([one, body, body], (condition, yes, no) => `if (${condition}) { ${yes} } else { ${no} }`),
        fill([name, one], (variable, parent) => `{ class F extends Object(${parent}) { static x = ${variable}; } }`),
        fill([code], (does) => `setTimeout(() => { ${does} }, 1);`),
      ),
    };
  });

const plain = grammar([]);
/** Where one may wait. */
const { expression, statement } = grammar(
  [
    (one) => fill([one], (awaited) => `(await (${awaited}))`),
    (one) => fill([one], (yielded) => `(async function* () { yield ${yielded} })()`),
    (one) => fill([one], (waited) => `(async () => (${waited}))()`),
  ],
  plain.statement,
);

const generated: Text = fc
  .tuple(fc.array(statement, { minLength: 1, maxLength: 5 }), expression)
  .map(
    ([statements, result]) =>
      `export default async (ctx) => {\n${PRELUDE}\n${statements.join('\n')}\nreturn ${result}\n}`,
  );

const SOURCES = ALL_CASES.filter(({ defect }) => defect === undefined)
  .map(sourceOf)
  .filter((source) => source.length < 4096);
const source = fc.constantFrom(...SOURCES);
const tokensOf = (text: string): string[] => text.match(/\w+|\s+|[^\w\s]/g) ?? [];

/** Where in a program, from 0 to 1. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
type Edit = (tokens: readonly string[], at: number, other: readonly string[], text: string) => string[];
const EDITS: readonly Edit[] = [
  (tokens, at) => tokens.toSpliced(at, 1),
  (tokens, at) => tokens.toSpliced(at, 0, ...tokens.slice(at, at + 8)),
  (tokens, at, other) => [...tokens.slice(0, at), ...other.slice(at)],
  (tokens, at, other) => tokens.toSpliced(at, 3, ...other.slice(at, at + 12)),
  (tokens, at, _other, text) => tokens.with(at, text),
  (tokens, at, _other, text) => tokens.map((token) => (token === tokens[at] ? text : token)),
];
const edit = fc.tuple(
  fc.constantFrom(...EDITS),
  place,
  source,
  fc.oneof(literal, name, key, method, operator, expression),
);

/** Cases of the corpus with a few tokens dropped, doubled, changed or taken from another case. */
const mutated: Text = fc
  .tuple(source, fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([original, edits]) =>
    edits
      .reduce<string[]>(
        (tokens, [change, at, other, text]) =>
          tokens.length === 0 ? tokens : change(tokens, Math.floor(at * (tokens.length - 1)), tokensOf(other), text),
        tokensOf(original),
      )
      .join(''),
  );

/** A program that nobody has thought of. */
export const snippet: Text = fc.oneof({ weight: 3, arbitrary: generated }, { weight: 2, arbitrary: mutated });

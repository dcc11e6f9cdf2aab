/** Event patterns: what EventBridge's documentation does not show by an example, what is refused, and what holds of any. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { wildcardMatches } from '../../src/event-pattern/wildcard.ts';
import { type EventPattern, type Matcher, patternMatches, patternProblems } from '../../src/event-pattern.ts';
import { wantsEvent } from '../../src/event-rules.ts';

const matches = (matcher: unknown, value: unknown): boolean =>
  patternMatches({ a: [matcher as Matcher] }, { a: value });

describe('a pattern', () => {
  test.each<[string, unknown, unknown, boolean]>([
    // The example of EventBridge's page on patterns, and of its rule engine.
    [
      'names and a nested field',
      { source: ['aws.ec2'], detail: { state: ['terminated'] } },
      { source: 'aws.ec2', detail: { state: 'terminated', id: 1 } },
      true,
    ],
    [
      'a field that is missing',
      { source: ['aws.ec2'], detail: { state: ['terminated'] } },
      { source: 'aws.ec2' },
      false,
    ],
    [
      'lists within lists',
      { employees: { firstName: ['Anna'] } },
      { employees: [[{ firstName: 'John' }, { firstName: 'Anna' }]] },
      true,
    ],
    [
      'fields of two elements',
      { employees: { firstName: ['Anna'], lastName: ['Jones'] } },
      {
        employees: [
          { firstName: 'Anna', lastName: 'Smith' },
          { firstName: 'Peter', lastName: 'Jones' },
        ],
      },
      false,
    ],
    [
      'fields of two elements, one of them within $or',
      { e: { first: ['Anna'], $or: [{ last: ['Jones'] }, { last: ['Doe'] }] } },
      { e: [{ first: 'Anna' }, { last: 'Jones' }] },
      false,
    ],
    ['two $or', { $or: [{ a: [1] }, { b: [1] }], d: { $or: [{ x: [1] }, { y: [1] }] } }, { b: 1, d: { y: 1 } }, true],
    [
      'two $or, one of which fails',
      { $or: [{ a: [1] }, { b: [1] }], d: { $or: [{ x: [1] }, { y: [1] }] } },
      { b: 1, d: {} },
      false,
    ],
    [
      'a field beside $or and in it',
      { a: [{ prefix: 'x' }], $or: [{ a: [{ suffix: 'y' }] }, { b: [1] }] },
      { a: 'xz' },
      false,
    ],
    [
      'a field beside $or and in it, both',
      { a: [{ prefix: 'x' }], $or: [{ a: [{ suffix: 'y' }] }, { b: [1] }] },
      { a: 'xy' },
      true,
    ],
    ['absence below what is a value', { a: { b: [{ exists: false }] } }, { a: 5 }, true],
    ['absence in one element of two', { a: { b: [{ exists: false }] } }, { a: [{ b: 1 }, { c: 1 }] }, false],
    [
      'absence beside a value in the same element',
      { a: { b: [{ exists: false }], c: [1] } },
      { a: [{ b: 1 }, { c: 1 }] },
      true,
    ],
    ['absence or a value', { a: [{ exists: false }, 'x'] }, { a: 'x' }, true],
    ['an element that is not left out', { a: [{ 'anything-but': ['x'] }] }, { a: ['x', 'y'] }, true],
    ['names of every object', { constructor: [{ exists: true }] }, {}, false],
    ['a name that is a trap', JSON.parse('{"__proto__":["x"]}'), JSON.parse('{"__proto__":"x"}'), true],
  ])('with %s', (_, pattern, event, expected) => {
    expect(patternProblems(pattern)).toEqual([]);
    expect(patternMatches(pattern as EventPattern, event)).toBe(expected);
  });

  test.each<[unknown, unknown, boolean]>([
    [{ numeric: ['=', 3.018e2] }, 301.8, true],
    [{ numeric: ['<', 10] }, 10, false],
    [{ numeric: ['>=', -5e9] }, -5e9, true],
    [{ numeric: ['>', 0] }, 5.1e9, false],
    [{ cidr: '10.0.0.0/8' }, '::ffff:10.0.0.1', false],
    [{ cidr: '2001:db8::/32' }, '2001:DB8:0:0::1', true],
    [{ cidr: '10.0.0.7/24' }, '10.0.0.1', true],
    [{ prefix: '' }, '', true],
    [{ 'equals-ignore-case': 'STRASSE' }, 'strasse', true],
    [{ 'anything-but': { 'equals-ignore-case': ['A', 'b'] } }, 'B', false],
    [{ 'anything-but': { prefix: 'init' } }, 5, true],
    [{ 'anything-but': { suffix: ['.a', '.b'] } }, 'x.b', false],
    [0, '0', false],
    [-0, 0, true],
    ['true', true, false],
  ])('%j of %j: %s', (matcher, value, expected) => {
    expect(patternProblems({ a: [matcher] })).toEqual([]);
    expect(matches(matcher, value)).toBe(expected);
  });
});

describe('what is no pattern is refused, naming the place', () => {
  const deep = (levels: number): unknown => (levels === 0 ? ['x'] : { a: deep(levels - 1) });
  const ors = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, { $or: [{ a: [1] }, { b: [1] }] }]));

  test.each<[unknown, string, string]>([
    [['x'], '', 'an object of fields'],
    [{}, '', 'not empty'],
    [{ a: 'x' }, 'a', 'a list of values'],
    [{ a: [] }, 'a', 'not empty'],
    [{ a: { b: {} } }, 'a.b', 'not empty'],
    [{ a: { b: [['x']] } }, 'a.b.0', 'an object with one operator'],
    [
      { a: ['x', { prefx: 'y' }] },
      'a.1.prefx',
      'prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr',
    ],
    [{ a: [{ constructor: 'y' }] }, 'a.0.constructor', 'the operators'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'a.0', 'one operator'],
    [{ a: [{ prefix: 5 }] }, 'a.0.prefix', 'a string'],
    [{ a: [{ suffix: { 'equals-ignore-case': 5 } }] }, 'a.0.suffix.equals-ignore-case', 'a string'],
    [{ a: [{ wildcard: 'a**b' }] }, 'a.0.wildcard', 'single *'],
    [{ a: [{ wildcard: 'a\\b' }] }, 'a.0.wildcard', 'a backslash'],
    [{ a: [{ wildcard: 'a\\' }] }, 'a.0.wildcard', 'a backslash'],
    [{ a: [{ 'anything-but': [] }] }, 'a.0.anything-but', 'a list of strings or of numbers'],
    [{ a: [{ 'anything-but': ['a', 1] }] }, 'a.0.anything-but', 'a list of strings or of numbers'],
    [{ a: [{ 'anything-but': null }] }, 'a.0.anything-but', 'a list of strings or of numbers'],
    [{ a: [{ 'anything-but': { numeric: ['=', 1] } }] }, 'a.0.anything-but', 'prefix, suffix'],
    [{ a: [{ 'anything-but': { prefix: [''] } }] }, 'a.0.anything-but.prefix.0', 'not empty'],
    [{ a: [{ numeric: ['=', 1, '<', 2] }] }, 'a.0.numeric', 'two from below'],
    [{ a: [{ numeric: ['>', 2, '<', 1] }] }, 'a.0.numeric', 'two from below'],
    [{ a: [{ numeric: ['!=', 2] }] }, 'a.0.numeric', 'one comparison'],
    [{ a: [{ numeric: ['<', 6e9] }] }, 'a.0.numeric', '5e9'],
    [{ a: [{ exists: 'yes' }] }, 'a.0.exists', 'true or false'],
    [{ a: [{ cidr: '10.0.0.0' }] }, 'a.0.cidr', 'a block of addresses'],
    [{ $or: [{ a: [1] }] }, '$or', 'at least two'],
    [{ $or: [{ a: [1] }, ['x']] }, '$or.1', 'an object of fields'],
    [{ $or: [{ a: [1] }, { prefix: ['x'] }] }, '$or.1.prefix', 'no operator as a field'],
    [deep(17), Array(16).fill('a').join('.'), '16 levels'],
    [ors(10), '', '1000 ways'],
  ])('%j', (pattern, field, allowed) => {
    const [problem, ...more] = patternProblems(pattern);
    expect([problem?.field, more]).toEqual([field, []]);
    expect(problem?.message).toMatch(/^received .+; allowed: /s);
    expect(problem?.message).toContain(allowed);
  });

  test('every wrong place is told, up to a bound', () => {
    expect(patternProblems({ a: 1, b: [{ x: 1 }] }).map(({ field }) => field)).toEqual(['a', 'b.0.x']);
    expect(patternProblems({ a: Array(1_000).fill({}) })).toHaveLength(10);
  });
});

describe('whatever the pattern and the event', () => {
  const short = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '*', '\\'), maxLength: 6 });
  const operator = fc.oneof(
    ...['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].map((name) => short.map((text) => ({ [name]: text }))),
    fc.constantFrom({ numeric: ['>', 0, '<', 5] }, { cidr: '::/0' }, { exists: true }, { exists: false }),
    fc.oneof(short, fc.array(short, { minLength: 1 })).map((left) => ({ 'anything-but': left })),
  );
  const leaves = fc.array(fc.oneof(short, fc.integer(), fc.boolean(), fc.constant(null), operator), {
    minLength: 1,
    maxLength: 3,
  });
  const field = fc.constantFrom('a', 'b');
  const flat = fc.dictionary(field, leaves, { minKeys: 1 });
  const object = fc.dictionary(field, fc.oneof(leaves, flat), { minKeys: 1 }) as fc.Arbitrary<EventPattern>;
  const choice = fc
    .tuple(object, fc.array(object, { minLength: 2, maxLength: 3 }))
    .map(([beside, $or]) => ({ ...beside, $or }) as EventPattern);
  const pattern = fc.oneof(object, choice);
  const event = fc.anything({ key: field, maxKeys: 2, maxDepth: 3, values: [short, fc.integer(), fc.constant(null)] });

  test('nothing is thrown, and $or is any of its patterns', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 2, maxLength: 4 }), event, (patterns, value) => {
        const object = { d: value };
        const any = patterns.some((each) => patternMatches({ d: each }, object));
        expect(patternMatches({ $or: patterns.map((each) => ({ d: each })) }, object)).toBe(any);
      }),
    );
  });

  test('fields are all, and a list of values is any', () => {
    fc.assert(
      fc.property(leaves, leaves, event, event, (left, right, a, b) => {
        const each = (field: string, values: unknown[], value: unknown) =>
          values.some((matcher) => patternMatches({ [field]: [matcher as Matcher] }, { [field]: value }));
        const both = patternMatches({ a: left, b: right } as EventPattern, { a, b });
        expect(both).toBe(each('a', left, a) && each('b', right, b));
      }),
    );
  });

  test('anything-but is the complement, for a single value', () => {
    const operand = fc.oneof(
      short.map((text) => ({ of: text, is: text as unknown })),
      fc
        .constantFrom('prefix', 'suffix', 'equals-ignore-case')
        .chain((name) => short.map((text) => ({ of: { [name]: text }, is: { [name]: text } as unknown }))),
      short
        .filter((text) => patternProblems({ a: [{ wildcard: text }] }).length === 0)
        .map((text) => ({ of: { wildcard: text }, is: { wildcard: text } as unknown })),
    );
    fc.assert(
      fc.property(operand, fc.oneof(short, fc.integer(), fc.constant(null)), ({ of, is }, value) => {
        expect(matches({ 'anything-but': of }, value)).toBe(!matches(is, value));
      }),
    );
  });

  test('a wildcard is what a regular expression says', () => {
    fc.assert(
      fc.property(short, short, (text, value) => {
        if (patternProblems({ a: [{ wildcard: text }] }).length > 0) return;
        const source = text.replace(/\\.|\*|[^\\*]/g, (part) => (part === '*' ? '.*' : part));
        expect(wildcardMatches(text, value)).toBe(new RegExp(`^${source}$`, 's').test(value));
      }),
      { numRuns: 500 },
    );
  });

  test('a wildcard takes no longer than the text is long, where a regular expression would not end', () => {
    const stars = `${'*a'.repeat(1_000)}*b`;
    expect(wildcardMatches(stars, 'a'.repeat(30_000))).toBe(false);
    expect(wildcardMatches(`*${'a'.repeat(2_000)}b*`, 'a'.repeat(30_000))).toBe(false);
  });

  test('rules that somebody has damaged throw nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (broken, detail) => {
        const rules = [
          { source: [broken as Matcher], detail: { a: broken, $or: [broken] } as unknown as EventPattern },
        ];
        expect(typeof wantsEvent(rules, { source: 'a', detailType: 'b', detail: { a: detail } })).toBe('boolean');
        expect(typeof patternMatches((broken ?? {}) as EventPattern, detail)).toBe('boolean');
      }),
    );
  });
});

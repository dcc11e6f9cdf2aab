/** What task code wrote must not reach the prototypes of those who copy it. */
import { describe, expect, test } from '@jest/globals';
import { parseData } from '../../src/evaluator/data.ts';

describe('what is called __proto__ is left out', () => {
  test.each([
    ['at the top', '{"__proto__":{"isAdmin":true},"a":1}', { a: 1 }],
    ['deep inside', '[{"a":{"__proto__":null,"b":[{"__proto__":1}]}}]', [{ a: { b: [{}] } }]],
    ['spelled with an escape', '{"\\u005f_proto__":{"isAdmin":true}}', {}],
    ...Array.from('_proto', (letter): [string, string, unknown] => {
      const escaped = `\\u00${letter.charCodeAt(0).toString(16)}`;
      return [`spelled with an escape for ${letter}`, `{"${'__proto__'.replace(letter, escaped)}":1,"a":2}`, { a: 2 }];
    }),
    ['spelled with escapes all over', '{"\\u005F\\u005fpr\\u006Fto_\\u005f":1,"a":2}', { a: 2 }],
  ])('%s', (_where, json, data) => {
    expect(parseData(json)).toStrictEqual(data);
  });
});

test.each([
  '{"a":"__proto__"}',
  '["__proto__"]',
  '"\\u005f_proto__"',
  '{"__proto":1,"proto__":2,"prototype":{"x":3}}',
  'null',
  '-0.5e-3',
  '{"a":[null,true,{"b":"\\u0000"}]}',
])('%s stays what it is', (json) => {
  expect(parseData(json)).toStrictEqual(JSON.parse(json));
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JSON_DEPTH_MAX } from '../../src/json.ts';
import { plainReader } from '../../src/plain-document.ts';
import { jsonOf, written } from '../../src/record-lines.ts';
import { parseTask } from '../../src/task.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { errorOf } from '../support/error-of.ts';
import { documentOf } from '../support/task-records.ts';

const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);

const fields = fc.record({
  id: fc.constantFrom('a', 'Z._-9', '..', 'a/b', '', 5),
  schedule: fc.constantFrom(
    ...[{ every: '1h' }, { every: '1h', anchor: '2027-01-01T00:30:00+01:00' }, { at: '2027-01-01T00:00:00Z' }],
    ...[{ cron: '0 9 * * *', timeZone: 'Europe/Berlin' }, { after: '5m' }, { every: '1ms' }, { every: 5 }],
    ...[{ every: '1h', at: undefined }, { every: '1h', tz: 'UTC' }, [], null, undefined, '1h'],
  ),
  code: fc.constantFrom('1', 'export default () => 1', 'ä'.repeat(30_000), 'ä'.repeat(40_000), '', 5, undefined),
  input: fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(-0, [-0], Number.NaN, undefined, [undefined], new Date(0), 'ä'.repeat(16_000), 'x'.repeat(33_000)),
    fc.constantFrom(nested(JSON_DEPTH_MAX), nested(JSON_DEPTH_MAX + 1), JSON.parse('{"__proto__":1,"2":1,"1":2}')),
  ),
  labels: fc.constantFrom(
    ...[{}, { team: 'ops', 'a/b.c': '' }, { a: 5 }, { 'a b': '' }, { a: 'x'.repeat(129) }, [], null, undefined],
    ...[JSON.parse('{"__proto__":"x"}'), { [Symbol('a')]: 'x' }],
    ...[16, 17].map((count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, '']))),
  ),
  start: fc.constantFrom('2027-01-01T00:00:00Z', 'soon', undefined),
  end: fc.constantFrom('2026-01-01T00:00:00Z', '2028-01-01T00:00:00Z'),
  maxRuns: fc.constantFrom(1, 0, -0),
  paused: fc.constantFrom(true, false, 'no'),
  retry: fc.constantFrom({}, { attempts: 1, jitter: false }, { attempts: 0 }, { retries: 3 }, { factor: -0 }),
  on: fc.constantFrom([], [{ source: 'shop' }], [{}]),
  onSuccess: fc.constantFrom({ task: 'a' }, { task: 'other' }, [{ bus: 'b' }]),
  colour: fc.constant('red'),
});
/** A few fields: with more of them wrong, none would be found to be let through. */
const changes = fields.chain((all) =>
  fc.subarray(Object.entries(all), { maxLength: 2 }).map((some): object => Object.fromEntries(some)),
);
const outcomeOf = (document: object) => {
  try {
    return parseTask(document);
  } catch {
    return errorOf(() => parseTask(document)).problems;
  }
};

describe('a document that is plainly right', () => {
  test('is what the schema says it is, and no other is taken for one', () => {
    fc.assert(
      fc.property(changes, (change) => {
        const document = { ...documentOf({ id: 'a' }), ...change };
        // One without a prototype is not plain: it is left to the schema.
        const bySchema = outcomeOf(Object.assign(Object.create(null), document));
        const outcome = outcomeOf(document);
        expect(outcome).toStrictEqual(bySchema);
        // A definition has its name by this text.
        expect(JSON.stringify(outcome)).toBe(JSON.stringify(bySchema));
      }),
      { seed: PROPERTY_SEED, numRuns: 1_500 },
    );
  });

  test('asks the schema once for settings that many have', () => {
    const asked: object[] = [];
    const read = plainReader((document) => {
      asked.push(document);
      return { id: '', schedule: undefined, code: '', input: null, labels: {}, settings: 'settings' };
    });
    for (let i = 0; i < 100; i++) {
      expect(
        read({ ...documentOf({ id: `t-${i}`, labels: { i: `${i}` } }), retry: { attempts: (i % 2) + 1 } }),
      ).toEqual(expect.objectContaining({ id: `t-${i}`, labels: { i: `${i}` }, settings: 'settings' }));
    }
    expect(asked).toHaveLength(2);
  });

  test('has its text from settings that another had, under the same names', () => {
    const { task } = parseTask(documentOf());
    const told = [{ bus: 'orders' }];
    const others = [
      {},
      { onSuccess: told },
      { onFailure: told },
      { overlap: 'queue' as const },
      { labels: { a: '' } },
      {},
    ];
    for (const other of others) {
      const changed = { ...task, ...other };
      for (const each of [changed, { ...changed, id: 'b', input: 5 }]) {
        expect(jsonOf(written(each))).toBe(JSON.stringify(each));
      }
    }
  });
});

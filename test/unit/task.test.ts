import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertTaskId, TASK_LIMITS } from '../../src/document.ts';
import { amend, register } from '../../src/edit.ts';
import { received } from '../../src/errors.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { parseTask, type TaskDocument } from '../../src/task.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { errorOf } from '../support/error-of.ts';
import { documentOf } from '../support/task-records.ts';

/** The problems of a document with one thing changed, as `field: message`. */
const problems = (change: object): string[] =>
  errorOf(() => parseTask({ ...documentOf(), ...change })).problems.map(({ field, message }) => `${field}: ${message}`);

const ID = 'a string of 1 to 128 characters from A-Z a-z 0-9 . _ -';
const INSTANT = 'an ISO 8601 instant with';
const times = (count: number, make: (i: number) => string) => Array.from({ length: count }, (_, i) => make(i));

describe('a task document', () => {
  test('that says only what it must gets the defaults of everything else', () => {
    const { task, program } = parseTask({ id: 'a', schedule: { every: '30s' }, code: 'export default () => 1' });
    expect(task).toEqual({
      id: 'a',
      schedule: { kind: 'every', everyMs: 30_000, anchorMs: 0 },
      code: { hash: program.hash, kind: 'module' },
      input: null,
      spreadMs: 0,
      paused: false,
      labels: {},
      misfire: { policy: 'once', windowMs: 86_400_000, max: 100 },
      overlap: 'skip',
      retry: { attempts: 3, backoffMs: 1_000, factor: 2, maxMs: 3_600_000, jitter: true },
      timeoutMs: 10_000,
      delivery: 'at-least-once',
      capabilities: { fetch: [], call: [] },
      history: 20,
    });
  });

  test('that says everything is read as it stands', () => {
    const { task } = parseTask({
      ...documentOf({ id: 'Z._-9' }),
      schedule: { cron: '0 9 * * 1-5', timeZone: 'Europe/Berlin', dst: 'skip' },
      input: { any: ['json', null] },
      start: '2027-01-01T00:00:00+01:00',
      end: '2028-01-01T00:00:00Z',
      maxRuns: 10,
      spread: '1m',
      paused: true,
      labels: { team: 'ops', 'a/b.c': '' },
      misfire: { policy: 'all', window: '366d', max: 10_000 },
      overlap: 'queue',
      retry: { attempts: 100, backoff: '0s', factor: 1.5, max: '7d', jitter: false },
      timeout: '14m',
      delivery: 'at-most-once',
      capabilities: { fetch: ['HTTPS://API.Example.com:443/'], call: ['mail'] },
      history: 200,
    });
    expect(task).toMatchObject({
      startMs: Date.parse('2026-12-31T23:00:00Z'),
      endMs: Date.parse('2028-01-01T00:00:00Z'),
      maxRuns: 10,
      spreadMs: 60_000,
      retry: { attempts: 100, backoffMs: 0, factor: 1.5, maxMs: 604_800_000, jitter: false },
      timeoutMs: 840_000,
      capabilities: { fetch: ['https://api.example.com'], call: ['mail'] },
    });
  });

  const mistakes: [object, string, string][] = [
    [{ id: undefined }, 'id: received nothing; allowed: ', ID],
    [{ id: 5 }, 'id: received 5; allowed: ', ID],
    [{ id: '' }, 'id: received ""; allowed: ', ID],
    [{ id: 'a/b' }, 'id: received "a/b"; allowed: ', ID],
    [{ id: 'a@1' }, 'id: received "a@1"; allowed: ', ID],
    [{ id: 'ä' }, 'id: received "ä"; allowed: ', ID],
    [{ id: 'a\n' }, 'id: received "a\\n"; allowed: ', ID],
    [{ id: '..' }, 'id: received ".."; allowed: ', 'other than . and ..'],
    [{ id: 'x'.repeat(129) }, 'id: received "xxx', ID],
    [{ schedule: undefined }, 'schedule: received nothing; allowed: ', 'cron, every, at, after, or `on` in its place'],
    [{ schedule: undefined, on: [], maxRuns: 3 }, 'maxRuns: received a number without', 'whose launches it counts'],
    [{ on: {} }, 'on: received {}; allowed: ', 'a list of at most 10 rules'],
    [{ on: [{}] }, 'on.0: received {}; allowed: ', 'at least one of source, detailType, detail'],
    [{ on: [{ source: 5 }] }, 'on.0.source: received 5; allowed: ', '{"prefix": "b"}]'],
    [{ on: [{ sources: 'a' }] }, 'on.0.sources: unknown key; allowed: ', 'source, detailType, detail'],
    [{ on: Array(11).fill({ source: 'a' }) }, 'on: received 11 rules; allowed: ', '10'],
    [{ on: [{ source: 'x'.repeat(5_000) }] }, 'on: received 5015 bytes as JSON; allowed: ', '4096'],
    [{ schedule: { every: 5 } }, 'schedule.every: received 5; allowed: ', ''],
    [{ schedule: { cron: '* * * *' } }, 'schedule.cron: received "* * * *"; allowed: ', 'these are 4 fields'],
    [{ schedule: { every: '1m', tz: 'UTC' } }, 'schedule.tz: unknown key; allowed with every: ', 'every, anchor'],
    [{ code: undefined }, 'code: received nothing; allowed: ', 'JavaScript source text'],
    [{ code: '' }, 'code: received ""; allowed: ', 'not empty'],
    [{ code: ['1'] }, 'code: received ["1"]; allowed: ', 'JavaScript source text'],
    [{ code: 'x'.repeat(TASK_LIMITS.codeBytesMax + 1) }, 'code: received "xxx', 'at most 65536 bytes'],
    // Bytes, not characters.
    [{ code: `'${'ä'.repeat(TASK_LIMITS.codeBytesMax / 2)}'` }, 'code: received "\'äää', 'at most 65536 bytes'],
    [{ input: () => 1 }, 'input: received ', 'JSON'],
    [{ input: { a: Number.NaN } }, 'input: received NaN; allowed: ', 'JSON'],
    [{ input: [new Date(0)] }, 'input: received ', 'JSON'],
    [{ input: 10n }, 'input: received 10n; allowed: ', 'JSON'],
    [{ input: 'ä'.repeat(TASK_LIMITS.inputBytesMax / 2) }, 'input: received "äää', 'at most 32768 bytes'],
    [{ start: '2027-01-01' }, 'start: received "2027-01-01"; allowed: ', INSTANT],
    [{ start: 5 }, 'start: received 5; allowed: ', INSTANT],
    [
      { end: '2027-02-30T00:00:00Z' },
      'end: received "2027-02-30T00:00:00Z"; allowed: ',
      'a date and a time that exist',
    ],
    [{ end: null }, 'end: received null; allowed: ', INSTANT],
    [{ maxRuns: 0 }, 'maxRuns: received 0; allowed: ', 'a whole number from 1 to 1000000000'],
    [{ maxRuns: 1.5 }, 'maxRuns: received 1.5; allowed: ', 'a whole number from 1 to'],
    [{ maxRuns: '5' }, 'maxRuns: received "5"; allowed: ', 'a whole number from 1 to'],
    [{ spread: '25h' }, 'spread: received "25h"; allowed: ', 'a duration of 0s to 1d'],
    [{ spread: 5 }, 'spread: received 5; allowed: ', 'a duration of 0s to 1d'],
    [{ paused: 'no' }, 'paused: received "no"; allowed: ', 'true or false'],
    [{ labels: ['a'] }, 'labels: received ["a"]; allowed: ', 'an object of label names and strings'],
    [{ labels: { 'a b': '' } }, 'labels.a b: received "a b"; allowed: ', 'a label name of 1 to 64 characters'],
    [{ labels: { a: 5 } }, 'labels.a: received 5; allowed: ', 'a string of 0 to 128 characters'],
    [{ labels: { a: 'x'.repeat(129) } }, 'labels.a: received "xxx', 'a string of 0 to 128 characters'],
    [
      { labels: Object.fromEntries(times(17, (i) => `k${i}`).map((k) => [k, ''])) },
      'labels: received {"k0"',
      'at most 16 labels',
    ],
    [{ misfire: 'once' }, 'misfire: received "once"; allowed: ', 'an object with policy, window, max'],
    [{ misfire: { policy: 'twice' } }, 'misfire.policy: received "twice"; allowed: ', '"skip", "once", "all"'],
    [{ misfire: { window: '999ms' } }, 'misfire.window: received "999ms"; allowed: ', 'a duration of 1s to 366d'],
    [{ misfire: { max: 10_001 } }, 'misfire.max: received 10001; allowed: ', 'a whole number from 1 to 10000'],
    [{ misfire: { polcy: 'all' } }, 'misfire.polcy: unknown key; allowed: ', 'policy, window, max'],
    [{ overlap: 'kill' }, 'overlap: received "kill"; allowed: ', '"skip", "queue"'],
    [{ retry: 3 }, 'retry: received 3; allowed: ', 'an object with attempts, backoff, factor, max, jitter'],
    [{ retry: { attempts: 0 } }, 'retry.attempts: received 0; allowed: ', 'a whole number from 1 to 100'],
    [{ retry: { backoff: '2d' } }, 'retry.backoff: received "2d"; allowed: ', 'a duration of 0s to 1d'],
    [{ retry: { factor: 0.5 } }, 'retry.factor: received 0.5; allowed: ', 'a number from 1 to 10'],
    [{ retry: { factor: 11 } }, 'retry.factor: received 11; allowed: ', 'a number from 1 to 10'],
    [{ retry: { max: '8d' } }, 'retry.max: received "8d"; allowed: ', 'a duration of 0s to 7d'],
    [{ retry: { jitter: 1 } }, 'retry.jitter: received 1; allowed: ', 'true or false'],
    [{ retry: { retries: 3 } }, 'retry.retries: unknown key; allowed: ', 'attempts, backoff'],
    [{ timeout: '0s' }, 'timeout: received "0s"; allowed: ', 'a duration of 1ms to 14m'],
    [{ timeout: 10 }, 'timeout: received 10; allowed: ', 'a duration of 1ms to 14m'],
    [{ delivery: 'exactly-once' }, 'delivery: received "exactly-once"; allowed: ', '"at-least-once", "at-most-once"'],
    [{ capabilities: true }, 'capabilities: received true; allowed: ', 'an object with fetch, call'],
    [
      { capabilities: { fetch: 'https://a.b' } },
      'capabilities.fetch: received "https://a.b"; allowed: ',
      'a list of at most 32 origins',
    ],
    [
      { capabilities: { fetch: ['a.b'] } },
      'capabilities.fetch.0: received "a.b"; allowed: ',
      'https://api.example.com',
    ],
    [
      { capabilities: { fetch: ['https://a.b', 'https://a.b/path'] } },
      'capabilities.fetch.1: received "https://a.b/path"; allowed: ',
      'an origin of http or https without path',
    ],
    [
      { capabilities: { fetch: ['https://*.a.b'] } },
      'capabilities.fetch.0: received "https://*.a.b"; allowed: ',
      'there are no wildcards',
    ],
    [{ capabilities: { fetch: [7] } }, 'capabilities.fetch.0: received 7; allowed: ', 'an origin of http or https'],
    [
      { capabilities: { fetch: times(33, (i) => `https://h${i}.b`) } },
      'capabilities.fetch: received ["https',
      'at most 32 origins',
    ],
    [
      { capabilities: { call: [''] } },
      'capabilities.call.0: received ""; allowed: ',
      'a string of 1 to 128 characters',
    ],
    [{ capabilities: { call: times(33, (i) => `f${i}`) } }, 'capabilities.call: received ["f0"', 'at most 32 names'],
    [{ capabilities: { env: [] } }, 'capabilities.env: unknown key; allowed: ', 'fetch, call'],
    [{ history: 201 }, 'history: received 201; allowed: ', 'a whole number from 1 to 200'],
    [{ retries: 3 }, 'retries: unknown key; allowed: ', 'id, schedule, on, code, input'],
    [{ codeFile: './a.js' }, 'codeFile: unknown key; allowed: ', 'code'],
    [{ start: '2027-01-02T00:00:00Z', end: '2027-01-02T00:00:00Z' }, 'end: received ', 'an instant later than start'],
  ];

  test.each(mistakes.map(([change, ...said]) => [received(change), change, ...said] as const))(
    'with %s is refused: field, what was received, what is allowed',
    (_, change, start, end) => {
      const [problem = '', ...more] = problems(change);
      expect(more).toEqual([]);
      expect(problem).toContain(start);
      expect(problem).toContain(end);
      expect(problem).not.toMatch(/Invalid|Too (small|big)/);
      expect(problem.length).toBeLessThan(400);
    },
  );

  test.each([null, undefined, 5, 'text', [], true])('that is %p is refused as a whole', (document) => {
    const error = errorOf(() => parseTask(document));
    expect(error.code).toBe('invalid');
    expect(error.problems.map(({ field }) => field)).toEqual(['']);
    expect(error.message).toContain('allowed: an object with id, schedule, on, code');
  });

  test('with many mistakes names all of them at once', () => {
    const fields = problems({ id: '', schedule: {}, timeout: '1y', retry: { attempts: 0, x: 1 }, foo: 1 });
    expect(fields.map((problem) => problem.split(':')[0]).sort()).toEqual(
      ['foo', 'id', 'retry.attempts', 'retry.x', 'schedule', 'timeout'].sort(),
    );
  });

  test('with a flood of unknown keys is refused in few words', () => {
    const flood = Object.fromEntries(times(10_000, (i) => `key${i}`.repeat(50)).map((key) => [key, 1]));
    expect(problems(flood).length).toBeLessThanOrEqual(10);
    expect(errorOf(() => parseTask({ ...documentOf(), ...flood })).message.length).toBeLessThan(5_000);
  });

  test('takes what is exactly as large as allowed', () => {
    const code = ';'.repeat(TASK_LIMITS.codeBytesMax);
    const input = 'x'.repeat(TASK_LIMITS.inputBytesMax - 2);
    const labels = Object.fromEntries(times(16, (i) => `k${i}`).map((key) => [key, 'v'.repeat(128)]));
    expect(parseTask(documentOf({ id: 'x'.repeat(128), code, input, labels })).task.input).toBe(input);
  });

  // An array within an array, a hundred thousand times: a body of 200 kB.
  test('nested too deeply, or in itself, is refused and overflows no stack', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(problems({ input: deep })[0]).toContain('nested at most 64 levels deep');
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(problems({ input: loop })[0]).toContain('nested at most 64 levels deep');
    expect(errorOf(() => parseTask(documentOf({ labels: deep }))).code).toBe('invalid');
  });

  test('put twice is the same task, whatever JSON its input is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (input) => {
        const record = register(parseTask(documentOf({ input })).task, 0);
        const stored = decodeRecord('task', encodeRecord(record));
        expect(amend(stored, parseTask(documentOf({ input })).task, 1_000)).toBe(stored);
      }),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
    const zero = register(parseTask(documentOf({ input: -0 })).task, 0);
    expect(amend(zero, parseTask(documentOf({ input: -0 })).task, 1)).toBe(zero);
  });

  test('is read or refused, whatever it is', () => {
    const keys = ['id', 'schedule', 'code', 'misfire', 'retry', 'labels', 'start', 'history', 'capabilities', 'other'];
    const documents = fc.dictionary(fc.constantFrom(...keys), fc.anything());
    fc.assert(
      fc.property(documents, (change) => {
        try {
          parseTask({ ...documentOf(), ...change } as TaskDocument);
        } catch (error) {
          expect(error).toMatchObject({ name: 'CronkeeperError', code: 'invalid' });
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 2_000 },
    );
  });
});

describe('the id of a task', () => {
  test.each(['a', '0', '-', '_', '...', 'daily-report', 'A.b_C-9', 'x'.repeat(128)])('may be %s', (id) => {
    expect(() => assertTaskId(id)).not.toThrow();
    expect(() => assertTaskId(id)).not.toThrow();
  });

  test.each(['', '.', '..', 'a/b', 'a b', 'a@b', 'a\0', 'ä', 'a\n', 'x'.repeat(129)])('may not be %j', (id) => {
    expect(() => assertTaskId(id)).toThrow(/received .*; allowed: /);
    const error = errorOf(() => assertTaskId(id));
    expect(error.problems.map(({ field }) => field)).toEqual(['id']);
    expect(error.message).toContain('received');
  });
});

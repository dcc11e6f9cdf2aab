import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { register } from '../../src/edit.ts';
import { createLayout } from '../../src/layout.ts';
import { encodeRecord } from '../../src/record-text.ts';
import {
  codeNamedBy,
  decodeCursor,
  dueHints,
  encodeCursor,
  hashesIn,
  hintOps,
  isOver,
  namedBy,
  replacedCode,
  START,
} from '../../src/retention.ts';
import { bucketNames } from '../../src/shard.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { taskOf } from '../support/task-records.ts';

const layout = createLayout('test', 3);
const hashes = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });

describe('hashes in a text', () => {
  test('are found wherever they are, also next to other digits', () => {
    fc.assert(
      fc.property(fc.string(), hashes, fc.string({ unit: fc.constantFrom(...'01af') }), (before, hash, digits) => {
        expect(hashesIn(`${before}${digits}${hash}${digits}${before}`)).toContain(hash);
      }),
      { seed: PROPERTY_SEED, numRuns: 300 },
    );
  });

  test('are none in a text of shorter rows', () => {
    expect(hashesIn(`${'a'.repeat(31)} ${'0'.repeat(31)}`)).toEqual(new Set());
  });
});

describe('a hint', () => {
  const hash = 'a'.repeat(32);

  test('says once what was dropped, under a name that tells when', () => {
    const [hint, ...more] = hintOps(layout, 1_000.5, () => 'm1', [hash, hash]);
    expect(more).toEqual([]);
    expect(hint).toEqual({ op: 'create', path: `${layout.dropped}/1000-m1`, data: hash });
  });

  test('is not made where nothing was dropped', () => {
    expect(hintOps(layout, 1_000, () => 'm1', [])).toEqual([]);
  });

  test('waits for the end of its grace, and older ones come first', () => {
    const names = ['5000-b', '900-a', '6001-c', '6000-d'];
    expect(dueHints(names, 7_000, 1_000)).toEqual(['900-a', '5000-b', '6000-d']);
  });

  test('is dropped by an edit of the code, and by no other', () => {
    const before = register(taskOf(), 0);
    const other = { ...before, task: { ...before.task, code: { ...before.task.code, hash } } };
    expect(replacedCode(before, other)).toEqual([before.task.code.hash]);
    expect(replacedCode(before, { ...before, task: { ...before.task, paused: true } })).toEqual([]);
    expect(replacedCode(undefined, other)).toEqual([]);
  });
});

describe('what a record names', () => {
  const hash = 'b'.repeat(32);
  const older = 'c'.repeat(32);
  const base = register(taskOf(), 0);
  const run = {
    slotMs: 1,
    attempt: 1,
    status: 'succeeded',
    startedMs: 1,
    finishedMs: 1,
    fence: 1,
    revision: 1,
  } as const;
  const record = {
    ...base,
    task: { ...base.task, code: { ...base.task.code, hash } },
    runs: [{ ...run, code: older }],
    chunks: [{ index: 4, count: 2 }],
  };
  const { id } = base.task;

  test('is the code of its task, of its runs, and what its chunks may name', () => {
    const named = namedBy(id, encodeRecord(record), new Set([hash, older, 'd'.repeat(32)]));
    expect(named).toEqual({
      hashes: new Map([
        [hash, 'task'],
        [older, 'history'],
      ]),
      chunks: [4],
    });
    expect(codeNamedBy(record)).toEqual([hash, older]);
  });

  test('is all that its text contains where it cannot be read', () => {
    const named = namedBy(id, encodeRecord(record).slice(1), new Set([hash]));
    expect(named).toEqual({ hashes: new Map([[hash, 'history']]), chunks: undefined });
  });
});

describe('the cursor of a pass', () => {
  test('comes back as it went, and begins again where it is damaged', () => {
    const cursor = { bucket: 17, after: 'some-task' };
    expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
    for (const text of ['', '{', 'null', '{"bucket":-1,"after":""}', '{"bucket":1}']) {
      expect(decodeCursor(text)).toEqual(START);
    }
  });

  test('is over behind the last bucket, and not in it', () => {
    expect(isOver({ bucket: bucketNames.length - 1, after: 'z' })).toBe(false);
    expect(isOver({ bucket: bucketNames.length, after: '' })).toBe(true);
  });
});

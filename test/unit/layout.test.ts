import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertMulti, assertPath } from '../../src/coordinator/limits.ts';
import { COORDINATOR_LIMITS } from '../../src/coordinator.ts';
import {
  createLayout,
  decodeDueEntry,
  decodeJournal,
  dueMinute,
  encodeDueEntry,
  encodeJournal,
  NAMESPACE_PATTERN,
  namespaceOps,
  pageFirstDueMs,
  pageName,
} from '../../src/layout.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';

const LAST_MS = 253_402_300_799_999;
const taskIds = fc
  .string({ unit: fc.constantFrom(...'abzAZ09._-'), minLength: 1, maxLength: 128 })
  .filter((id) => id !== '.' && id !== '..');
const instants = fc.integer({ min: 0, max: LAST_MS });

describe('a due entry', () => {
  const entries = fc.record({
    taskId: taskIds,
    dueMs: instants,
    timer: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  });

  test('comes back from its line as it went, whatever the id has in it', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(decodeDueEntry(encodeDueEntry(entry))).toEqual(entry);
        expect(encodeDueEntry(entry)).not.toContain('\n');
      }),
      { seed: PROPERTY_SEED, numRuns: 1_000 },
    );
  });

  test.each([
    '',
    '-',
    '--',
    '5',
    '5-',
    '5-1',
    '5-1-',
    '-1-a',
    'x-1-a',
    '5-!-a',
    '1e400-1-a',
    '5-1-a/b',
    '5-1-..',
    '5-1-a b',
    `5-1-${'x'.repeat(129)}`,
  ])('is not made of %j', (line) => {
    expect(decodeDueEntry(line)).toBeUndefined();
  });

  test('of any text is an entry or none', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        const entry = decodeDueEntry(line);
        if (entry !== undefined) expect(() => assertPath(createLayout('n', 1).task(entry.taskId))).not.toThrow();
      }),
      { seed: PROPERTY_SEED, numRuns: 2_000 },
    );
  });
});

describe('the directories of a moment', () => {
  test('sort as text the way the moments do, up to the year 9999', () => {
    const order = (ms: number) => `${dueMinute(ms).day}/${dueMinute(ms).minute}`;
    fc.assert(
      fc.property(instants, instants, (a, b) => {
        if (Math.floor(a / 60_000) < Math.floor(b / 60_000)) expect(order(a) < order(b)).toBe(true);
        else if (Math.floor(a / 60_000) === Math.floor(b / 60_000)) expect(order(a)).toBe(order(b));
      }),
      { seed: PROPERTY_SEED, numRuns: 2_000 },
    );
    expect([dueMinute(0), dueMinute(LAST_MS)]).toEqual([
      { day: '0000000', minute: '0000' },
      { day: '2932896', minute: '1439' },
    ]);
  });
});

describe('the name of a page', () => {
  test('tells its first entry, and by its maker is nobody else’s', () => {
    expect(pageName(5, '0.1.a')).not.toBe(pageName(5, '0.1.b'));
    fc.assert(
      fc.property(instants, (ms) => {
        expect(pageFirstDueMs(pageName(ms, '3.1f.0'))).toBe(ms);
      }),
      { seed: PROPERTY_SEED },
    );
  });
});

describe('a journal', () => {
  const entries = fc.record({
    taskId: taskIds,
    slotMs: instants,
    attempt: fc.integer({ min: 1, max: 999_999_999 }),
    isManual: fc.boolean(),
  });

  test('comes back as it went', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 20 }), (launches) => {
        expect(decodeJournal(encodeJournal(launches))).toEqual(launches);
      }),
      { seed: PROPERTY_SEED, numRuns: 500 },
    );
  });

  test('that is damaged tells what can still be read: a takeover must not fail', () => {
    expect(decodeJournal('')).toEqual([]);
    expect(decodeJournal('garbage\n5-1-a\n\n-1-1-b\n6-x-c\n7-2-d/e\n8-3-f-g\n9-1m-h')).toEqual([
      { slotMs: 5, attempt: 1, isManual: false, taskId: 'a' },
      { slotMs: 8, attempt: 3, isManual: false, taskId: 'f-g' },
      { slotMs: 9, attempt: 1, isManual: true, taskId: 'h' },
    ]);
  });
});

describe('the nodes of a namespace', () => {
  const name = 'n'.repeat(64);
  const layout = createLayout(name, 256);

  test('have paths that every coordinator takes, for the longest of names too', () => {
    const id = 'x'.repeat(128);
    const paths = [
      ...[layout.task(id), layout.chunk(id, 200), layout.dead(id, LAST_MS), layout.code('f'.repeat(32))],
      ...[layout.lock(255), layout.epoch(255), layout.doorbell(255), layout.journal(255), layout.due(255)],
    ];
    for (const path of paths) {
      expect(() => assertPath(path)).not.toThrow();
      expect(path.startsWith(`/cronkeeper/${name}/`)).toBe(true);
      // Room for a chroot.
      expect(path.length).toBeLessThan(COORDINATOR_LIMITS.pathLengthMax - 200);
    }
    expect(new Set(paths).size).toBe(paths.length);
  });

  test('are made in one transaction, parents first, however many the shards', () => {
    const ops = namespaceOps(name, 256, '{}');
    expect(() => assertMulti(ops)).not.toThrow();
    const made = new Set(['/cronkeeper']);
    for (const { path } of ops) {
      expect(made).toContain(path.slice(0, path.lastIndexOf('/')));
      made.add(path);
    }
    expect(made.size).toBe(ops.length + 1);
  });

  test.each(['', 'a/b', '.', '..', 'a b', 'ä', 'x'.repeat(65)])('are not made under %j', (namespace) => {
    expect(NAMESPACE_PATTERN.test(namespace)).toBe(false);
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { register } from '../../src/edit.ts';
import { decodeChunk, encodeChunk, INLINE_CHARS_MAX, INLINE_RUNS_MAX, recordRuns } from '../../src/history.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { taskOf } from '../support/task-records.ts';

const runOf = (slotMs: number, logChars = 0): RunRecord => ({
  slotMs,
  attempt: 1,
  status: 'succeeded',
  startedMs: slotMs,
  finishedMs: slotMs,
  fence: 1,
  revision: 1,
  ...(logChars > 0 && { logs: ['x'.repeat(logChars)] }),
});

/** A record, its chunks as they are stored, and everything that was ever added, oldest first. */
class Store {
  record: TaskRecord;
  readonly chunks = new Map<number, string>();
  readonly added: RunRecord[] = [];
  writes = 0;

  constructor(history: number) {
    this.record = register(taskOf({ history }), 0);
  }

  keep(history: number): void {
    this.record = { ...this.record, task: { ...this.record.task, history } };
  }

  add(logChars: readonly number[]): void {
    const runs = logChars.map((chars, i) => runOf(this.added.length + i, chars));
    const { record, history } = recordRuns(this.record, runs);
    this.added.push(...runs);
    this.record = record;
    for (const index of history.removed) {
      expect(this.chunks.delete(index)).toBe(true);
      this.writes++;
    }
    if (history.write === undefined) return;
    const { index, runs: moved, exists } = history.write;
    // A commit creates or sets by this: were it wrong, the commit would be refused.
    expect(this.chunks.has(index)).toBe(exists);
    this.chunks.set(index, encodeChunk(moved));
    this.writes++;
  }

  /** As a reader puts it together: newest first. */
  get kept(): RunRecord[] {
    return [
      ...this.record.runs,
      ...this.record.chunks.flatMap(({ index }) => decodeChunk(this.chunks.get(index) ?? '')),
    ];
  }
}

describe('the history of a task', () => {
  const logChars = fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
  );
  const deed = fc.oneof(
    { weight: 9, arbitrary: fc.array(logChars, { maxLength: 5 }).map((runs) => ({ runs })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }).map((history) => ({ history })) },
  );

  test('keeps the newest runs in order, as many as it is to keep, whatever is added and however the number changes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(deed, { maxLength: 120, size: 'max' }),
        (history, deeds) => {
          const store = new Store(history);
          // What was dropped under a smaller number does not come back under a larger one.
          let owed = 0;
          for (const each of deeds) {
            if ('history' in each) store.keep(each.history);
            else store.add(each.runs);
            const { task, runs, chunks } = store.record;
            owed = Math.min(owed + ('runs' in each ? each.runs.length : 0), task.history);
            const { kept } = store;
            expect(kept.map(({ slotMs }) => slotMs)).toEqual(
              Array.from({ length: kept.length }, (_, i) => store.added.length - 1 - i),
            );
            expect(kept.length).toBeGreaterThanOrEqual(owed);
            expect([...store.chunks.keys()].sort()).toEqual(chunks.map(({ index }) => index).sort());
            expect(runs.length).toBeLessThanOrEqual(INLINE_RUNS_MAX);
            if (store.added.length > 0) expect(runs.length).toBeGreaterThan(0);
          }
        },
      ),
      { seed: PROPERTY_SEED, numRuns: 150 },
    );
  });

  test('is a bounded number of nodes under names that are used again', () => {
    for (const history of [1, 20, 200]) {
      for (const chars of [0, 300, 5_000]) {
        const store = new Store(history);
        for (let i = 0; i < 1_000; i++) store.add([chars]);
        // Without its oldest chunk, too little would be left once the record is at its smallest.
        const withoutOldest = 1 + store.record.chunks.slice(0, -1).reduce((sum, { count }) => sum + count, 0);
        if (store.record.chunks.length > 1) expect(withoutOldest).toBeLessThan(history);
        expect(Math.max(...store.chunks.keys())).toBeLessThanOrEqual(history);
      }
    }
  });

  test('of short runs costs one more write in eight', () => {
    const store = new Store(20);
    for (let i = 0; i < 800; i++) store.add([0]);
    expect(store.writes).toBeLessThanOrEqual(800 / (INLINE_RUNS_MAX - 1) + 1);
  });

  test('of runs that say much does not swell the record', () => {
    const store = new Store(20);
    for (let i = 0; i < 50; i++) {
      store.add([INLINE_CHARS_MAX - 500]);
      expect(JSON.stringify(store.record.runs).length).toBeLessThan(INLINE_CHARS_MAX);
    }
    // A run that is larger by itself stays, and the others make room for it.
    store.add([3 * INLINE_CHARS_MAX]);
    expect(store.record.runs).toHaveLength(1);
    expect(store.kept.length).toBeGreaterThanOrEqual(20);
  });

  test('of a commit that adds nothing is left alone', () => {
    const record = register(taskOf(), 0);
    expect(recordRuns(record, [])).toEqual({ record, history: { removed: [] } });
  });
});

describe('a chunk of runs', () => {
  test('comes back as it went', () => {
    const runs = [runOf(3, 10), { ...runOf(2), output: { ü: '\u2028' }, retryMs: 9 }, runOf(1)];
    expect(decodeChunk(encodeChunk(runs))).toEqual(runs);
  });

  test.each(['', 'x', '{}', 'null', '5', '[null, 5, "x", {}, {"slotMs":"1"}]'])(
    'that reads %j holds no runs',
    (text) => {
      expect(decodeChunk(text)).toEqual([]);
    },
  );
});

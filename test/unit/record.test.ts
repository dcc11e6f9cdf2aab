import { describe, expect, test } from '@jest/globals';
import { ask, pause, register, remove } from '../../src/edit.ts';
import { plan } from '../../src/plan.ts';
import { rearm, type TaskRecord } from '../../src/record.ts';
import { RECORD_VERSION } from '../../src/record-form.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { settle } from '../../src/settle.ts';
import { taskView } from '../../src/view.ts';
import { errorOf } from '../support/error-of.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;

/** A record with everything that a record can have. */
function fullRecord(): TaskRecord {
  const task = taskOf({
    input: { text: 'ü\u2028"\\' },
    labels: { a: 'b' },
    start: '2026-01-01T00:00:00Z',
    end: '2030-01-01T00:00:00Z',
    maxRuns: 9,
    overlap: 'queue',
  });
  const first = register(task, START_MS);
  const when = { finishedMs: SLOT_MS + 130_000, fence: 3, createdMs: first.createdMs, revision: first.revision };
  const run = (record: TaskRecord, outcome = succeeding({ state: [1], output: 'o' })) => {
    const { skipped, launch } = decided(record, record.dueMs as number);
    if (launch === undefined) throw new Error('nothing is launched');
    return settle(record, { skipped, launch, outcome, startedMs: record.dueMs as number, ...when }).record;
  };
  const second = run(run(first), { ...failing('Thrown', ['line']), truncated: true });
  const asked = ask(second, SLOT_MS + 200_000, { key: 'k', input: { b: 1 } }).record;
  const backfill = {
    key: 'b',
    askedMs: SLOT_MS,
    fromMs: 0,
    untilMs: SLOT_MS - 60_000,
    count: 2,
    next: { slotMs: SLOT_MS + 300_000, forSlotMs: SLOT_MS - 120_000 },
  };
  return rearm({ ...asked, backfill, chunks: [{ index: 0, count: 3 }], deadSlots: [SLOT_MS - 1] });
}

describe('a record', () => {
  test('comes back from its node as it went', () => {
    for (const record of [fullRecord(), pause(fullRecord(), 5), remove(fullRecord(), 5), register(taskOf(), 0)]) {
      expect(decodeRecord('task', encodeRecord(record))).toEqual(record);
    }
    expect(fullRecord()).toMatchObject({
      retry: { attempt: 2 },
      busy: [{}],
      manual: [{ key: 'k' }],
      decidedMs: SLOT_MS + 60_000,
    });
  });

  test.each([
    ['nothing', '', 'holds no JSON'],
    ['half of one', encodeRecord(fullRecord()).slice(0, 200), 'holds no JSON'],
    ['a number', '5', 'holds no object'],
    ['null', 'null', 'holds no object'],
    ['a list', '[]', 'holds no object'],
    ['an object of somebody else', '{"hello":1}', 'its record has version none'],
    [
      'one from the future',
      JSON.stringify({ ...fullRecord(), v: 3 }),
      'its record has version 3; this program reads version 2',
    ],
    ['one whose version is text', JSON.stringify({ ...fullRecord(), v: '1' }), 'its record has version "1"'],
    ['that of another task', encodeRecord(register(taskOf({ id: 'other' }), 0)), 'belongs to no task or to another'],
    ['one without a task', JSON.stringify({ v: RECORD_VERSION }), 'belongs to no task'],
  ])('that is %s is refused and left alone, with a reason', (_, text, reason) => {
    const error = errorOf(() => decodeRecord('task', text));
    expect(error.code).toBe('corrupt');
    expect(error.message).toContain('task task: ');
    expect(error.message).toContain(reason);
  });

  /** Everything that an engine does with a record that it has read. */
  function use(record: TaskRecord): void {
    const decision = plan(record, SLOT_MS + 600_000);
    taskView(record);
    if (decision.do !== 'decide') return;
    const { skipped, launch } = decision;
    const when = {
      startedMs: SLOT_MS,
      finishedMs: SLOT_MS,
      fence: 1,
      createdMs: record.createdMs,
      revision: record.revision,
    };
    const run = launch === undefined ? {} : { launch, outcome: failing() };
    encodeRecord(settle(record, { skipped, ...run, ...when }).record);
  }

  const WRONG = [null, 'text', -1.5, [], {}, true] as const;
  const paths = (value: object, path: readonly string[] = []): string[][] =>
    Object.entries(value).flatMap(([key, child]) => [
      [...path, key],
      ...(typeof child === 'object' && child !== null && !Array.isArray(child) && path.length < 1
        ? paths(child, [...path, key])
        : []),
    ]);
  const without = (record: TaskRecord, [first = '', second]: readonly string[], value: unknown): string => {
    const copy = JSON.parse(encodeRecord(record)) as Record<string, Record<string, unknown>>;
    if (second === undefined) copy[first] = value as Record<string, unknown>;
    else (copy[first] as Record<string, unknown>)[second] = value;
    return JSON.stringify(copy);
  };

  // Whoever edits a node by hand must not stop the tick, which holds the tasks of others too.
  test.each(paths(fullRecord()).map((path) => ({ name: path.join('.'), path })))(
    'in which $name is missing or something else is refused, or can be worked with',
    ({ path }) => {
      for (const value of [undefined, ...WRONG]) {
        for (const base of [fullRecord(), rearm({ ...fullRecord(), manual: [] }), register(taskOf(), START_MS)]) {
          if (path.length === 2 && !((path[0] as string) in base)) continue;
          let record: TaskRecord;
          try {
            record = decodeRecord('task', without(base, path, value));
          } catch (error) {
            expect(error).toMatchObject({ code: 'corrupt' });
            continue;
          }
          expect(() => use(record)).not.toThrow();
        }
      }
    },
  );
});

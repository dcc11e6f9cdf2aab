import { describe, expect, test } from '@jest/globals';
import { pause, register } from '../../src/edit.ts';
import { decodeChunk, encodeChunk } from '../../src/history.ts';
import { runsIn, type TaskRecord } from '../../src/record.ts';
import { decodeForLaunch, decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { type Done, decidedAt, isRecorded, settle } from '../../src/settle.ts';
import { errorOf } from '../support/error-of.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');

/** What a `"runs":[` and line ends in a task's own texts must not confuse. */
const HOSTILE = { text: '"},\n"runs":[\n{"slotMs":1}\n]}', spreadMs: 5, runs: [{}] };

/** The next launch of the task, with an outcome that says more or less. */
function launchOf(record: TaskRecord, i: number): Done {
  const dueMs = record.dueMs as number;
  const { skipped, launch } = decided(record, dueMs);
  const outcome =
    i % 5 === 4
      ? failing('Thrown', ['a line\n,\n"'])
      : succeeding({ state: i, output: 'x'.repeat(i % 9 === 8 ? 4_000 : 0) });
  const moving = i % 7 === 6 ? { ...outcome, nextAt: dueMs + 90_000 } : outcome;
  const when = { ...decidedAt(record, 3, dueMs), finishedMs: dueMs + 5 };
  return { skipped, ...(launch !== undefined && { launch, outcome: moving }), ...when };
}

const withRuns = (count: number): string => {
  let text = encodeRecord(register(taskOf({ input: HOSTILE, labels: { spreadMs: '},\n' } }), START_MS));
  for (let i = 0; i < count; i++)
    text = encodeRecord(settle(decodeForLaunch('task', text), launchOf(decodeForLaunch('task', text), i)).record);
  return text;
};

describe('the lines of a record', () => {
  test('are JSON without what goes without saying, and say what an older program said in full', () => {
    for (const count of [0, 3]) {
      const text = withRuns(count);
      const record = decodeRecord('task', text);
      expect(Object.keys(JSON.parse(text))).not.toContain('manual');
      expect(JSON.parse(text).settings).toEqual({ labels: { spreadMs: '},\n' } });
      expect(record.task.input).toEqual(HOSTILE);
      const older = JSON.stringify({ ...record, v: 1 });
      expect(older).toContain('"misfire":{"policy":"once"');
      for (const decode of [decodeRecord, decodeForLaunch]) {
        expect(decode('task', older)).toEqual(record);
        expect(encodeRecord(decode('task', older))).toBe(text);
      }
    }
  });

  test('keep a task whose fields are not the usual ones, in the order of a new one', () => {
    const task = taskOf({ history: 7, paused: true, retry: { attempts: 1 }, input: HOSTILE });
    const record = pause(register(task, START_MS), START_MS);
    const read = decodeRecord('task', encodeRecord(record));
    expect(read).toEqual(record);
    expect(read.dueMs).toBeUndefined();
    expect(JSON.stringify(read.task)).toBe(JSON.stringify(record.task));
  });

  test('say the same to a launch, which leaves the runs unread, and are written as they were', () => {
    for (const count of [0, 1, 5]) {
      const text = withRuns(count);
      const { runs, ...rest } = decodeRecord('task', text);
      const { runs: read, unread, ...launched } = decodeForLaunch('task', text);
      expect(launched).toEqual(rest);
      expect([read, unread?.runs.length ?? 0]).toEqual([[], count]);
      expect(runsIn(decodeForLaunch('task', text))).toEqual(runs);
      expect(encodeRecord(decodeForLaunch('task', text))).toBe(text);
      const task = { ...launched.task, paused: true };
      expect(decodeRecord('task', encodeRecord({ ...decodeForLaunch('task', text), task })).task).toEqual(task);
    }
  });

  test('are told from the same JSON in one line, of which a launch would carry along what it changes', () => {
    const begun = register(taskOf({ retry: { attempts: 2 } }), START_MS);
    const failed = { ...launchOf(begun, 0), outcome: failing('Thrown', []) };
    const { retry, ...record } = settle(begun, failed).record;
    const text = JSON.stringify(JSON.parse(encodeRecord({ ...record, runs: [], retry } as TaskRecord)));
    expect(text).toMatch(/\}\}$/);
    const waiting = decodeForLaunch('task', text);
    const after = settle(waiting, launchOf(waiting, 0)).record;
    expect([waiting.retry, after.retry]).toEqual([retry, undefined]);
    expect(decodeRecord('task', encodeRecord(after))).toEqual(after);
  });

  test('become what they would have become with all runs read, launch after launch', () => {
    let text = withRuns(0);
    let moved = 0;
    for (let i = 0; i < 60; i++) {
      const [whole, launched] = [decodeRecord('task', text), decodeForLaunch('task', text)];
      const done = launchOf(whole, i);
      const [a, b] = [settle(whole, done), settle(launched, done)];
      text = encodeRecord(b.record);
      expect(decodeRecord('task', text)).toEqual(decodeRecord('task', encodeRecord(a.record)));
      expect(b.history).toEqual(a.history);
      expect([isRecorded(launched, done), isRecorded(decodeForLaunch('task', text), done)]).toEqual([false, true]);
      if (b.history.write !== undefined && ++moved)
        expect(decodeChunk(encodeChunk(b.history.write.runs))).toHaveLength(b.record.chunks[0]?.count ?? 0);
    }
    expect(moved).toBeGreaterThan(3);
  });

  test.each<[string, (text: string) => string]>([
    ['another task', (text) => text.replace('"id":"task"', '"id":"other"')],
    ['another version', (text) => text.replace('{"v":2,', '{"v":3,')],
    ['a setting of another kind', (text) => text.replace('"labels":{', '"overlap":5,"labels":{')],
    ['a number that is none', (text) => text.replace('"timer":', '"timer":-')],
    ['half a line', (text) => text.replace(/"revision":.*/, '"revision":1')],
    ['half a run', (text) => text.slice(0, -40)],
    ['something else than a run', (text) => text.replace(/\n\{"slotMs"[^\n]*\n/, '\n"run",\n')],
  ])('with %s are refused as corrupt, however they are read', (_, damage) => {
    const text = damage(withRuns(3));
    expect(errorOf(() => decodeRecord('task', text)).code).toBe('corrupt');
    expect(errorOf(() => decodeForLaunch('task', text)).code).toBe('corrupt');
  });

  test('with a run that makes no sense hold up no launch: it is left out where runs are looked at', () => {
    const text = withRuns(3).replace(/"slotMs":\d+/, '"slotMs":"?"');
    expect(errorOf(() => decodeRecord('task', text)).code).toBe('corrupt');
    let record = decodeForLaunch('task', text);
    expect(runsIn(record)).toHaveLength(2);
    for (let i = 0; i < 8; i++) record = settle(record, launchOf(record, i)).record;
    expect(decodeRecord('task', encodeRecord(record)).runs.length).toBeGreaterThan(0);
  });
});

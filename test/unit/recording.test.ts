import { describe, expect, test } from '@jest/globals';
import { amend, pause, register, remove, resume } from '../../src/edit.ts';
import { DEFAULT_LIMITS, type RecordedAnswer, type Run } from '../../src/evaluator.ts';
import { charsOf } from '../../src/history.ts';
import { NOTHING_KNOWN, prepare } from '../../src/item.ts';
import type { Outcome } from '../../src/launch.ts';
import { createLayout } from '../../src/layout.ts';
import type { Lease } from '../../src/lease.ts';
import { programOf } from '../../src/program.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { attemptOf, differencesOf, givenOf, recordingOf, runOf, SEEN_BYTES_MAX } from '../../src/recording.ts';
import { type Done, settle } from '../../src/settle.ts';
import { isRunSound } from '../../src/soundness.ts';
import { runView } from '../../src/view.ts';
import { errorOf } from '../support/error-of.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;
const SOURCE = '({ output: ctx.slot })';
const NO_MANIFEST = { fetch: [], call: [] };

const registered = (document: Parameters<typeof taskOf>[0] = {}): TaskRecord =>
  register(taskOf({ code: SOURCE, ...document }), START_MS);

/** The run that a dispatcher would make of the task's first launch. */
const firstRun = ({ task, state }: TaskRecord, rest: Partial<Run> = {}): Run => ({
  ...attemptOf(task, { slotMs: SLOT_MS, attempt: 1, fence: 3 }, { input: task.input, state }),
  program: programOf(SOURCE),
  nowMs: SLOT_MS + 2,
  capabilities: {},
  ...rest,
});

const fetchOf: NonNullable<Run['fetch']> = () => Promise.reject(new Error('not to be called'));

const answer = (chars: number): RecordedAnswer => ({
  call: 1,
  request: '0123456789abcdef',
  atMs: 1.5,
  answer: `V"${'x'.repeat(chars)}"`,
});

describe('what a run was given', () => {
  const record = registered();

  test('is its code, and a moment, where all else can be found: 60 bytes at most', () => {
    const given = givenOf(firstRun(record), NO_MANIFEST, {}, {}, SLOT_MS + 11);
    expect(given).toEqual({ code: record.task.code.hash, waitedMs: 9 });
    expect(JSON.stringify(given).length).toBeLessThanOrEqual(60);
    expect(givenOf(firstRun(record), NO_MANIFEST, {}, {}, SLOT_MS + 2)).toEqual({ code: record.task.code.hash });
  });

  test('is granted what it could use, and not what its manifest asks for in vain', () => {
    const manifest = { fetch: ['https://a.example'], call: ['one', 'two'] };
    const granted = (rest: Partial<Run>) => givenOf(firstRun(record, rest), manifest, {}, {}, 0).granted;
    const capabilities = { two: () => 2 };
    expect(granted({})).toBeUndefined();
    expect(granted({ capabilities })).toEqual({ fetch: [], call: ['two'] });
    expect(granted({ fetch: fetchOf })).toEqual({ fetch: ['https://a.example'], call: [] });
    expect(granted({ fetch: fetchOf, capabilities })).toEqual({ fetch: ['https://a.example'], call: ['two'] });
  });

  test('is seen: a state, an input of its own (also null), and answers', () => {
    const seen = (state: unknown, manual: { input?: unknown } | undefined, answers?: RecordedAnswer[]) => {
      const launch = manual === undefined ? {} : { manual: { slotMs: SLOT_MS, ...manual } };
      const started = answers === undefined ? {} : { answers };
      return givenOf(firstRun({ ...record, state }), NO_MANIFEST, launch, started, 0).seen;
    };
    expect(seen(null, {})).toBeUndefined();
    expect(seen(0, undefined)).toEqual({ state: 0 });
    expect(seen(null, { input: null })).toEqual({ input: null });
    expect(seen(null, undefined, [])).toEqual({ answers: [] });
    expect(seen({ a: 1 }, { input: 2 }, [answer(3)])).toEqual({ state: { a: 1 }, input: 2, answers: [answer(3)] });
  });

  test.each(['x', 'ü', '€', '😀'])('is seen up to a number of bytes, also of %s', (character) => {
    const around = JSON.stringify({ state: '' }).length;
    const size = Buffer.byteLength(character);
    const most = character.repeat(Math.floor((SEEN_BYTES_MAX - around) / size));
    const seen = (state: string) => givenOf(firstRun({ ...record, state }), NO_MANIFEST, {}, {}, 0).seen;
    expect(seen(most)).toEqual({ state: most });
    expect(seen(most + character)).toBe('too-large');
    expect(givenOf(firstRun(record), NO_MANIFEST, {}, { answers: 'too-large' }, 0).seen).toBe('too-large');
  });
});

describe('a run made of its recording', () => {
  const run = firstRun({ ...registered({ timeout: '3s' }), state: { n: 1 } }, { fetch: fetchOf });

  test('is the same run, without anybody to ask', () => {
    const recording = recordingOf(run, [answer(3)]);
    if (recording === 'too-large') throw new Error(recording);
    const { fetch: _, ...alone } = run;
    expect(runOf(JSON.parse(JSON.stringify(recording)))).toEqual({ ...alone, answers: [answer(3)] });
    expect(run.limits).toEqual({ ...DEFAULT_LIMITS, wallMs: 3_000, cpuMs: 3_000 });
    const changed = runOf(recording, { code: '2', input: 5, state: null });
    expect(changed).toMatchObject({ program: { source: '2' }, context: { input: 5, state: null, slotMs: SLOT_MS } });
  });

  test('has answers even if it made no call: nobody is to be asked now either', () => {
    const recording = recordingOf(run);
    expect(recording !== 'too-large' && runOf(recording).answers).toEqual([]);
  });
});

describe('the end of a repetition', () => {
  const record = registered({ retry: { attempts: 1 } });
  const recordedAs = (outcome: Outcome): RunRecord => {
    const { skipped, launch } = decided(record, SLOT_MS);
    const when = {
      startedMs: SLOT_MS,
      finishedMs: SLOT_MS,
      fence: 1,
      createdMs: record.createdMs,
      revision: record.revision,
    };
    const { run } = settle(record, { skipped, ...(launch !== undefined && { launch }), outcome, ...when });
    return JSON.parse(JSON.stringify(run));
  };
  const differing = (recorded: Outcome, replayed: Outcome): string[] =>
    differencesOf(recordedAs(recorded), replayed).map(({ field }) => field);
  const ends: Outcome[] = [
    succeeding(),
    succeeding({ output: [1, { a: -0 }], state: 5 }),
    succeeding('x'.repeat(20_000)),
    { ...succeeding({ nextAt: 'tomorrow' }), logs: ['mine'], truncated: true },
    { ...succeeding({ nextAt: 5 }), truncated: true },
    failing('Thrown', ['a', 'b']),
    failing('Timeout'),
  ];

  test.each([...ends.keys()])('is no other when it is the same (%i)', (i) => {
    for (const [k, other] of ends.entries()) {
      const fields = differing(ends[i] as Outcome, other);
      if (k === i) expect(fields).toEqual([]);
      else expect(fields.length).toBeGreaterThan(0);
    }
  });

  test('differs in what it differs', () => {
    expect(differing(succeeding(1), succeeding(2))).toEqual(['output']);
    expect(differing(succeeding(1), { ...succeeding(1), logs: ['new'] })).toEqual(['logs']);
    expect(differing({ ...succeeding(1), logs: ['old'] }, succeeding(1))).toEqual(['logs']);
    expect(differing(failing(), failing('Memory'))).toEqual(['error']);
    expect(differing(succeeding(), { ...succeeding(), truncated: true })).toEqual(['truncated']);
  });
});

describe('the revision that brought the input', () => {
  const inputs = (record: TaskRecord) => record.inputRevision ?? 1;
  const put = (record: TaskRecord, input: unknown, rest = {}) =>
    amend(record, taskOf({ code: SOURCE, input, ...rest }), START_MS + 1);

  test('moves with the input, and with nothing else', () => {
    const first = registered({ input: { a: 1 } });
    const later = resume(pause(put(first, { a: 1 }, { schedule: { every: '2m' } }), 2), 3);
    expect([inputs(first), inputs(later), later.revision]).toEqual([1, 1, 4]);
    const changed = put(later, { a: 2 });
    expect([inputs(changed), changed.revision]).toEqual([5, 5]);
    const back = put(pause(changed, 6), { a: 1 });
    expect([inputs(back), back.revision]).toEqual([7, 7]);
    expect(inputs(put(back, { a: 1 }, { timeout: '1s' }))).toBe(7);
  });

  test('counts on when a task is made anew', () => {
    const removed = remove(put(registered({ input: 1 }), 2), START_MS + 2);
    expect([inputs(put(removed, 2)), inputs(put(removed, 1))]).toEqual([2, 4]);
  });
});

describe('a record', () => {
  const record = registered({ retry: { attempts: 1 } });
  const given = givenOf(
    firstRun({ ...record, state: 's' }, { fetch: fetchOf }),
    { fetch: ['https://a.example'], call: [] },
    {},
    { answers: [answer(20)] },
    SLOT_MS + 7,
  );

  function done(outcome: Outcome = succeeding()): Done {
    const { skipped, launch } = decided(record, SLOT_MS);
    const when = {
      startedMs: SLOT_MS + 7,
      finishedMs: SLOT_MS + 8,
      fence: 3,
      createdMs: record.createdMs,
      revision: record.revision,
    };
    return { skipped, ...(launch !== undefined && { launch }), outcome, given, ...when };
  }

  test('holds what a run was given, and shows of it what concerns its user', () => {
    const settled = settle(record, done());
    expect(decodeRecord('task', encodeRecord(settled.record)).runs).toMatchObject([given]);
    const shown = runView('task', settled.run as RunRecord);
    expect(shown).toMatchObject({ codeHash: given.code, granted: given.granted });
    for (const hidden of ['code', 'waitedMs', 'seen', 'notReplayable']) expect(shown).not.toHaveProperty(hidden);
    expect(runView('task', { ...(settled.run as RunRecord), seen: 'too-large' }).notReplayable).toMatch(
      /more than is kept/,
    );
  });

  test('of an older program has none of it, and is sound', () => {
    const [run] = settle(record, done()).record.runs;
    const { code: _, waitedMs: __, granted: ___, seen: ____, ...older } = run as RunRecord;
    expect(decodeRecord('task', encodeRecord({ ...record, runs: [older] })).runs).toEqual([older]);
    expect(runView('task', older)).not.toHaveProperty('codeHash');
  });

  test.each([
    { code: 5 },
    { waitedMs: '1' },
    { granted: {} },
    { granted: { fetch: ['x'], call: [1] } },
    { seen: 'too-small' },
    { seen: [] },
    { seen: { answers: {} } },
    { seen: { answers: [{ ...answer(1), call: 0 }] } },
    { seen: { answers: [{ ...answer(1), answer: undefined }] } },
    { seen: { answers: [{ ...answer(1), atMs: null }] } },
  ])('is not sound with %j', (wrong) => {
    const [run] = settle(record, done()).record.runs;
    expect(isRunSound(run)).toBe(true);
    expect(isRunSound({ ...run, ...wrong })).toBe(false);
    const text = JSON.stringify({ ...record, runs: [{ ...run, ...wrong }] });
    expect(errorOf(() => decodeRecord('task', text)).code).toBe('corrupt');
  });

  test('that has no room for it all loses the recording, and not the result', () => {
    const entry = { taskId: 'task', dueMs: SLOT_MS, timer: 1, shard: 0, page: { path: '/p', left: new Map() } };
    const lease = { shard: 0 } as unknown as Lease;
    const runsIn = (stateBytes: number) => {
      const loaded = { version: 1, record: { ...record, state: 'x'.repeat(stateBytes) } };
      const item = { entry, lease, loaded, done: done() } as unknown as Parameters<typeof prepare>[1];
      return prepare(createLayout('default', 8), item, NOTHING_KNOWN).settled?.record.runs;
    };
    expect(runsIn(230 * 1024)).toMatchObject([{ status: 'succeeded', seen: given.seen }]);
    const bytes = Buffer.byteLength(encodeRecord(settle(record, done()).record));
    expect(runsIn(240 * 1024 - bytes + 50)).toMatchObject([{ status: 'succeeded', seen: 'too-large' }]);
    expect(runsIn(240 * 1024)).toMatchObject([{ status: 'failed', error: { class: 'ResultTooLarge' } }]);
  });

  test('counts it when it decides what moves to a chunk', () => {
    const run = settle(record, done()).run as RunRecord;
    const { seen: _, granted: __, ...plain } = run;
    for (const each of [run, plain, { ...run, seen: { state: 'x'.repeat(500) } }]) {
      expect(charsOf([each])).toBeGreaterThanOrEqual(JSON.stringify(each).length);
    }
  });
});

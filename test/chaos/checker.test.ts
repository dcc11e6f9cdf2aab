/** The judge of the chaos: what it must find, one violation at a time, in evidence that is otherwise sound. */
import { describe, expect, test } from '@jest/globals';
import { check, undecided } from './checker.ts';
import { type CheckedTask, type Evidence, type Fault, type Mark, type SeenRun, VIOLATIONS } from './evidence.ts';

const TASK: CheckedTask = {
  id: 'a',
  slots: [10_000, 20_000, 30_000],
  offsetMs: 0,
  shard: 3,
  delivery: 'at-least-once',
  runMs: 1_000,
};
const SIBLING: CheckedTask = { ...TASK, id: 'b', slots: [] };
const BOUNDS = { graceMs: 3_000, calmMs: 2_000, faultyMs: 4_000, suspectMs: 10_000 };

const run = (slotMs: number, more: Partial<SeenRun> = {}): SeenRun => ({
  ...{ taskId: 'a', slotMs, attempt: 1, status: 'succeeded', fence: 5, startedMs: slotMs, finishedMs: slotMs + 1_000 },
  ...{ isRetried: false, notBeforeMs: 0 },
  ...more,
});

const mark = (kind: Mark['kind'], slotMs: number, more: Partial<Mark> = {}): Mark => ({
  ...{ kind, taskId: 'a', slotMs, attempt: 1, fence: 5, atMs: slotMs + (kind === 'start' ? 10 : 990), worker: 1 },
  ...more,
});

const both = (slotMs: number, more: Partial<Mark> = {}): Mark[] => [
  mark('start', slotMs, more),
  mark('end', slotMs, more),
];

const fault = (fromMs: number, untilMs: number, more: Partial<Fault> = {}): Fault => ({
  ...{ kind: 'kill-worker', fromMs, untilMs, worker: 1, excuses: 'runs' },
  ...more,
});

const SOUND: Evidence = {
  tasks: [TASK, SIBLING],
  runs: [run(10_000), run(20_000), run(30_000)],
  marks: [...both(10_000), ...both(20_000), ...both(30_000)],
  faults: [],
  bounds: BOUNDS,
};

const judged = (change: Partial<Evidence>) => check({ ...SOUND, ...change });
const kindsFound = new Set<string>();
const found = (change: Partial<Evidence>): string[] =>
  judged(change).violations.map(({ what, taskId, slotMs }) => {
    kindsFound.add(what);
    return `${what} ${taskId}@${slotMs}`;
  });

test('sound evidence holds, and is counted', () => {
  const verdict = check(SOUND);
  expect(verdict).toMatchObject({ slots: 3, records: 3, byStatus: { succeeded: 3 }, reruns: 0, staleStarts: 0 });
  expect(verdict.violations).toEqual([]);
});

describe('slots', () => {
  test('one without a record is lost, and undecided', () => {
    const runs = [run(10_000), run(30_000)];
    expect(found({ runs, marks: [...both(10_000), ...both(30_000)] })).toEqual(['lost a@20000']);
    expect([undecided(SOUND.tasks, runs), undecided(SOUND.tasks, SOUND.runs)]).toEqual([1, 0]);
  });

  test('one whose only record announces another attempt is lost', () => {
    const runs = [run(10_000), run(20_000, { status: 'failed', isRetried: true }), run(30_000)];
    expect(found({ runs })).toEqual(['lost a@20000']);
  });

  test('one with two last records is doubled', () => {
    const again = run(20_000, { attempt: 2, startedMs: 21_000, finishedMs: 22_000 });
    const marks = [...SOUND.marks, ...both(20_000, { attempt: 2 })];
    expect(found({ runs: [run(10_000), run(20_000), again, run(30_000)], marks })).toEqual(['doubled a@20000']);
  });

  test('the same record twice is doubled', () => {
    expect(found({ runs: [run(10_000), run(20_000), run(20_000), run(30_000)] })).toEqual(['doubled a@20000']);
  });

  test('a range of skipped ones counts for each of them, and doubles what ran', () => {
    const range = (slotMs: number) =>
      run(slotMs, { status: 'skipped', attempt: 0, count: 2, lastSlotMs: slotMs + 10_000 });
    const marks = both(10_000);
    expect(found({ runs: [run(10_000), range(20_000)], marks })).toEqual([]);
    expect(judged({ runs: [run(10_000), range(20_000)], marks }).byStatus).toEqual({ succeeded: 1, skipped: 2 });
    const doubled = { runs: [range(10_000), run(20_000), run(30_000)], marks: SOUND.marks.slice(2) };
    expect(found(doubled)).toEqual(['doubled a@20000']);
  });

  test('a record of a moment that is no slot is unexpected, and so is a range that counts wrong', () => {
    expect(found({ runs: [run(10_000), run(15_000, { status: 'failed' }), run(20_000), run(30_000)] })).toEqual([
      'unexpected a@15000',
    ]);
    const range = run(20_000, { status: 'skipped', attempt: 0, count: 3, lastSlotMs: 30_000 });
    expect(found({ runs: [run(10_000), range], marks: both(10_000) })).toEqual(['unexpected a@20000']);
  });
});

describe('marks', () => {
  test.each(['start', 'end'] as const)('a success that the listener heard no %s of is no success', (kind) => {
    const marks = SOUND.marks.filter((each) => each.kind !== kind || each.slotMs !== 20_000);
    expect(found({ marks })).toEqual(['unmarked a@20000']);
  });

  test('a mark under another fence is not the mark of this success', () => {
    const faults = [fault(20_500, 21_000)];
    const marks = [...both(10_000), ...both(20_000, { fence: 6 }), ...both(30_000, { fence: 6 })];
    const runs = [run(10_000), run(20_000), run(30_000, { fence: 6 })];
    expect(found({ marks, runs, faults })).toEqual(['unmarked a@20000']);
  });

  const LOST_START = [mark('start', 20_000), ...both(20_000, { attempt: 2, fence: 6, atMs: 23_000 })];
  const RERUN = {
    marks: [...both(10_000), ...LOST_START, ...both(30_000, { fence: 6 })],
    runs: [
      run(10_000),
      run(20_000, { attempt: 2, fence: 6, startedMs: 22_900, finishedMs: 23_900 }),
      run(30_000, { fence: 6 }),
    ],
  };

  test('a run in vain is justified by what was done to its holder, or to everybody, and counted', () => {
    const { worker: _, ...toEverybody } = fault(20_500, 21_000);
    for (const each of [fault(20_500, 21_000), fault(18_000, 18_500), toEverybody]) {
      expect(found({ ...RERUN, faults: [each] })).toEqual([]);
      expect(judged({ ...RERUN, faults: [each] })).toMatchObject({ reruns: 1, rerunShare: 1 / 3 });
    }
  });

  test.each([
    ['nothing', []],
    ['what was done to somebody else', [fault(20_500, 21_000, { worker: 2 })]],
    ['what was over long before', [fault(10_000, 16_000)]],
    ['what came long after', [fault(26_000, 27_000)]],
    ['a trigger that came twice', [fault(20_500, 21_000, { excuses: 'nothing' })]],
    ['a trigger that came late', [fault(20_500, 21_000, { excuses: 'lateness' })]],
  ])('a run in vain is not justified by %s', (_, faults) => {
    expect(found({ ...RERUN, faults })).toContain('unjustified a@20000');
  });

  test('a launch whose end is not known is not justified without a fault', () => {
    const uncertain = run(20_000, { status: 'uncertain', finishedMs: 20_000 });
    const evidence = { runs: [run(10_000), uncertain, run(30_000)] };
    expect(found({ ...evidence, faults: [] })).toEqual(['unjustified a@20000']);
    expect(found({ ...evidence, faults: [fault(19_000, 19_500)] })).toEqual([]);
  });

  test('what may start at most once has started twice', () => {
    const tasks = [{ ...TASK, delivery: 'at-most-once' as const }, SIBLING];
    expect(found({ ...RERUN, tasks, faults: [fault(20_500, 21_000)] })).toEqual(['started twice a@20000']);
  });

  test('one attempt has started twice, under one lease or as if nobody had told the next holder', () => {
    expect(found({ marks: [...SOUND.marks, mark('start', 20_000)] })).toEqual(['started twice a@20000']);
    const { marks, runs } = RERUN;
    const again = {
      marks: marks.map((each) => ({ ...each, attempt: 1 })),
      runs: runs.map((each) => ({ ...each, attempt: 1 })),
    };
    expect(found({ ...again, faults: [fault(20_500, 21_000)] })).toEqual(['started twice a@20000']);
  });
});

describe('lateness', () => {
  const late = (lateMs: number, more: Partial<SeenRun> = {}) => [
    run(10_000),
    run(20_000, { startedMs: 20_000 + lateMs, finishedMs: 21_000 + lateMs, ...more }),
    run(30_000),
  ];

  test('a slot is late when nothing was done to anybody, and it was decided beyond the bound', () => {
    expect(found({ runs: late(2_000) })).toEqual([]);
    expect(found({ runs: late(2_001) })).toEqual(['late a@20000']);
    expect(judged({ runs: late(2_000) })).toMatchObject({ latestCalmMs: 2_000, latestFaultyMs: 0 });
  });

  test('faults make time for it, from their end on', () => {
    const faults = [fault(19_000, 22_000, { worker: 2 })];
    expect(found({ runs: late(6_000), faults })).toEqual([]);
    expect(judged({ runs: late(6_000), faults })).toMatchObject({ latestCalmMs: 0, latestFaultyMs: 6_000 });
    expect(found({ runs: late(6_001), faults })).toEqual(['late a@20000']);
    expect(found({ runs: late(6_000), faults: [fault(19_000, 22_000, { excuses: 'nothing' })] })).toEqual([
      'late a@20000',
    ]);
  });

  test('a launch waits for the one before it, and for its spread', () => {
    const runs = [run(10_000, { finishedMs: 25_000 }), run(20_000, { startedMs: 25_100 }), run(30_000)];
    expect(judged({ runs })).toMatchObject({ latestCalmMs: 100, violations: [] });
    expect(found({ runs: late(4_000), tasks: [{ ...TASK, offsetMs: 1_999 }] })).toEqual(['late a@20000']);
    expect(found({ runs: late(4_000), tasks: [{ ...TASK, offsetMs: 2_000 }] })).toEqual([]);
  });

  test('who was begun by two holders and lost waits longer', () => {
    const more = { attempt: 3 };
    const marks = [...both(10_000), ...both(20_000, more), ...both(30_000)];
    expect(found({ runs: late(9_900, more), marks })).toEqual([]);
    expect(judged({ runs: late(9_900, more), marks })).toMatchObject({ suspects: 1, latestSuspectMs: 9_900 });
    expect(found({ runs: late(12_001, more), marks })).toContain('late a@20000');
  });
});

describe('fences', () => {
  test('a task recorded under an older fence than before', () => {
    const runs = [run(10_000), run(20_000, { fence: 4 }), run(30_000)];
    const marks = [...both(20_000, { fence: 4 }), ...both(10_000), ...both(30_000)];
    expect(found({ runs, marks })).toEqual(['fence going back a@20000']);
  });

  const STALE = mark('start', 20_000, { fence: 4, atMs: 21_500, attempt: 7 });

  test('a start under an older fence than one at work is counted, and needs a fault', () => {
    const marks = [...SOUND.marks.slice(0, 4), STALE, ...both(30_000)];
    const faults = [fault(18_000, 21_400, { kind: 'freeze-worker' })];
    expect(found({ marks, faults })).toEqual([]);
    expect(judged({ marks, faults })).toMatchObject({ staleStarts: 1, reruns: 1 });
    expect(found({ marks })).toEqual(['unjustified a@20000', 'fence going back a@20000']);
  });

  test('fences of other shards are other fences', () => {
    const tasks = [TASK, { ...SIBLING, shard: 4, slots: [15_000] }];
    const runs = [...SOUND.runs, run(15_000, { taskId: 'b', fence: 2 })];
    const marks = [...SOUND.marks.slice(0, 2), ...both(15_000, { taskId: 'b', fence: 2 }), ...SOUND.marks.slice(2)];
    expect(found({ tasks, runs, marks })).toEqual([]);
  });

  test('a record that came long after a newer holder was at work in its shard', () => {
    const tasks = [TASK, { ...SIBLING, slots: [29_000] }];
    const newer = both(29_000, { taskId: 'b', fence: 6, atMs: 29_000 });
    const marks = [...SOUND.marks.slice(0, 4), ...newer, ...both(30_000, { atMs: 28_900 })];
    const runs = (notBeforeMs: number) => [
      ...[run(10_000), run(20_000), run(30_000, { notBeforeMs })],
      run(29_000, { taskId: 'b', fence: 6 }),
    ];
    const faults = [fault(28_000, 29_000)];
    expect(found({ tasks, marks, runs: runs(44_000), faults })).toEqual([]);
    expect(found({ tasks, marks, runs: runs(44_001), faults })).toContain('stale record a@30000');
  });
});

test('each violation that there is has been found by one of these', () => {
  expect([...kindsFound].toSorted()).toEqual(VIOLATIONS.toSorted());
});

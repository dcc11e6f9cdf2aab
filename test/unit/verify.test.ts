/** What the records of one task prove: that what the engine left behind adds up, and that nothing else does. */
import { describe, expect, test } from '@jest/globals';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import type { TaskDocument } from '../../src/task.ts';
import { type Bounds, type Verdict, verifyTask } from '../../src/verify.ts';
import { LoneEngine } from '../support/lone-engine.ts';
import { at, clock, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const minute = (minutes: number): number => START_MS + minutes * MINUTE_MS;
const iso = (minutes: number): string => new Date(minute(minutes)).toISOString();

const engineOf = (document: Partial<TaskDocument> = {}, startMs = START_MS): LoneEngine =>
  new LoneEngine(taskOf(document), startMs);

const verdictOf = (engine: LoneEngine, bounds: Partial<Bounds> = {}): Verdict =>
  verifyTask(engine.record, engine.kept(), { untilMs: engine.nowMs, nowMs: engine.nowMs, ...bounds });

const drain = (engine: LoneEngine, value?: unknown): void => engine.drain({ outcome: succeeding(value), lasts: 0 });

/** Lets time pass, and does what is due every minute. */
function work(engine: LoneEngine, minutes: number): void {
  for (let i = 0; i < minutes; i++) {
    engine.pass(MINUTE_MS);
    drain(engine);
  }
}

/** Lets time pass in which nothing ticks, and does what is due then. */
function outage(engine: LoneEngine, minutes: number): void {
  engine.pass(minutes * MINUTE_MS);
  drain(engine);
}

/** The first slot, whose run comes to this. */
function first(engine: LoneEngine, value: unknown): void {
  engine.pass(MINUTE_MS);
  engine.step({ outcome: succeeding(value), lasts: 0 });
}

function pauseFor(engine: LoneEngine, minutes: number): void {
  engine.pause();
  engine.pass(minutes * MINUTE_MS);
  engine.resume();
}

type Counts = Partial<Pick<Verdict, 'slots' | 'launched' | 'skipped' | 'open' | 'because' | 'sinceMs'>>;
type Story = (engine: LoneEngine) => void;

describe('the records add up', () => {
  test.each<[string, Partial<TaskDocument>, Story, Counts]>([
    ['before anything was due', {}, () => {}, { slots: 0, because: 'registered', sinceMs: START_MS + 1 }],
    ['of a task that ran at every slot', {}, (engine) => work(engine, 5), { slots: 5, launched: 5 }],
    ['after an outage that one run makes up for', {}, (engine) => outage(engine, 10), { launched: 1, skipped: 9 }],
    [
      'after an outage that every slot is made up for',
      { misfire: { policy: 'all' } },
      (engine) => outage(engine, 10),
      { launched: 10, skipped: 0 },
    ],
    [
      'after an outage of which the policy takes up the latest three',
      { misfire: { policy: 'all', max: 3 } },
      (engine) => outage(engine, 10),
      { launched: 3, skipped: 7 },
    ],
    [
      'where a run took longer than the time between two slots',
      {},
      (engine) => {
        engine.pass(MINUTE_MS);
        engine.step({ outcome: succeeding(), lasts: 3.5 * MINUTE_MS });
        work(engine, 1);
      },
      { launched: 2, skipped: 3 },
    ],
    [
      'of a task that waits for its next attempt',
      { retry: { backoff: '1h' } },
      (engine) => {
        engine.pass(MINUTE_MS);
        engine.step({ outcome: failing(), lasts: 0 });
      },
      { slots: 1, launched: 0, open: 1 },
    ],
    [
      'of a launch that succeeded at its second attempt',
      { retry: { backoff: '1s' } },
      (engine) => {
        engine.pass(MINUTE_MS);
        engine.step({ outcome: failing(), lasts: 0 });
        engine.pass(SECOND_MS);
        drain(engine);
      },
      { slots: 1, launched: 1, open: 0 },
    ],
    [
      'of a launch whose holder died, and that was made again',
      {},
      (engine) => {
        engine.pass(MINUTE_MS);
        engine.crash(0);
        drain(engine);
      },
      { slots: 1, launched: 1 },
    ],
    [
      'of a launch whose end nobody knows',
      { delivery: 'at-most-once' },
      (engine) => {
        engine.pass(MINUTE_MS);
        engine.crash(0);
        drain(engine);
        work(engine, 1);
      },
      { slots: 2, launched: 2 },
    ],
    ['of a task with a number of runs', { maxRuns: 2 }, (engine) => work(engine, 4), { slots: 2, launched: 2 }],
    [
      'of a task with a start and an end',
      { start: iso(3), end: iso(5) },
      (engine) => work(engine, 8),
      { slots: 3, launched: 3 },
    ],
    ['of a single moment', { schedule: { at: iso(2) } }, (engine) => work(engine, 4), { slots: 1, launched: 1 }],
    ['of what is due at once', { schedule: { after: '0s' } }, drain, { slots: 1, launched: 1, sinceMs: START_MS }],
    ['of what is due later', { schedule: { after: '90s' } }, (engine) => work(engine, 3), { slots: 1, launched: 1 }],
    [
      'where launches were asked for by hand, at times of their own',
      { retry: { attempts: 1 } },
      (engine) => {
        engine.pass(MINUTE_MS);
        engine.step({ outcome: failing(), lasts: 0 });
        engine.redrive();
        engine.backfill('again', START_MS);
        engine.pass(SECOND_MS);
        engine.ask();
        drain(engine);
      },
      { slots: 1, launched: 1 },
    ],
    [
      'where a launch was asked for during an outage',
      {},
      (engine) => {
        engine.pass(3.5 * MINUTE_MS);
        engine.ask();
        outage(engine, 5);
      },
      { launched: 1, skipped: 7 },
    ],
  ])('%s', (_, document, story, counts) => {
    const engine = engineOf(document);
    story(engine);
    expect(verdictOf(engine)).toMatchObject({ problems: [], ...counts });
    engine.holdProofNeedsEach();
  });

  test('of a task whose slots fall due later than they are', () => {
    const engine = engineOf({ spread: '10m' });
    work(engine, 30);
    const { slots, launched, problems } = verdictOf(engine);
    expect({ slots, problems }).toEqual({ slots: launched, problems: [] });
    expect(launched).toBe(engine.record.launches);
    expect(launched).toBeGreaterThanOrEqual(20);
  });
});

describe('the records add up where the schedule was moved', () => {
  test.each<[string, Partial<TaskDocument>, Story, Counts]>([
    [
      'by a pause',
      {},
      (engine) => {
        work(engine, 2);
        pauseFor(engine, 5);
        work(engine, 2);
      },
      { slots: 4, launched: 4, sinceMs: START_MS + 1 },
    ],
    [
      'by two pauses in a row',
      {},
      (engine) => {
        pauseFor(engine, 2);
        pauseFor(engine, 2);
        work(engine, 1);
      },
      { slots: 1, launched: 1 },
    ],
    [
      'by a pause while a run was under way',
      {},
      (engine) => {
        engine.pass(3 * MINUTE_MS);
        const meanwhile = (each: LoneEngine) => pauseFor(each, 1);
        engine.step({ outcome: succeeding(), lasts: 2 * MINUTE_MS, meanwhile });
        work(engine, 1);
      },
      { launched: 2, skipped: 2 },
    ],
    [
      'by a pause after the holder of a run had died, and the run is closed',
      {},
      (engine) => {
        engine.pass(7 * MINUTE_MS);
        engine.crash(0);
        pauseFor(engine, 1);
        work(engine, 1);
      },
      { slots: 2, launched: 2, skipped: 0 },
    ],
    [
      'by more pauses than a record tells of: it is proven since the first that it does',
      {},
      (engine) => {
        for (let i = 0; i < 20; i++) {
          work(engine, 1);
          pauseFor(engine, 1);
        }
      },
      { because: 'history', sinceMs: minute(9), slots: 16, launched: 16 },
    ],
    [
      'by a run that completed its task, which was resumed',
      {},
      (engine) => {
        first(engine, { completed: true });
        engine.pass(5 * MINUTE_MS);
        engine.resume();
        work(engine, 1);
      },
      { slots: 2, launched: 2 },
    ],
    [
      'by a run, to a moment at which the schedule has no slot',
      {},
      (engine) => {
        first(engine, { nextAt: minute(4.5) });
        outage(engine, 3.5);
        outage(engine, 0.5);
      },
      { slots: 3, launched: 3 },
    ],
    [
      'by a run, to a later slot of the schedule',
      {},
      (engine) => {
        first(engine, { nextAt: minute(4) });
        work(engine, 4);
      },
      { slots: 3, launched: 3 },
    ],
    [
      'by a run, beyond the end of the task',
      { end: iso(3) },
      (engine) => {
        first(engine, { nextAt: minute(10) });
        work(engine, 12);
      },
      { slots: 1, launched: 1 },
    ],
    [
      'by a run that was asked for by hand',
      {},
      (engine) => {
        engine.pass(30 * SECOND_MS);
        engine.ask();
        drain(engine, { nextAt: minute(4.5) });
        outage(engine, 4);
      },
      { slots: 1, launched: 1 },
    ],
    [
      'back by a run that was asked for by hand',
      {},
      (engine) => {
        first(engine, { nextAt: minute(5.5) });
        engine.pass(30 * SECOND_MS);
        engine.ask();
        drain(engine, { nextAt: minute(2.5) });
        outage(engine, 1);
        outage(engine, 0.5);
      },
      { slots: 3, launched: 3 },
    ],
    [
      'to a moment that an outage has covered',
      {},
      (engine) => {
        first(engine, { nextAt: minute(2.5) });
        outage(engine, 9);
      },
      { launched: 2, skipped: 8 },
    ],
  ])('%s', (_, document, story, counts) => {
    const engine = engineOf(document);
    story(engine);
    expect(verdictOf(engine)).toMatchObject({ problems: [], ...counts });
    engine.holdProofNeedsEach();
  });
});

describe('the records are looked at from where they begin to tell', () => {
  test.each<[string, Partial<TaskDocument>, Story, Counts]>([
    [
      'an edit of the schedule',
      {},
      (engine) => {
        work(engine, 3);
        engine.put(taskOf({ schedule: { every: '10m' } }));
        work(engine, 20);
      },
      { because: 'registered', sinceMs: minute(3) + 1, slots: 2, launched: 2 },
    ],
    [
      'an edit of the schedule before a moment that a run of the old one has asked for',
      {},
      (engine) => {
        first(engine, { nextAt: minute(4.5) });
        engine.put(taskOf({ schedule: { every: '10m' } }));
        work(engine, 20);
      },
      { because: 'registered', sinceMs: minute(1) + 1, slots: 2, launched: 2 },
    ],
    [
      'an edit while a run of the old schedule was under way',
      {},
      (engine) => {
        engine.pass(5 * MINUTE_MS);
        const meanwhile = (each: LoneEngine) => each.put(taskOf({ schedule: { every: '10m' } }));
        engine.step({ outcome: succeeding(), lasts: 0, meanwhile });
        work(engine, 5);
      },
      { because: 'registered', sinceMs: minute(5) + 1, slots: 1, launched: 1 },
    ],
    [
      'the last slot of the old schedule, where the clock of whoever edits is behind',
      {},
      (engine) => {
        work(engine, 3);
        engine.put(taskOf({ schedule: { every: '10s' } }), 2 * MINUTE_MS);
        work(engine, 1);
      },
      { because: 'registered', sinceMs: minute(3) + 1, slots: 6, launched: 1, skipped: 5 },
    ],
    [
      'that, and a run and skipped slots of the old schedule are recorded after the edit',
      {},
      (engine) => {
        engine.pass(5 * MINUTE_MS);
        const meanwhile = (each: LoneEngine) => each.put(taskOf({ schedule: { every: '10s' } }), 3 * MINUTE_MS);
        engine.step({ outcome: succeeding(), lasts: 0, meanwhile });
      },
      { because: 'registered', sinceMs: minute(5) + 1, slots: 0 },
    ],
    [
      'a task that was made anew',
      {},
      (engine) => {
        work(engine, 3);
        engine.remove();
        engine.put(taskOf());
        work(engine, 2);
      },
      { because: 'registered', sinceMs: minute(3) + 1, slots: 2, launched: 2 },
    ],
    [
      'an edit of anything else: nothing begins anew',
      {},
      (engine) => {
        work(engine, 3);
        engine.put(taskOf({ code: '2' }));
        work(engine, 2);
      },
      { because: 'registered', sinceMs: START_MS + 1, slots: 5, launched: 5 },
    ],
  ])('%s', (_, document, story, counts) => {
    const engine = engineOf(document);
    story(engine);
    expect(verdictOf(engine)).toMatchObject({ problems: [], ...counts });
    engine.holdProofNeedsEach();
  });

  test('the oldest record that the history still holds', () => {
    const engine = engineOf({ history: 5 });
    work(engine, 60);
    const { because, sinceMs, slots, launched, problems } = verdictOf(engine);
    expect({ because, problems }).toEqual({ because: 'history', problems: [] });
    expect(slots).toBe(launched);
    expect(launched).toBeGreaterThanOrEqual(5);
    expect(sinceMs).toBe(minute(60 - launched) + 1);
    engine.holdProofNeedsEach();
  });

  test('bounds that are asked for, also in the middle of what was skipped', () => {
    const engine = engineOf();
    outage(engine, 10);
    const bounds = { fromMs: minute(3), untilMs: minute(7) };
    expect(verdictOf(engine, bounds)).toMatchObject({ because: 'asked', slots: 5, skipped: 5, problems: [] });
    expect(verdictOf(engine, { untilMs: minute(7) })).toMatchObject({ because: 'registered', slots: 7, skipped: 7 });
    expect(verdictOf(engine, { fromMs: minute(10) })).toMatchObject({ slots: 1, launched: 1, skipped: 0 });
  });
});

describe('the records of a cron schedule add up over the days on which clocks change', () => {
  test.each([
    ['Europe/Berlin', '2027-03-26T00:00:00Z'],
    ['Europe/Berlin', '2027-10-29T00:00:00Z'],
    ['America/New_York', '2027-03-12T00:00:00Z'],
    ['America/New_York', '2027-11-05T00:00:00Z'],
  ])('in %s from %s', (timeZone, start) => {
    for (const dst of ['vixie', 'skip'] as const) {
      for (const expression of ['30 2 * * *', '30 1 * * *', '*/20 * * * *', '15 1-3 * * *']) {
        const engine = engineOf({ schedule: { cron: expression, timeZone, dst }, history: 200 }, at(start));
        for (let hours = 0; hours < 96; hours += 4) {
          engine.pass(4 * HOUR_MS);
          drain(engine);
        }
        const { slots, launched, skipped, problems } = verdictOf(engine);
        expect({ problems, launched }).toEqual({ problems: [], launched: engine.record.launches });
        expect(slots).toBe(launched + skipped);
        expect(slots).toBeGreaterThanOrEqual(3);
        engine.holdProofNeedsEach();
      }
    }
  });
});

/** Slots 1 and 2 launched, 3 to 6 skipped, 7 launched, 8 to 10 in a pause, 11 launched. */
function sound(): LoneEngine {
  const engine = engineOf();
  work(engine, 2);
  outage(engine, 5);
  pauseFor(engine, 3);
  work(engine, 1);
  return engine;
}

type Forge = (runs: readonly RunRecord[], record: TaskRecord) => readonly RunRecord[] | TaskRecord;

const at2 = ({ slotMs }: RunRecord): boolean => slotMs === minute(2);
const change =
  (which: (run: RunRecord) => boolean, changes: Partial<RunRecord>): Forge =>
  (runs) =>
    runs.map((run) => (which(run) ? { ...run, ...changes } : run));
const isRange = ({ status }: RunRecord): boolean => status === 'skipped';

/** What is found once the records are forged: problem and time of the slot. */
function found(engine: LoneEngine, forge: Forge): string[] {
  const forged = forge(engine.kept(), engine.record);
  const isRecord = !Array.isArray(forged);
  const record = isRecord ? (forged as TaskRecord) : engine.record;
  const runs = isRecord ? engine.kept() : (forged as readonly RunRecord[]);
  const { problems } = verifyTask(record, runs, { untilMs: engine.nowMs, nowMs: engine.nowMs });
  return problems.map(({ problem, slotMs }) => `${problem} ${clock(slotMs)}`).sort();
}

describe('nobody can', () => {
  test.each<[string, Forge, readonly string[]]>([
    ['be accused who leaves the records as they are', (runs) => runs, []],
    ['take out a run', (runs) => runs.filter((run) => !at2(run)), ['missing 00:02:00']],
    ['take out the latest run', (runs) => runs.slice(1), ['missing 00:11:00']],
    [
      'take out skipped slots',
      (runs) => runs.filter((run) => !isRange(run)),
      ['missing 00:03:00', 'missing 00:04:00', 'missing 00:05:00', 'missing 00:06:00'],
    ],
    ['take out everything but a pause', () => [], [1, 2, 3, 4, 5, 6, 7, 11].map((m) => `missing ${clock(minute(m))}`)],
    ['add a run twice', (runs) => [...runs, ...runs.filter(at2)], ['doubled 00:02:00']],
    [
      'add a run by hand under the name of a slot',
      (runs) => [...runs, ...runs.filter(at2).map((run) => ({ ...run, manual: true as const }))],
      ['doubled 00:02:00'],
    ],
    [
      'run what was skipped',
      (runs) => [...runs, ...runs.filter(at2).map((run) => ({ ...run, slotMs: minute(4) }))],
      ['doubled 00:04:00'],
    ],
    [
      'shift a run by a second',
      change(at2, { slotMs: minute(2) + SECOND_MS }),
      ['missing 00:02:00', 'unexpected 00:02:01'],
    ],
    [
      'add a run between two slots',
      (runs) => [...runs, ...runs.filter(at2).map((run) => ({ ...run, slotMs: minute(2.5) }))],
      ['unexpected 00:02:30'],
    ],
    ['call a run one by hand', change(at2, { manual: true }), ['missing 00:02:00']],
    ['call a run one that waits', change(at2, { retryMs: minute(60) }), ['missing 00:02:00']],
    ['say that fewer slots were skipped', change(isRange, { count: 3 }), ['missing 00:03:00']],
    ['say that more slots were skipped', change(isRange, { count: 5 }), ['unexpected 00:03:00']],
    ['cut a range short', change(isRange, { count: 3, lastSlotMs: minute(5) }), ['missing 00:06:00']],
    ['stretch a range over a run', change(isRange, { count: 5, lastSlotMs: minute(7) }), ['doubled 00:07:00']],
    [
      'let ranges overlap',
      (runs) => [...runs, ...runs.filter(isRange).map((run) => ({ ...run, slotMs: minute(5), count: 2 }))],
      ['doubled 00:05:00'],
    ],
    [
      'keep the pause out of the record',
      (_, { gaps: __, ...record }) => record,
      ['missing 00:08:00', 'missing 00:09:00', 'missing 00:10:00'],
    ],
    [
      'make the pause shorter',
      (_, record) => ({ ...record, gaps: record.gaps?.map((gap) => ({ ...gap, untilMs: minute(10) })) ?? [] }),
      ['missing 00:10:00'],
    ],
    [
      'move the schedule on',
      (_, record) => ({ ...record, nextSlotMs: minute(14) }),
      ['missing 00:12:00', 'missing 00:13:00'],
    ],
  ])('%s', (_, forge, problems) => {
    const engine = sound();
    engine.pass(2 * MINUTE_MS);
    expect(found(engine, forge)).toEqual(problems);
  });

  test('forget a launch that waits for its next attempt', () => {
    const engine = engineOf({ retry: { backoff: '1h' } });
    engine.pass(MINUTE_MS);
    engine.step({ outcome: failing(), lasts: 0 });
    expect(found(engine, (_, { retry: __, ...record }) => record)).toEqual(['missing 00:01:00']);
  });

  test('pass over slots in the name of a run that did not ask for it', () => {
    const engine = engineOf();
    first(engine, { nextAt: minute(3.5) });
    outage(engine, 2.5);
    const forge: Forge = (runs) => runs.map(({ movedMs: _, ...run }) => run);
    expect(found(engine, (runs) => runs)).toEqual([]);
    expect(found(engine, forge)).toEqual(['missing 00:02:00', 'missing 00:03:00', 'unexpected 00:03:30']);
  });

  test('hide a day on which the clock was changed', () => {
    const schedule = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    const engine = engineOf({ schedule }, at('2027-03-26T12:00:00Z'));
    for (let days = 0; days < 4; days++) outage(engine, 24 * 60);
    expect(engine.record.launches).toBe(4);
    // At half past two there was no such time: it ran at three, which is 01:00 UTC.
    const isChanged = ({ slotMs }: RunRecord) => slotMs === at('2027-03-28T01:00:00Z');
    expect(engine.kept().filter(isChanged)).toHaveLength(1);
    expect(found(engine, (runs) => runs.filter((run) => !isChanged(run)))).toEqual(['missing 01:00:00']);
  });

  test('drown the reader in problems', () => {
    const engine = engineOf({ misfire: { policy: 'all', max: 1_000, window: '10d' }, history: 200 });
    outage(engine, 500);
    expect(found(engine, () => [])).toHaveLength(100);
  });
});

test('what is due and not decided is overdue, and not lost', () => {
  const engine = engineOf();
  work(engine, 1);
  engine.pass(2 * MINUTE_MS);
  expect(verdictOf(engine).problems).toEqual([]);
  engine.pass(HOUR_MS);
  expect(verdictOf(engine)).toMatchObject({ slots: 1, problems: [{ slotMs: minute(2), problem: 'overdue' }] });
  engine.pause();
  expect(verdictOf(engine).problems).toEqual([]);
});

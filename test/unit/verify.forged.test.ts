/** Whoever falsifies the records of a task is found out; what is only late is not called lost. */
import { describe, expect, test } from '@jest/globals';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { verifyTask } from '../../src/verify.ts';
import type { LoneEngine } from '../support/lone-engine.ts';
import { at, clock, failing } from '../support/task-records.ts';
import {
  engineOf,
  first,
  HOUR_MS,
  MINUTE_MS,
  minute,
  outage,
  pauseFor,
  SECOND_MS,
  verdictOf,
  work,
} from '../support/verified.ts';

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

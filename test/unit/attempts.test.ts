import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ask, pause, register, remove, resume } from '../../src/edit.ts';
import type { Outcome } from '../../src/launch.ts';
import { CRASH_ATTEMPTS_MAX, isSuspect, plan } from '../../src/plan.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { DEAD_LETTERS_MAX, retryDelayMs, type Settled, settle } from '../../src/settle.ts';
import type { TaskDocument } from '../../src/task.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;
const SECOND_MS = 1_000;

const registered = (document: Partial<TaskDocument> = {}): TaskRecord => register(taskOf(document), START_MS);

/** What is due at `nowMs`, run with this outcome in no time. */
function run(record: TaskRecord, nowMs: number, outcome: Outcome, begun: Record<number, number> = {}): Settled {
  const { skipped, launch, closing } = decided(record, nowMs, begun);
  if (launch === undefined) throw new Error('nothing is launched');
  const when = {
    startedMs: nowMs,
    finishedMs: nowMs,
    fence: 7,
    createdMs: record.createdMs,
    revision: record.revision,
  };
  return settle(record, { skipped, launch, ...(closing === undefined ? { outcome } : { closing }), ...when });
}

/** Fails as often as it may; the waits between the attempts in ms. */
function waits(document: Partial<TaskDocument>, outcome = failing()): { waits: number[]; last: Settled } {
  let record = registered(document);
  const delays: number[] = [];
  for (let nowMs = SLOT_MS; ; nowMs = record.dueMs as number) {
    const settled = run(record, nowMs, outcome);
    record = settled.record;
    const { retryMs } = settled.run as RunRecord;
    if (retryMs === undefined) return { waits: delays, last: settled };
    expect(record.dueMs).toBe(retryMs);
    delays.push(retryMs - nowMs);
  }
}

describe('a launch that fails', () => {
  test.each<[TaskDocument['retry'], number[]]>([
    [{ attempts: 1 }, []],
    [{ jitter: false }, [1, 2]],
    [{ attempts: 5, backoff: '3s', factor: 1, jitter: false }, [3, 3, 3, 3]],
    [{ attempts: 5, backoff: '1s', factor: 10, jitter: false }, [1, 10, 100, 1_000]],
    [{ attempts: 6, backoff: '1s', factor: 3, max: '10s', jitter: false }, [1, 3, 9, 10, 10]],
    [{ attempts: 3, backoff: '0s', jitter: false }, [0, 0]],
    [{ attempts: 4, backoff: '1m', max: '0s', jitter: false }, [0, 0, 0]],
    [{ attempts: 3, backoff: '1500ms', factor: 1.5, jitter: false }, [1.5, 2.25]],
  ])('with %j is tried again after %j seconds', (retry, seconds) => {
    expect(waits({ retry }).waits).toEqual(seconds.map((each) => each * SECOND_MS));
  });

  test('a hundred times with the largest factor still waits a finite time', () => {
    const { waits: delays } = waits({ retry: { attempts: 100, backoff: '1d', factor: 10, max: '7d', jitter: false } });
    expect(delays).toHaveLength(99);
    expect(delays.at(-1)).toBe(7 * 86_400 * SECOND_MS);
  });

  test('waits between half and all of the delay with jitter: the same time whoever computes it, another one elsewhere', () => {
    const retry = taskOf({ retry: { attempts: 100, backoff: '100s', factor: 1 } }).retry;
    const wait = (name: string, attempt: number) => retryDelayMs(retry, { slotMs: 0, attempt, revision: 1 }, {}, name);
    const seen = new Set<number>();
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 100 }), (name, attempt) => {
        const delayMs = wait(name, attempt);
        expect(delayMs).toBe(wait(name, attempt));
        expect(delayMs).toBeGreaterThanOrEqual(50 * SECOND_MS);
        expect(delayMs).toBeLessThanOrEqual(100 * SECOND_MS);
        expect(Number.isInteger(delayMs)).toBe(true);
        seen.add(delayMs);
      }),
      { seed: PROPERTY_SEED, numRuns: 200 },
    );
    expect(seen.size).toBeGreaterThan(100);
  });

  test('keeps its slot over all attempts, and counts as one launch', () => {
    const { last } = waits({ retry: { attempts: 3 } });
    expect(last.record.runs.map(({ slotMs, attempt, status }) => [slotMs, attempt, status])).toEqual(
      [3, 2, 1].map((attempt) => [SLOT_MS, attempt, 'failed']),
    );
    expect(last.record).toMatchObject({ launches: 1, nextSlotMs: SLOT_MS + 60_000 });
    expect(last.record.retry).toBeUndefined();
  });

  test('lets the schedule stand at the next slot meanwhile, and no other slot start', () => {
    const { record } = run(registered({ retry: { backoff: '1h', jitter: false } }), SLOT_MS, failing());
    expect(record).toMatchObject({ nextSlotMs: SLOT_MS + 60_000, retry: { slotMs: SLOT_MS, attempt: 2 } });
    expect(plan(record, SLOT_MS + 3_599_999)).toEqual({ do: 'wait' });
    expect(decided(record, SLOT_MS + 3_600_000).launch).toMatchObject({
      slotMs: SLOT_MS,
      attempt: 2,
      sinceMs: SLOT_MS,
    });
  });

  test('because its worker was lost to another run is started again at once', () => {
    expect(waits({ retry: { attempts: 2, backoff: '1h' } }, failing('WorkerLost')).waits).toEqual([0]);
  });

  test('because its code does not parse is not tried again: it would fail the same way', () => {
    const { waits: delays, last } = waits({ retry: { attempts: 5 } }, failing('Syntax'));
    expect(delays).toEqual([]);
    expect(last.dead).toBeDefined();
  });

  test('a second time succeeds, and leaves no dead letter', () => {
    const first = run(registered(), SLOT_MS, failing('Timeout'));
    const second = run(first.record, first.record.dueMs as number, succeeding());
    expect([first.run, second.run]).toMatchObject([
      { status: 'timed-out', attempt: 1 },
      { status: 'succeeded', attempt: 2 },
    ]);
    expect(second.dead).toBeUndefined();
    expect(second.record).toMatchObject({ launches: 1, deadSlots: [] });
  });

  test('for good becomes a dead letter with everything to launch it again; the eleventh takes the place of the first', () => {
    let record = registered({ id: 'dead', retry: { attempts: 1 }, input: { a: 1 } });
    let last: Settled | undefined;
    for (let i = 0; i <= DEAD_LETTERS_MAX; i++) {
      expect(last?.evictedSlotMs).toBeUndefined();
      last = run(record, SLOT_MS + i * 60_000, failing());
      record = last.record;
    }
    expect(last?.evictedSlotMs).toBe(SLOT_MS);
    expect(last?.dead).toMatchObject({
      taskId: 'dead',
      slotMs: SLOT_MS + 600_000,
      code: record.task.code.hash,
      input: { a: 1 },
    });
    expect(record.deadSlots).toHaveLength(DEAD_LETTERS_MAX);
  });

  test('is tried again by a task whose last slot it was', () => {
    const at = { schedule: { at: '2027-01-01T00:01:00Z' } };
    const first = run(registered(at), SLOT_MS, failing());
    expect(first.record.ended).toBeUndefined();
    expect(first.record.nextSlotMs).toBeUndefined();
    const second = run(first.record, first.record.dueMs as number, succeeding());
    expect(second.record).toMatchObject({ ended: 'exhausted', launches: 1 });
    expect(second.record.dueMs).toBeUndefined();
  });
});

describe('a launch whose holder died', () => {
  test('is made again, as the next attempt', () => {
    expect(decided(registered(), SLOT_MS, { [SLOT_MS]: 1 })).toMatchObject({ launch: { slotMs: SLOT_MS, attempt: 2 } });
    expect(decided(registered(), SLOT_MS, { [SLOT_MS]: 2 })).toMatchObject({ launch: { attempt: 3 } });
  });

  test.each([
    [1, CRASH_ATTEMPTS_MAX],
    [3, 3],
    [5, 5],
  ])('is given up, where the task allows %d attempts, after %d that were begun', (attempts, begunMax) => {
    const record = registered({ retry: { attempts } });
    expect(decided(record, SLOT_MS, { [SLOT_MS]: begunMax - 1 }).closing).toBeUndefined();
    const { record: next, run: closed, dead } = run(record, SLOT_MS, succeeding(), { [SLOT_MS]: begunMax });
    expect(closed).toMatchObject({
      status: 'failed',
      attempt: begunMax,
      error: { class: 'WorkerLost', name: 'HolderLost' },
    });
    expect(closed?.error?.message).toContain(`begun ${begunMax} times`);
    expect(dead?.slotMs).toBe(SLOT_MS);
    expect(next).toMatchObject({ launches: 1, nextSlotMs: SLOT_MS + 60_000 });
  });

  test('is not a matter of the misfire policy any more, however old it is', () => {
    for (const misfire of [{ policy: 'skip' }, { window: '1m' }, { max: 1 }, { policy: 'all', max: 1 }] as const) {
      const begunMs = SLOT_MS + 2 * 60_000;
      const { skipped, launch } = decided(registered({ misfire }), SLOT_MS + 50 * 60_000, { [begunMs]: 1 });
      expect(launch).toMatchObject({ slotMs: begunMs, attempt: 2 });
      // What lies before it was decided to be skipped when it was begun; what lies behind it is decided afterwards.
      expect(skipped.map(({ firstSlotMs, lastSlotMs }) => [firstSlotMs, lastSlotMs])).toEqual([
        [SLOT_MS, begunMs - 60_000],
      ]);
    }
  });

  test('during its second attempt is made a third time', () => {
    const { record } = run(registered(), SLOT_MS, failing());
    const dueMs = record.dueMs as number;
    expect(decided(record, dueMs, { [SLOT_MS]: 2 }).launch).toMatchObject({ attempt: 3, sinceMs: SLOT_MS });
    // The journal may still hold the first attempt, which is recorded.
    expect(decided(record, dueMs, { [SLOT_MS]: 1 }).launch).toMatchObject({ attempt: 2 });
  });

  test('asked for by hand keeps its input', () => {
    const { record, slotMs } = ask(registered(), START_MS + 1, { input: 'by hand' });
    expect(decided(record, START_MS + 1, { [slotMs]: 1 }).launch).toMatchObject({
      attempt: 2,
      manual: { input: 'by hand' },
    });
  });
});

describe('a launch at most once', () => {
  const once = { delivery: 'at-most-once', retry: { attempts: 5 } } as const;

  test('that fails is not tried again', () => {
    const settled = run(registered(once), SLOT_MS, failing());
    expect(settled.run?.retryMs).toBeUndefined();
    expect(settled.dead).toBeDefined();
  });

  test('whose worker was lost is not tried again either', () => {
    expect(run(registered(once), SLOT_MS, failing('WorkerLost')).record.retry).toBeUndefined();
  });

  test('that was claimed by a holder that died is uncertain: closed, not run, no dead letter', () => {
    const settled = run(registered(once), SLOT_MS, succeeding(), { [SLOT_MS]: 1 });
    expect(settled.run).toMatchObject({ status: 'uncertain', attempt: 1, slotMs: SLOT_MS });
    expect(settled.run?.reason).toContain('at-most-once');
    expect(settled.dead).toBeUndefined();
    expect(settled.record).toMatchObject({ launches: 1, nextSlotMs: SLOT_MS + 60_000 });
  });

  test('that was claimed stays uncertain when the outage was longer than the misfire policy looks back', () => {
    const record = registered({ ...once, misfire: { max: 2 } });
    const { run: first, record: next } = run(record, SLOT_MS + 30 * 60_000, succeeding(), { [SLOT_MS]: 1 });
    expect(first).toMatchObject({ status: 'uncertain', slotMs: SLOT_MS });
    expect(decided(next, SLOT_MS + 30 * 60_000).launch?.slotMs).toBe(SLOT_MS + 30 * 60_000);
  });
});

describe('a pause while a launch waits to be tried again', () => {
  const patient = { retry: { attempts: 3, backoff: '10m', factor: 1, jitter: false } } as const;
  const failed = () => run(registered(patient), SLOT_MS, failing()).record;

  test('holds the launch up; it goes on when the task does', () => {
    const paused = pause(failed(), SLOT_MS + 1);
    expect(paused.dueMs).toBeUndefined();
    const resumed = resume(paused, SLOT_MS + 3_600_000);
    expect(decided(resumed, SLOT_MS + 3_600_000).launch).toMatchObject({ slotMs: SLOT_MS, attempt: 2 });
  });

  test.each([
    ['succeeds', succeeding()],
    ['fails', failing()],
  ])('does not lose it to a launch asked for by hand that %s', (_, outcome) => {
    const asked = ask(pause(failed(), SLOT_MS + 1), SLOT_MS + 2, {});
    const settled = run(asked.record, SLOT_MS + 2, outcome);
    expect(settled.run).toMatchObject({ slotMs: asked.slotMs, manual: true });
    expect(settled.run?.retryMs).toBeUndefined();
    expect(settled.record).toMatchObject({ manual: [], retry: { slotMs: SLOT_MS, attempt: 2 } });
    const resumed = resume(settled.record, SLOT_MS + 3_600_000);
    expect(decided(resumed, SLOT_MS + 3_600_000).launch).toMatchObject({ slotMs: SLOT_MS, attempt: 2 });
  });

  test('does not hold up one that was asked for by hand', () => {
    const asked = ask(pause(registered(patient), START_MS + 1), START_MS + 2, { input: 1 });
    const { record, run: first } = run(asked.record, START_MS + 2, failing());
    expect(first).toMatchObject({ attempt: 1, manual: true });
    expect(record.dueMs).toBe(START_MS + 2 + 600_000);
    const launch = { slotMs: asked.slotMs, attempt: 2, manual: { input: 1 } };
    expect(decided(record, START_MS + 2 + 600_000)).toMatchObject({ launch });
  });

  test('and removal of the task ends the launch with it', () => {
    const removed = remove(failed(), SLOT_MS + 1);
    expect(removed.retry).toBeUndefined();
    expect(plan(removed, SLOT_MS + 86_400_000)).toEqual({ do: 'wait' });
  });
});

describe('a launch that holders have died with', () => {
  const launchOf = (document: Partial<TaskDocument>, begun: number, record = registered(document)) => {
    const decision = plan(record, record.dueMs as number, new Map([[SLOT_MS, { attempt: begun }]]));
    return decision.do === 'decide' && decision.closing === undefined ? decision.launch : undefined;
  };

  test.each<[number, number | undefined, boolean]>([
    [1, 2, false],
    [2, 3, true],
    [3, undefined, false],
  ])('%d times is begun as attempt %s, and is a suspect: %s', (begun, attempt, suspect) => {
    const launch = launchOf({ retry: { attempts: 1 } }, begun);
    expect(launch?.attempt).toBe(attempt);
    expect(launch !== undefined && isSuspect(launch)).toBe(suspect);
  });

  test('has as many attempts as its task allows, where that is more', () => {
    for (let begun = 1; begun < 7; begun++) expect(launchOf({ retry: { attempts: 7 } }, begun)?.crashes).toBe(begun);
    expect(launchOf({ retry: { attempts: 7 } }, 7)).toBeUndefined();
  });

  test('is no suspect for attempts that failed by themselves', () => {
    const failed = run(registered({ retry: { attempts: 9, backoff: '0s' } }), SLOT_MS, failing()).record;
    const again = run(failed, failed.dueMs as number, failing()).record;
    expect(again.retry?.attempt).toBe(3);
    expect(launchOf({}, 3, again)).toMatchObject({ attempt: 4, crashes: 1 });
    expect(launchOf({}, 4, again)).toMatchObject({ attempt: 5, crashes: 2 });
  });
});

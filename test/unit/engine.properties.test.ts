/**
 * What must hold for one task whatever happens to it, in whatever order: time passes, runs succeed and fail, holders
 * die, users edit, pause, resume, ask, remove and put again, before a run and while it is under way, with clocks that
 * are behind. The driver holds its invariants after every step; see there.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TaskDocument } from '../../src/task.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { type Act, LoneEngine } from '../support/lone-engine.ts';
import { at, failing, isTerminal, succeeding, taskOf } from '../support/task-records.ts';

// Everything happens at whole seconds, so that what is asked for by hand meets slots of the schedule.
const START_MS = at('2027-01-01T00:00:00Z');
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const schedule = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('10s', '1m', '90s', '1h').map((every) => ({ every })) },
  { weight: 2, arbitrary: fc.constantFrom('* * * * *', '*/20 * * * * *').map((cron) => ({ cron })) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 200 }).map((s) => ({ at: new Date(START_MS + s * 1_000).toISOString() })),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }).map((s) => ({ after: `${s}s` })) },
);

const retry = fc.record({
  attempts: fc.integer({ min: 1, max: 4 }),
  backoff: fc.constantFrom('0s', '1s', '2m'),
  jitter: fc.boolean(),
});

const documents: fc.Arbitrary<Partial<TaskDocument>> = fc.record(
  {
    schedule,
    misfire: fc.record({
      policy: fc.constantFrom('skip' as const, 'once' as const, 'all' as const),
      window: fc.constantFrom('1m', '1h', '1d'),
      max: fc.constantFrom(1, 2, 5, 100),
    }),
    overlap: fc.constantFrom('skip' as const, 'queue' as const),
    retry,
    delivery: fc.constantFrom('at-least-once' as const, 'at-most-once' as const),
    spread: fc.constantFrom('0s', '30s', '10m'),
    maxRuns: fc.integer({ min: 1, max: 6 }),
    history: fc.integer({ min: 1, max: 30 }),
    end: fc.constantFrom(new Date(START_MS + HOUR_MS).toISOString()),
    paused: fc.boolean(),
  },
  { requiredKeys: ['schedule'] },
);

const lasts = fc.constantFrom(0, 5, SECOND_MS, 45 * SECOND_MS, 4 * MINUTE_MS);
const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant(succeeding({ state: 1 })) },
  { weight: 4, arbitrary: fc.constantFrom(failing(), failing('Timeout'), failing('WorkerLost'), failing('Syntax')) },
  { weight: 1, arbitrary: fc.constant(failing('Thrown', ['x'.repeat(3_000), 'y'.repeat(3_000)])) },
  { weight: 1, arbitrary: fc.constant(succeeding({ completed: true })) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -600, max: 7_200 }).map((s) => succeeding({ nextAt: START_MS + s * SECOND_MS + 1 })),
  },
);

type Deed = (engine: LoneEngine) => void;

const KEYS = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });

/**
 * What users do, also while a run is under way. Asked for at whole seconds by a clock that is right, a launch meets
 * slots of the schedule; by one that is behind it may take the name of a slot from before the schedule was put, so that
 * is left out.
 */
function deeds(behindMaxMs: number): fc.Arbitrary<Deed> {
  const behind = fc.integer({ min: 0, max: behindMaxMs / SECOND_MS }).map((s) => s * SECOND_MS);
  const deed = <T>(values: fc.Arbitrary<T>, act: (engine: LoneEngine, value: T, behindMs: number) => void) =>
    fc.tuple(values, behind).map(
      ([value, behindMs]): Deed =>
        (engine) =>
          act(engine, value, behindMs),
    );
  return fc.oneof(
    { weight: 3, arbitrary: deed(fc.constant(0), (engine, _, behindMs) => engine.pause(behindMs)) },
    { weight: 3, arbitrary: deed(fc.constant(0), (engine, _, behindMs) => engine.resume(behindMs)) },
    { weight: 1, arbitrary: deed(fc.constant(0), (engine, _, behindMs) => engine.remove(behindMs)) },
    { weight: 3, arbitrary: deed(KEYS, (engine, key, behindMs) => engine.ask(key, behindMs === 0 ? 0 : behindMs - 1)) },
    { weight: 3, arbitrary: fc.constant<Deed>((engine) => engine.redrive()) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom(0, 1, 7, 30)).map(
        ([key, minutes]): Deed =>
          (engine) =>
            engine.backfill(key, engine.nowMs - minutes * MINUTE_MS),
      ),
    },
    { weight: 3, arbitrary: deed(documents, (engine, document, behindMs) => engine.put(taskOf(document), behindMs)) },
  );
}

const acts = (deed: fc.Arbitrary<Deed>): fc.Arbitrary<Act> =>
  fc.record({ outcome, lasts, deeds: fc.array(deed, { maxLength: 3, size: 'max' }), isAlone: fc.boolean() }).map(
    ({ outcome, lasts, deeds, isAlone }): Act => ({
      outcome,
      lasts,
      meanwhile: (engine) => {
        for (const each of isAlone ? [] : deeds) each(engine);
      },
    }),
  );

const steps = (deed: fc.Arbitrary<Deed>, doing: fc.Arbitrary<Act>): fc.Arbitrary<Deed> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: doing.map(
        (act): Deed =>
          (engine) =>
            void engine.step(act),
      ),
    },
    {
      weight: 2,
      arbitrary: outcome.map(
        (each): Deed =>
          (engine) =>
            engine.drain({ outcome: each, lasts: 1 }),
      ),
    },
    {
      weight: 5,
      arbitrary: fc.constantFrom(1, SECOND_MS, 10 * SECOND_MS, MINUTE_MS, 7 * MINUTE_MS, 2 * HOUR_MS).map(
        (ms): Deed =>
          (engine) =>
            engine.pass(ms),
      ),
    },
    {
      weight: 2,
      arbitrary: lasts.map(
        (ms): Deed =>
          (engine) =>
            engine.crash(ms),
      ),
    },
    { weight: 3, arbitrary: deed },
  );

/** Stories for each property: the same ones each time, so more of them would only be asked again and again. */
const RUNS = 1_000;

const check = (deed: fc.Arbitrary<Deed>, after: (engine: LoneEngine) => void) =>
  fc.assert(
    fc.property(documents, fc.array(steps(deed, acts(deed)), { maxLength: 40 }), (document, sequence) => {
      const engine = new LoneEngine(taskOf(document), START_MS);
      for (const step of sequence) step(engine);
      after(engine);
      engine.holdProofNeedsEach();
    }),
    { seed: PROPERTY_SEED, numRuns: RUNS },
  );

const NOTHING: fc.Arbitrary<Deed> = fc.constant(() => undefined);

/** Everything that is due is done, and every launch that was begun comes to an end. */
function comeToRest(engine: LoneEngine): void {
  engine.drain({ outcome: succeeding(), lasts: 1 });
  for (let i = 0; i < 10 && engine.record.retry !== undefined && !engine.record.task.paused; i++) {
    engine.pass(HOUR_MS);
    engine.drain({ outcome: succeeding(), lasts: 1 });
  }
  expect(engine.step({ outcome: succeeding(), lasts: 0 })).toBe(false);
}

/** In the report: what was due is what was recorded. */
function addUp(engine: LoneEngine): void {
  const { due, succeeded, failed, timedOut, skipped, uncertain, deferred } = engine.tally.report(0);
  expect(due).toBe(succeeded + failed + timedOut + skipped + uncertain + deferred);
  expect(due).toBe(engine.ledger.reduce((sum, { count = 1 }) => sum + count, 0));
}

describe('a task that is left to itself', () => {
  test('has every slot recorded once, whatever its runs come to and whoever dies', () => {
    check(NOTHING, (engine) => {
      comeToRest(engine);
      const launches = engine.ledger.filter((run) => isTerminal(run) && run.count === undefined);
      expect(launches).toHaveLength(engine.record.launches);
    });
  });
});

describe('a task that users work on', () => {
  test('is never recorded twice, loses no slot, and always has a timer when something is to come', () => {
    check(deeds(0), (engine) => {
      addUp(engine);
      comeToRest(engine);
      addUp(engine);
    });
  });

  test('the same where the clocks of those users are behind', () => {
    check(deeds(10 * MINUTE_MS), comeToRest);
  });
});

/** How far the records of a task tell, and that they add up over days on which clocks change. */
import { describe, expect, test } from '@jest/globals';
import type { TaskDocument } from '../../src/task.ts';
import type { LoneEngine } from '../support/lone-engine.ts';
import { at, succeeding, taskOf } from '../support/task-records.ts';
import {
  type Counts,
  drain,
  engineOf,
  first,
  HOUR_MS,
  MINUTE_MS,
  minute,
  outage,
  START_MS,
  type Story,
  verdictOf,
  work,
} from '../support/verified.ts';

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

/** What the records of one task prove: that what the engine left behind adds up, and that nothing else does. */
import { describe, expect, test } from '@jest/globals';
import type { TaskDocument } from '../../src/task.ts';
import type { LoneEngine } from '../support/lone-engine.ts';
import { failing, succeeding } from '../support/task-records.ts';
import {
  type Counts,
  drain,
  engineOf,
  first,
  iso,
  MINUTE_MS,
  minute,
  outage,
  pauseFor,
  SECOND_MS,
  START_MS,
  type Story,
  verdictOf,
  work,
} from '../support/verified.ts';

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

import { describe, expect, test } from '@jest/globals';
import { register } from '../../src/edit.ts';
import type { Outcome } from '../../src/launch.ts';
import { plan } from '../../src/plan.ts';
import type { TaskRecord } from '../../src/record.ts';
import { settle } from '../../src/settle.ts';
import { spreadOffsetMs } from '../../src/shard.ts';
import type { TaskDocument } from '../../src/task.ts';
import { at, clock, failing, ranges, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const MINUTE_MS = 60_000;

/** Once a minute, and an engine that is always there unless the test lets time pass without it. */
class Minutes {
  record: TaskRecord;
  nowMs = START_MS;
  /** `hh:mm:ss` of what was launched, `reason first..last (count)` of what was not. */
  readonly story: string[] = [];

  constructor(document: Partial<TaskDocument>) {
    this.record = register(taskOf({ retry: { backoff: '90s', factor: 1, jitter: false }, ...document }), START_MS);
  }

  /** Waits for the next launch and lets it run for so long. */
  run(minutes: number, outcome: Outcome = succeeding()): this {
    this.nowMs = Math.max(this.nowMs, this.record.dueMs ?? Infinity);
    const decision = plan(this.record, this.nowMs);
    if (decision.do !== 'decide') throw new Error(`expected a decision, got ${decision.do}`);
    const { skipped, launch } = decision;
    this.story.push(...ranges(skipped), ...(launch === undefined ? [] : [clock(launch.slotMs)]));
    const startedMs = this.nowMs;
    if (launch !== undefined) this.nowMs += minutes * MINUTE_MS;
    const when = {
      startedMs,
      finishedMs: this.nowMs,
      fence: 1,
      createdMs: this.record.createdMs,
      revision: this.record.revision,
    };
    const run = launch === undefined ? {} : { launch, outcome };
    this.record = settle(this.record, { skipped, ...run, ...when }).record;
    return this;
  }

  /** Nobody ticks for so long. */
  outage(minutes: number): this {
    this.nowMs += minutes * MINUTE_MS;
    return this;
  }
}

describe('slots that fall due while the launch before them runs', () => {
  test('are skipped, and said to be', () => {
    const task = new Minutes({}).run(3.5).run(0.1);
    expect(task.story).toEqual(['00:01:00', 'overlap 00:02:00..00:04:00 (3)']);
    expect(task.run(0.1).story.slice(2)).toEqual(['00:05:00']);
  });

  test('are skipped under every misfire policy: nobody missed them', () => {
    for (const policy of ['skip', 'once', 'all'] as const) {
      expect(new Minutes({ misfire: { policy } }).run(3.5).run(0).story[1]).toBe('overlap 00:02:00..00:04:00 (3)');
    }
  });

  test('are launched one after the other with `queue`, under every misfire policy', () => {
    for (const policy of ['skip', 'once', 'all'] as const) {
      const task = new Minutes({ overlap: 'queue', misfire: { policy } }).run(3.5);
      for (let i = 0; i < 4; i++) task.run(0.1);
      expect(task.story).toEqual(['00:01:00', '00:02:00', '00:03:00', '00:04:00', '00:05:00']);
    }
  });

  test('are queued up to `max` and within the window, as those that were missed are', () => {
    const limited = new Minutes({ overlap: 'queue', misfire: { policy: 'all', max: 2 } }).run(5.5).run(0.1).run(0.1);
    expect(limited.story).toEqual(['00:01:00', 'too-many 00:02:00..00:04:00 (3)', '00:05:00', '00:06:00']);
    const recent = new Minutes({ overlap: 'queue', misfire: { policy: 'all', window: '2m' } }).run(5.5).run(0.1);
    expect(recent.story).toEqual(['00:01:00', 'too-old 00:02:00..00:04:00 (3)', '00:05:00']);
  });

  test('include the one at whose moment the run ends, and not the one at which it began', () => {
    expect(new Minutes({}).run(1).run(0).story).toEqual(['00:01:00', 'overlap 00:02:00..00:02:00 (1)']);
    expect(new Minutes({}).run(0).run(0).story).toEqual(['00:01:00', '00:02:00']);
  });

  test('count from the first start to the final end: while a launch waits to be tried again, it is unfinished', () => {
    const task = new Minutes({}).run(0.5, failing()).run(0.5).run(0.1).run(0.1);
    // Fails at 00:01:30, is tried again at 00:03:00, ends at 00:03:30.
    expect(task.story).toEqual(['00:01:00', '00:01:00', 'overlap 00:02:00..00:03:00 (2)', '00:04:00']);
  });

  test('are overlapped by a launch that is tried a third time, from its first attempt on', () => {
    const task = new Minutes({}).run(0, failing()).run(0, failing()).run(0.5).run(0);
    // 00:01:00, 00:02:30 and 00:04:00 to 00:04:30.
    expect(task.story.slice(3)).toEqual(['overlap 00:02:00..00:04:00 (3)']);
  });

  test('are not overlapped by a launch asked for by hand', () => {
    const task = new Minutes({});
    const manual = { slotMs: START_MS + 30_000 };
    task.record = { ...task.record, manual: [manual], dueMs: manual.slotMs };
    expect(task.run(1.2).run(0).story).toEqual(['00:00:30', '00:01:00']);
  });

  test('are those whose own turn came then, where launches are spread', () => {
    const document = { id: 'spread-2', schedule: { every: '1h' }, spread: '1h' } as const;
    const offset = spreadOffsetMs(taskOf(document)) / MINUTE_MS;
    // From its turn on it runs past the next slot, but not to that one's turn.
    const short = new Minutes(document).run(60 - offset + 1).run(1);
    expect(short.story).toEqual(['01:00:00', '02:00:00']);
    // Moved by more than the time between slots, several wait for their turns; the second one's falls into the run.
    const herd = { id: 'spread-7', spread: '10m' } as const;
    expect(spreadOffsetMs(taskOf(herd))).toBeGreaterThan(4 * MINUTE_MS);
    expect(new Minutes(herd).run(1.5).run(0).run(0).story).toEqual([
      '00:01:00',
      'overlap 00:02:00..00:02:00 (1)',
      '00:03:00',
    ]);
    expect(new Minutes(document).run(61).run(1).story).toEqual(['01:00:00', 'overlap 02:00:00..02:00:00 (1)']);
  });
});

describe('an outage and a long run together', () => {
  test('missed slots are made up for once, even when later ones were overlapped', () => {
    // 00:01 runs to 00:01:06, nobody ticks until 00:05:06. 00:05 then stands for 00:02 to 00:04, and overlaps 00:06.
    const task = new Minutes({}).run(0.1).outage(4).run(1.5).run(0);
    expect(task.story).toEqual([
      '00:01:00',
      'coalesced 00:02:00..00:04:00 (3)',
      '00:05:00',
      'overlap 00:06:00..00:06:00 (1)',
    ]);
  });

  test('a launch begun before the outage does not swallow what was missed behind it', () => {
    // Tried again only after the outage, from 00:06:06 to 00:08:06: 00:07 and 00:08 are overlapped, as 00:02 to 00:06 are.
    const task = new Minutes({}).run(0.1, failing()).outage(5).run(2).run(0);
    expect(task.story.slice(2)).toEqual(['overlap 00:02:00..00:08:00 (7)']);
  });

  test('`all` launches what was missed and skips what overlapped, in the order of the slots', () => {
    // From 00:05:06 on: 00:02 runs until 00:06:36, then 00:03, 00:04 and 00:05; 00:06 fell due meanwhile.
    const task = new Minutes({ misfire: { policy: 'all' } }).run(0.1).outage(4).run(1.5);
    for (let i = 0; i < 4; i++) task.run(0.05);
    expect(task.story).toEqual([
      '00:01:00',
      '00:02:00',
      '00:03:00',
      '00:04:00',
      '00:05:00',
      'overlap 00:06:00..00:06:00 (1)',
    ]);
  });

  test('what an outage adds to a queue is for the misfire policy again', () => {
    // Queued while 00:01 ran: 00:02 to 00:04. Missed after 00:02 was done at 00:04:36: 00:05 to 00:08.
    const task = new Minutes({ overlap: 'queue' }).run(3.5).run(0.1).outage(4);
    for (let i = 0; i < 3; i++) task.run(0.05);
    expect(task.story).toEqual([
      ...['00:01:00', '00:02:00', '00:03:00', '00:04:00'],
      ...['coalesced 00:05:00..00:07:00 (3)', '00:08:00'],
    ]);
  });

  test('a record stays small however long a queue is worked on', () => {
    const task = new Minutes({ overlap: 'queue', misfire: { policy: 'all', max: 1_000, window: '366d' } }).run(90.5);
    // Each launch is followed by an outage, in which slots are missed: a span of its own for each of them.
    for (let i = 0; i < 60; i++) task.run(0.1).outage(1);
    expect(task.record.busy?.length).toBeLessThanOrEqual(8);
    const steady = new Minutes({ overlap: 'queue', misfire: { policy: 'all', max: 1_000 } }).run(90.5);
    for (let i = 0; i < 60; i++) steady.run(0.9);
    expect(steady.record.busy).toHaveLength(1);
    expect(task.story.slice(0, 61)).toEqual(
      Array.from({ length: 61 }, (_, i) => clock(START_MS + (i + 1) * MINUTE_MS)),
    );
  });
});

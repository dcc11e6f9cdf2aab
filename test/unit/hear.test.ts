/** What an event makes of a task's record. */
import { describe, expect, test } from '@jest/globals';
import { amend, ask, MANUAL_MAX, pause, register, remove, resume } from '../../src/edit.ts';
import { REMEMBERED_MAX, REMEMBERED_MS } from '../../src/event-memory.ts';
import { EVENTS_WAITING_MAX, hear } from '../../src/hear.ts';
import { plan } from '../../src/plan.ts';
import type { TaskRecord } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { settle } from '../../src/settle.ts';
import type { TaskDocument } from '../../src/task.ts';
import { taskView } from '../../src/view.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const ON: TaskDocument['on'] = [{ source: 'shop' }];

const documentOf = ({ schedule, ...rest }: Partial<TaskDocument> = {}) => {
  const { schedule: _, ...task } = taskOf({ on: ON, ...rest });
  return { ...task, schedule: schedule === undefined ? ({ kind: 'none' } as const) : taskOf({ schedule }).schedule };
};
const registered = (document: Partial<TaskDocument> = {}) => register(documentOf(document), START_MS);

function heard(record: TaskRecord, id: string, nowMs = START_MS + 5) {
  const answer = hear(record, nowMs, { id, input: { id } });
  if ('because' in answer) throw new Error(answer.because);
  return answer;
}

function ran(record: TaskRecord, nowMs: number, outcome = succeeding()): TaskRecord {
  const { skipped, launch } = decided(record, nowMs);
  const { createdMs, revision } = record;
  const when = { startedMs: nowMs, finishedMs: nowMs, fence: 1, createdMs, revision };
  return settle(record, { skipped, ...(launch && { launch }), outcome, ...when }).record;
}

describe('a task without a schedule', () => {
  test('waits for nothing, and has not ended; after an event neither', () => {
    const record = registered();
    expect([record.dueMs, record.ended, taskView(record).status]).toEqual([undefined, undefined, 'active']);
    const after = ran(heard(record, 'e').record, START_MS + 5);
    expect([after.dueMs, after.ended, after.launches]).toEqual([undefined, undefined, 0]);
    expect(after.runs).toMatchObject([{ slotMs: START_MS + 5, manual: true, eventId: 'e' }]);
    expect(decodeRecord('task', encodeRecord(after))).toEqual(after);
  });

  test('may move a timer of its own, and is done with it when that has run', () => {
    const nextAt = START_MS + 60_000;
    const moved = ran(heard(registered(), 'e').record, START_MS + 5, succeeding({ nextAt }));
    expect(moved).toMatchObject({ nextSlotMs: nextAt, dueMs: nextAt });
    const after = ran(moved, nextAt);
    expect([after.runs[0]?.slotMs, after.nextSlotMs, after.dueMs, after.ended]).toEqual([
      nextAt,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is over when a run says so, until it is resumed', () => {
    const over = ran(heard(registered(), 'e').record, START_MS + 5, succeeding({ completed: true }));
    expect(hear(over, START_MS + 6, { id: 'f', input: 1 })).toEqual({ because: 'has completed', mayPass: false });
    expect(resume(over, START_MS + 7).ended).toBeUndefined();
    expect(heard(resume(over, START_MS + 7), 'f').record.manual).toHaveLength(1);
  });
});

describe('an edit', () => {
  const exhausted = () => ran(registered({ schedule: { after: '0s' }, on: [] }), START_MS);

  test('that names events opens a task whose schedule has run out, and one that drops them closes it', () => {
    expect(exhausted().ended).toBe('exhausted');
    const open = amend(exhausted(), documentOf({ schedule: { after: '0s' } }), START_MS + 9);
    expect([open.ended, open.registeredMs]).toEqual([undefined, START_MS]);
    expect(amend(open, documentOf({ schedule: { after: '0s' }, on: [] }), START_MS + 10).ended).toBe('exhausted');
  });

  test('of the events alone leaves the schedule where it is', () => {
    const record = registered({ schedule: { every: '1h' } });
    const edited = amend(record, documentOf({ schedule: { every: '1h' }, on: [{ source: 'x' }] }), START_MS + 9);
    expect([edited.revision, edited.timer, edited.dueMs, edited.registeredMs]).toEqual([
      2,
      record.timer,
      record.dueMs,
      START_MS,
    ]);
  });

  test('that takes the schedule away leaves nothing due, and one that gives one begins it', () => {
    const none = amend(registered({ schedule: { every: '1h' } }), documentOf(), START_MS + 9);
    expect([none.nextSlotMs, none.dueMs, none.ended]).toEqual([undefined, undefined, undefined]);
    const back = amend(none, documentOf({ schedule: { every: '1h' } }), START_MS + 10);
    expect(back.dueMs).toBe(START_MS + 3_600_000);
  });

  test('that removes the task drops what waits, and the task made anew knows no event of the old one', () => {
    const removed = remove(heard(registered(), 'e').record, START_MS + 6);
    const anew = amend(removed, documentOf(), START_MS + 7);
    expect([removed.manual, anew.manual, anew.heard]).toEqual([[], [], undefined]);
  });
});

describe('a pause', () => {
  test('holds up launches for events and their retries, but none that is asked for by hand', () => {
    const failed = ran(heard(registered({ retry: { backoff: '1s' } }), 'e').record, START_MS + 5, failing());
    const waiting = heard(failed, 'f', START_MS + 6).record;
    const paused = pause(waiting, START_MS + 7);
    expect([waiting.dueMs === undefined, paused.dueMs]).toEqual([false, undefined]);
    const asked = ask(paused, START_MS + 8, {});
    expect(decided(asked.record, START_MS + 60_000).launch?.slotMs).toBe(asked.slotMs);
    const resumed = resume(ran(asked.record, START_MS + 60_000), START_MS + 61_000);
    expect(decided(resumed, START_MS + 62_000).launch).toMatchObject({ slotMs: START_MS + 5, attempt: 2 });
    expect(decided(ran(resumed, START_MS + 62_000), START_MS + 63_000).launch?.manual?.eventId).toBe('f');
  });
});

describe('events that come again and again', () => {
  test('are launched for once within a day, and as new ones after it', () => {
    const { record, slotMs } = heard(registered(), 'e');
    const after = ran(record, START_MS + 5);
    const again = heard(after, 'e', START_MS + REMEMBERED_MS);
    expect([again.slotMs, again.record === after]).toEqual([slotMs, true]);
    // The memory is cleared by the events that come later.
    const later = heard(after, 'f', START_MS + REMEMBERED_MS + 60_000).record;
    expect(heard(later, 'e', START_MS + REMEMBERED_MS + 60_001).slotMs).not.toBe(slotMs);
  });

  test('in one millisecond are launches of different names, in order, beside those by hand', () => {
    let record = registered({ history: 1 });
    for (let i = 0; i < MANUAL_MAX; i++) record = ask(record, START_MS + 5, {}).record;
    for (let i = 0; i < EVENTS_WAITING_MAX; i++) record = heard(record, `e${i}`).record;
    expect(new Set(record.manual.map(({ slotMs }) => slotMs)).size).toBe(MANUAL_MAX + EVENTS_WAITING_MAX);
    const full = hear(record, START_MS + 5, { id: 'one more', input: null });
    expect(full).toEqual({ because: 'has 200 launches for events waiting', mayPass: true });
    const ids: unknown[] = [];
    for (let nowMs = START_MS + 1_000; plan(record, nowMs).do === 'decide'; nowMs++) {
      ids.push(decided(record, nowMs).launch?.manual?.eventId);
      record = ran(record, nowMs);
    }
    expect(ids.slice(MANUAL_MAX)).toEqual(Array.from({ length: EVENTS_WAITING_MAX }, (_, i) => `e${i}`));
    // By a clock that is behind, too, no name comes twice.
    expect(heard(record, 'behind', START_MS).slotMs).toBeGreaterThan(START_MS + MANUAL_MAX + EVENTS_WAITING_MAX);
  });

  test('are remembered in little room', () => {
    let record = registered({ history: 1 });
    for (let i = 0; i < REMEMBERED_MAX + 100; i++) {
      record = ran(heard(record, `${i}`, START_MS + 5 + i).record, START_MS + 5 + i);
    }
    expect(record.heard).toHaveLength(REMEMBERED_MAX);
    expect(JSON.stringify(record.heard).length).toBeLessThan(25 * REMEMBERED_MAX);
    expect(heard(record, '100', START_MS + 5_000).slotMs).toBe(START_MS + 105);
    expect(heard(record, '99', START_MS + 5_000).slotMs).toBe(START_MS + 5_000);
  });
});

test.each<[Partial<TaskDocument>, string]>([
  [{ start: '2027-01-02T00:00:00Z' }, 'starts at 2027-01-02T00:00:00.000Z'],
  [{ end: '2026-12-31T00:00:00Z' }, 'has ended at 2026-12-31T00:00:00.000Z'],
  [{ paused: true }, 'is paused'],
])('a task with %j %s', (document, because) => {
  expect(hear(registered(document), START_MS + 5, { id: 'e', input: 1 })).toEqual({ because, mayPass: false });
});

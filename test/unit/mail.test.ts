/** What is told of a launch, and how often it is tried. */
import { describe, expect, test } from '@jest/globals';
import { ask, register, remove } from '../../src/edit.ts';
import type { Outcome } from '../../src/launch.ts';
import {
  afterAttempt,
  decodeMail,
  encodeMail,
  KEPT_MS,
  type Mail,
  mailOf,
  messageFor,
  type Pending,
  pagesOfMail,
} from '../../src/mail.ts';
import type { TaskRecord } from '../../src/record.ts';
import { settle } from '../../src/settle.ts';
import type { TaskDocument } from '../../src/task.ts';
import { at, decided, failing, succeeding, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;
const ALL = { onSuccess: { task: 's' }, onFailure: { task: 'f' }, onDeadLetter: [{ task: 'd' }] } as const;

/** What is told when the launch that is due now comes to this. */
function told(record: TaskRecord, outcome: Outcome, nowMs = SLOT_MS, seen = record): Mail | undefined {
  const { launch } = decided(record, nowMs);
  const { createdMs, revision } = record;
  const when = { startedMs: nowMs, finishedMs: nowMs + 5, fence: 7, createdMs, revision };
  const done = { skipped: [], ...(launch !== undefined && { launch }), outcome, ...when };
  return mailOf(seen, done, settle(seen, done));
}

const recordOf = (rest: Partial<TaskDocument> = {}) => register(taskOf({ ...ALL, ...rest }), START_MS);
const conditions = (mail: Mail | undefined) => mail?.to.map(({ condition }) => condition);

describe('what is told', () => {
  test('depends on how the launch ended, and on nothing before its end', () => {
    const once = recordOf({ retry: { attempts: 1 } });
    expect(conditions(told(recordOf(), succeeding()))).toEqual(['success']);
    expect(conditions(told(once, failing()))).toEqual(['failure', 'dead-letter']);
    expect(conditions(told(once, failing('Timeout')))).toEqual(['failure', 'dead-letter']);
    expect(told(recordOf(), failing())).toBeUndefined(); // it is tried again
    expect(told(register(taskOf(), START_MS), succeeding())).toBeUndefined();
    expect(told(once, succeeding(), SLOT_MS, remove(once, SLOT_MS))).toBeUndefined();
  });

  test('is one form of JSON, with what is recorded and no more', () => {
    const mail = told(recordOf(), succeeding({ output: { a: 1 }, state: 'mine' })) as Mail;
    expect(JSON.parse(JSON.stringify(messageFor('ns', mail, 'success')))).toEqual({
      version: 1,
      condition: 'success',
      idempotencyKey: `task@${SLOT_MS}:success`,
      launchId: `task@${SLOT_MS}`,
      taskId: 'task',
      namespace: 'ns',
      slot: '2027-01-01T00:01:00.000Z',
      attempt: 1,
      status: 'succeeded',
      startedAt: '2027-01-01T00:01:00.000Z',
      finishedAt: '2027-01-01T00:01:00.005Z',
      output: { a: 1 },
      depth: 0,
    });
  });

  test('fits wherever it is sent, whatever the task says', () => {
    const long = {
      ...failing(),
      error: { class: 'Thrown', name: 'E', message: 'ü'.repeat(60_000), stack: '\0'.repeat(60_000) },
    };
    const mail = told(recordOf({ retry: { attempts: 1 } }), long as Outcome) as Mail;
    expect(Buffer.byteLength(JSON.stringify(messageFor('n'.repeat(64), mail, 'failure')))).toBeLessThan(32 * 1024);
    expect(messageFor('n', mail, 'failure').error?.message).toBe('ü'.repeat(2_048));
  });

  test('tells how deep in a chain a launch is, through its retries', () => {
    const chained = ask(recordOf({ retry: { backoff: '0s' } }), START_MS, { input: {}, depth: 3 }).record;
    const nowMs = START_MS + 10_000;
    const { launch } = decided(chained, nowMs);
    const when = { startedMs: nowMs, finishedMs: nowMs, fence: 7, createdMs: START_MS, revision: 1 };
    const failed = settle(chained, { skipped: [], ...(launch && { launch }), outcome: failing(), ...when }).record;
    expect(messageFor('n', told(failed, succeeding(), nowMs) as Mail, 'success').depth).toBe(3);
  });
});

describe('an attempt to tell', () => {
  const mail = told(recordOf(), succeeding()) as Mail;
  const [first] = mail.to as [Pending];
  const later = { is: 'later', problem: 'x'.repeat(1_000) } as const;

  test('that fails is made again after 5 s, then twice as long each, up to an hour, less some jitter that a seed decides', () => {
    const waits: number[] = [];
    for (let pending = first; waits.length < 13; ) {
      const after = afterAttempt(mail, pending, later, SLOT_MS)?.pending as Pending;
      waits.push(after.dueMs - SLOT_MS);
      expect(after).toEqual(afterAttempt(mail, pending, later, SLOT_MS)?.pending);
      pending = after;
    }
    for (const [i, waitMs] of waits.entries()) {
      const mostMs = Math.min(3_600_000, 5_000 * 2 ** i);
      expect(waitMs).toBeLessThanOrEqual(mostMs * 1.125); // where others are due, too
      expect(waitMs).toBeGreaterThanOrEqual(mostMs / 2);
    }
  });

  test('has a last one after three days, and then it is over', () => {
    const lastMs = mail.run.finishedMs + KEPT_MS;
    const before = afterAttempt(mail, { ...first, attempts: 100 }, later, lastMs - 1_000);
    expect(before).toMatchObject({ isOver: false, pending: { dueMs: lastMs, attempts: 101 } });
    expect(afterAttempt(mail, first, later, lastMs)).toMatchObject({ isOver: true });
    expect(afterAttempt(mail, first, { is: 'refused', problem: 'no' }, SLOT_MS)).toMatchObject({ isOver: true });
    expect(afterAttempt(mail, first, { is: 'delivered' }, SLOT_MS)).toBeUndefined();
    expect(before?.pending.problem).toHaveLength(128);
  });
});

describe('a page of messages', () => {
  const mail = told(recordOf(), succeeding({ output: 'o'.repeat(10_000) })) as Mail;

  test('is read as it was written, and holds no more than a node may', () => {
    const mails = Array.from({ length: 20 }, (_, i) => ({ ...mail, slotMs: i }));
    const pages = pagesOfMail(mails);
    expect(pages.flatMap((page) => decodeMail(encodeMail(page)).mails)).toEqual(mails);
    expect(Math.max(...pages.map((page) => Buffer.byteLength(encodeMail(page))))).toBeLessThan(65 * 1_024);
    expect(pages.length).toBe(4);
  });

  test.each([
    '',
    'no JSON',
    'null',
    '{"v":2}',
    JSON.stringify({ ...mail, to: [null] }),
    JSON.stringify({ ...mail, run: 1 }),
  ])('on which something cannot be read says so: %#', (line) => {
    expect(decodeMail(`${encodeMail([mail])}\n${line}`)).toEqual({ mails: [mail], unread: 1 });
  });
});

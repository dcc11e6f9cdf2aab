import { describe, expect, test } from '@jest/globals';
import { amend, pause, register, remove } from '../../src/edit.ts';
import { launchId } from '../../src/launch.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { parseTask, type TaskDocument } from '../../src/task.ts';
import { runView, scheduleView, statusOf, taskView } from '../../src/view.ts';
import { at, documentOf, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const registered = (document: Partial<TaskDocument> = {}): TaskRecord => register(taskOf(document), START_MS);

const run: RunRecord = {
  slotMs: START_MS,
  attempt: 2,
  status: 'failed',
  startedMs: START_MS + 40,
  finishedMs: START_MS + 1_040,
  fence: 7,
  revision: 3,
  error: { class: 'Thrown', name: 'TypeError', message: 'no' },
  logs: ['a'],
  truncated: true,
  retryMs: START_MS + 5_000,
};

describe('a run as users see it', () => {
  test('has its name, its times in ISO, and everything that was kept of it', () => {
    expect(runView('daily', run)).toEqual({
      launchId: `daily@${START_MS}`,
      slot: '2027-01-01T00:00:00.000Z',
      attempt: 2,
      status: 'failed',
      startedAt: '2027-01-01T00:00:00.040Z',
      finishedAt: '2027-01-01T00:00:01.040Z',
      lateMs: 40,
      durationMs: 1_000,
      fence: 7,
      revision: 3,
      error: { class: 'Thrown', name: 'TypeError', message: 'no' },
      logs: ['a'],
      truncated: true,
      retryAt: '2027-01-01T00:00:05.000Z',
    });
  });

  test('that is a range of slots shows the last of them, and how many', () => {
    const { error: _, logs: __, truncated: ___, retryMs: ____, ...rest } = run;
    const skipped: RunRecord = {
      ...rest,
      status: 'skipped',
      attempt: 0,
      lastSlotMs: START_MS + 60_000,
      count: 2,
      reason: 'missed',
    };
    expect(runView('daily', skipped)).toMatchObject({
      lastSlot: '2027-01-01T00:01:00.000Z',
      count: 2,
      reason: 'missed',
    });
  });

  test('goes by its natural key', () => {
    expect(launchId('a.b', 5)).toBe('a.b@5');
  });
});

describe('a task as users see it', () => {
  test.each<Partial<TaskDocument>>([
    { schedule: { cron: '0 9 * * 1-5', timeZone: 'Europe/Berlin', dst: 'skip' } },
    { schedule: { every: '1h30m', anchor: '2027-01-01T00:10:00.000Z' } },
    { schedule: { every: '100ms' } },
    { schedule: { at: '2027-03-08T02:30:00.000Z' } },
    { schedule: { after: '5m' } },
    {
      input: { a: [1] },
      start: '2027-01-01T00:00:00.000Z',
      end: '2028-01-01T00:00:00.000Z',
      maxRuns: 5,
      spread: '1m',
      paused: true,
      labels: { team: 'ops' },
      misfire: { policy: 'all', window: '2d', max: 7 },
      overlap: 'queue',
      retry: { attempts: 9, backoff: '250ms', factor: 1.5, max: '2h', jitter: false },
      timeout: '1m30s',
      delivery: 'at-most-once',
      capabilities: { fetch: ['https://api.example.com'], call: ['mail'] },
      history: 3,
    },
  ])('can be put again as it is shown: %j', (document) => {
    const record = registered(document);
    const shown = taskView(record, documentOf(document).code);
    const {
      codeHash,
      status,
      revision,
      createdAt,
      updatedAt,
      nextAt,
      launches,
      state,
      lastRun,
      deadLetters,
      ...again
    } = shown;
    expect([codeHash, revision, launches, state, lastRun, deadLetters]).toEqual([
      record.task.code.hash,
      1,
      0,
      null,
      null,
      0,
    ]);
    expect(amend(record, parseTask(again).task, START_MS + 1)).toBe(record);
    expect([createdAt, updatedAt]).toEqual(['2027-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']);
    expect(nextAt).toBe(record.dueMs === undefined ? null : new Date(record.dueMs).toISOString());
    expect(status).toBe(document.paused ? 'paused' : 'active');
  });

  test('has no source in lists, and its last run', () => {
    const view = taskView({ ...registered(), runs: [run] });
    expect(view).not.toHaveProperty('code');
    expect(view.lastRun).toMatchObject({ launchId: `task@${START_MS}` });
  });

  test('is active, paused, or completed for whatever reason', () => {
    expect(statusOf(registered())).toBe('active');
    expect(statusOf(pause(registered(), START_MS))).toBe('paused');
    expect(statusOf(remove(registered(), START_MS))).toBe('completed');
    expect(statusOf(registered({ schedule: { at: '2020-01-01T00:00:00Z' } }))).toBe('completed');
    expect(statusOf({ ...registered({ paused: true }), ended: 'completed' })).toBe('completed');
  });

  test('whose schedule reads as it was written, with its defaults', () => {
    expect(scheduleView(taskOf({ schedule: { cron: '@daily' } }).schedule)).toEqual({
      cron: '@daily',
      timeZone: 'UTC',
      dst: 'vixie',
    });
    expect(scheduleView(taskOf({ schedule: { every: '60s' } }).schedule)).toEqual({ every: '1m' });
  });
});

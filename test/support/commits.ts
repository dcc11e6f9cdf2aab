/** What the tests of commits begin with, and what they must find in the end. */
import { expect } from '@jest/globals';
import type { TaskDocument } from '../../src/task.ts';
import { type Holder, START_MS } from './lone-holder.ts';
import { documentOf } from './task-records.ts';

export const MINUTE_MS = 60_000;

/** Puts so many tasks, once a minute, and lets the first slot of each fall due. */
export async function putMany(holder: Holder, count: number, document: Partial<TaskDocument> = {}): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `task-${i}`);
  await holder.users.putMany(ids.map((id) => documentOf({ id, ...document })));
  holder.nowMs = START_MS + MINUTE_MS;
  return ids;
}

/** Everything went well: each task has one run, of its first slot, and waits for the next. */
export async function holdAllRecorded(holder: Holder, ids: readonly string[]): Promise<void> {
  expect(holder.failure).toBeUndefined();
  for (const id of ids) {
    expect((await holder.runs(id)).map(({ slotMs, status }) => [slotMs, status])).toEqual([
      [START_MS + MINUTE_MS, 'succeeded'],
    ]);
    expect((await holder.record(id))?.dueMs).toBe(START_MS + 2 * MINUTE_MS);
  }
  expect(holder.committed.map(({ item }) => item.entry.taskId).sort()).toEqual([...ids].sort());
  await holder.holdTree(ids);
}

import { describe, expect, test } from '@jest/globals';
import { COMMIT_ITEMS_MAX, Committer, type CommitterOptions } from '../../src/commit.ts';
import type { Op, Session } from '../../src/coordinator.ts';
import type { Page, TimedEntry } from '../../src/due.ts';
import { DueDirectories } from '../../src/due-directories.ts';
import { register } from '../../src/edit.ts';
import type { Item } from '../../src/item.ts';
import { createLayout } from '../../src/layout.ts';
import type { TaskDocument } from '../../src/task.ts';
import { decided, succeeding, taskOf } from '../support/task-records.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** How many steps into the end of one commit the next batch arrives: past every gap that there could be. */
const STEPS = 32;

const layout = createLayout('default', 1);
const lease = { shard: 0, fence: 1, takenMs: 0, guard: [] };

const stale = (n: number) => {
  const page: Page = { shard: 0, directory: '/d', path: `/d/p${n}`, version: 0, left: new Map() };
  const entry: TimedEntry = { taskId: `t${n}`, dueMs: 0, timer: 0, shard: 0, line: `l${n}`, page };
  return { entry, lease, done: 'stale' } as const;
};

/** A launch that has succeeded, of a task that is due again after `every`. */
function launched(n: number, every: string, more: Partial<TaskDocument> = {}): Item {
  const record = register(taskOf({ id: `t${n}`, schedule: { every }, ...more }), 0);
  const nowMs = record.dueMs as number;
  const { createdMs, revision } = record;
  const when = { startedMs: nowMs, finishedMs: nowMs, fence: 1, createdMs, revision };
  const done = { ...decided(record, nowMs), outcome: succeeding(), ...when };
  return { ...stale(n), done, loaded: { record, version: 0 } };
}

const committerOn = (
  session: Session,
  clock: VirtualClock,
  onCommitted: CommitterOptions['onCommitted'],
  lingers = false,
): Committer =>
  new Committer({
    lingers,
    session,
    layout,
    clock,
    directories: new DueDirectories(session),
    maker: () => 'm',
    onPages: () => undefined,
    onCommitted,
    onFenced: () => undefined,
    onFailed: (error) => {
      throw error;
    },
  });

test('a batch that arrives while a commit ends is sent, at whichever step it arrives', async () => {
  const session = { multi: async () => [], getMany: async () => [] } as unknown as Session;
  for (let step = 0; step < STEPS; step++) {
    let recorded = 0;
    const clock = new VirtualClock();
    const more = async () => {
      for (let i = 0; i < step; i++) await null;
      for (let n = 1; n <= COMMIT_ITEMS_MAX; n++) committer.add(stale(n));
    };
    const committer: Committer = committerOn(session, clock, (committed) => {
      if (recorded === 0) void more();
      recorded += committed.length;
    });
    committer.add(stale(0));
    await clock.advance(1_000);
    for (let i = 0; i < 200; i++) await null;
    expect([step, recorded]).toEqual([step, 1 + COMMIT_ITEMS_MAX]);
  }
});

test('few that come while a commit is on its way go together after it, and a whole commit goes beside it', async () => {
  const sent: { readonly items: number; readonly end: () => void }[] = [];
  const session = {
    multi: (ops: readonly Op[]) =>
      new Promise<void>((resolve) => sent.push({ items: ops.filter(isRemoval).length, end: resolve })),
    getMany: async () => [],
  } as unknown as Session;
  const isRemoval = ({ op }: Op) => op === 'remove';
  const clock = new VirtualClock();
  const committer = committerOn(session, clock, () => undefined);
  const add = async (from: number, until: number) => {
    for (let n = from; n < until; n++) committer.add(stale(n));
    await clock.advance(50);
    return sent.map(({ items }) => items);
  };
  expect(await add(0, 1)).toEqual([1]);
  expect(await add(1, 20)).toEqual([1]);
  const all = 1 + COMMIT_ITEMS_MAX + 25;
  expect(await add(20, all)).toEqual([1, COMMIT_ITEMS_MAX]);
  sent[0]?.end();
  expect(await add(all, all)).toEqual([1, COMMIT_ITEMS_MAX]);
  sent[1]?.end();
  expect(await add(all, all)).toEqual([1, COMMIT_ITEMS_MAX, 25]);
});

describe('on a tick that lingers, launches wait for each other', () => {
  const told = { onSuccess: { url: 'https://example.org/' } };

  test.each<[string, Item[], number, boolean?]>([
    ['where nobody waits for them', [launched(1, '1s')], 40],
    ['though not on a tick that does not linger', [launched(1, '1s')], 5, false],
    ['unless the task is due again soon', [launched(1, '1s'), launched(2, '200ms')], 5],
    ['unless a destination is to be told', [launched(1, '1s'), launched(2, '1s', told)], 5],
    ['unless an entry is only to be cleared away', [launched(1, '1s'), stale(2)], 5],
  ])('%s', async (_, items, dueMs, lingers = true) => {
    const sent: number[] = [];
    const clock = new VirtualClock(0);
    const session = {
      multi: async (ops: readonly Op[]) => {
        if (ops.some(({ op }) => op === 'remove')) sent.push(clock.now());
      },
      getMany: async () => [],
    } as unknown as Session;
    const committer = committerOn(session, clock, () => undefined, lingers);
    for (const item of items) committer.add(item);
    await clock.advance(100);
    expect(sent).toEqual([dueMs]);
  });
});

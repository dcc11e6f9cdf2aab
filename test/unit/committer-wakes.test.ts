import { expect, test } from '@jest/globals';
import { Committer } from '../../src/commit.ts';
import type { Session } from '../../src/coordinator.ts';
import { DueDirectories, type Page, type TimedEntry } from '../../src/due.ts';
import { createLayout } from '../../src/layout.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** How many steps into the end of one commit the next batch arrives: past every gap that there could be. */
const STEPS = 32;

test('a batch that arrives while a commit ends is sent, at whichever step it arrives', async () => {
  const session = { multi: async () => [], getMany: async () => [] } as unknown as Session;
  const layout = createLayout('default', 1);
  const lease = { shard: 0, fence: 1, takenMs: 0, guard: [] };
  const stale = (n: number) => {
    const page: Page = { shard: 0, directory: '/d', path: `/d/p${n}`, version: 0, left: new Map() };
    const entry: TimedEntry = { taskId: `t${n}`, dueMs: 0, timer: 0, shard: 0, line: `l${n}`, page };
    return { entry, lease, done: 'stale' } as const;
  };
  for (let step = 0; step < STEPS; step++) {
    let recorded = 0;
    const clock = new VirtualClock();
    const more = async () => {
      for (let i = 0; i < step; i++) await null;
      for (let n = 1; n <= 64; n++) committer.add(stale(n));
    };
    const committer: Committer = new Committer({
      session,
      layout,
      clock,
      directories: new DueDirectories(session),
      maker: () => 'm',
      onPages: () => undefined,
      onCommitted: (committed) => {
        if (recorded === 0) void more();
        recorded += committed.length;
      },
      onFenced: () => undefined,
      onFailed: (error) => {
        throw error;
      },
    });
    committer.add(stale(0));
    await clock.advance(1_000);
    for (let i = 0; i < 200; i++) await null;
    expect([step, recorded]).toEqual([step, 65]);
  }
});

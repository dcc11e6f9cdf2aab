import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { COMMIT_ITEMS_MAX } from '../../src/commit.ts';
import { dueMinute } from '../../src/layout.ts';
import { PAGE_ENTRIES_MAX } from '../../src/new-pages.ts';
import type { TaskRecord } from '../../src/record.ts';
import { holdAllRecorded, MINUTE_MS, putMany } from '../support/commits.ts';
import type { Fault } from '../support/faulty-session.ts';
import { Holder, START_MS } from '../support/lone-holder.ts';
import { documentOf, failing } from '../support/task-records.ts';

let holder: Holder;
beforeEach(async () => {
  holder = await Holder.open();
});
afterEach(() => holder.close());

describe('a commit', () => {
  test('records every launch once, uses up its pages and makes new ones', async () => {
    const ids = await putMany(holder, 200);
    await holder.commit(await holder.items());
    await holdAllRecorded(holder, ids);
    // Nothing is left of the pages that were used up; the new ones are those that it told of.
    const pages = await holder.storedPages();
    expect([...pages.values()].flat()).toHaveLength(200);
    expect(holder.waiting.sort()).toEqual([...pages.values()].flat().sort());
    for (const path of pages.keys()) expect(holder.pages.has(path)).toBe(true);
    for (const [, lines] of pages) expect(lines.length).toBeLessThanOrEqual(PAGE_ENTRIES_MAX);
  });

  test('is one transaction for as many launches as it may hold, under the guards of their leases', async () => {
    await putMany(holder, COMMIT_ITEMS_MAX);
    const items = await holder.items();
    holder.session.sent.length = 0;
    await holder.commit(items);
    const commits = holder.session.sent.filter((ops) =>
      ops.some(({ op, path }) => op === 'set' && path.includes('/tasks/')),
    );
    expect(commits).toHaveLength(1);
    expect(commits[0]?.slice(0, 6).every(({ op }) => op === 'check')).toBe(true);
  });

  test('shortens a page whose other entries are not due yet', async () => {
    await holder.users.putMany(
      ['a', 'b', 'c'].map((id) => documentOf({ id: `${id}`, schedule: { every: id === 'a' ? '1s' : '30s' } })),
    );
    holder.nowMs = START_MS + 1_000;
    await holder.commit(await holder.items());
    expect(holder.committed.map(({ item }) => item.entry.taskId)).toEqual(['a']);
    await holder.holdTree(['a', 'b', 'c']);
  });

  test('clears away an entry that counts no more, and leaves its task alone', async () => {
    const [id = ''] = await putMany(holder, 1);
    await holder.users.pause(id);
    await holder.users.resume(id);
    const before = await holder.record(id);
    const stale = (await holder.items()).filter(({ done }) => done === 'stale');
    expect(stale).toHaveLength(1);
    await holder.commit(stale);
    expect(await holder.record(id)).toEqual(before);
    await holder.holdTree([id]);
  });

  test('keeps history beyond the record in chunks, and dead letters, however often it fails', async () => {
    const [id = ''] = await putMany(holder, 1, { retry: { attempts: 1 }, history: 30 });
    for (let i = 0; i < 60; i++) {
      await holder.commit(await holder.items(failing()));
      expect(holder.failure).toBeUndefined();
      holder.nowMs += MINUTE_MS;
    }
    const slots = (await holder.runs(id)).map(({ slotMs }) => slotMs);
    expect(slots.length).toBeGreaterThanOrEqual(30);
    expect(slots).toEqual(slots.map((_, i) => START_MS + (60 - i) * MINUTE_MS));
    const { items } = await holder.users.deadLetters();
    expect(items.map(({ run }) => run.slot).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => new Date(START_MS + (51 + i) * MINUTE_MS).toISOString()),
    );
  });
});

describe('a commit whose fate is not known', () => {
  test.each<Fault>(['reply-lost', 'request-lost', 'late'])(
    '(%s) is recorded once, and reported once',
    async (fault) => {
      const ids = await putMany(holder, 10);
      const items = await holder.items();
      holder.session.faults.push(fault);
      await holder.commit(items);
      await holdAllRecorded(holder, ids);
    },
  );

  test('is not taken for another one of the same task', async () => {
    const [id = ''] = await putMany(holder, 1);
    await holder.commit(await holder.items());
    holder.nowMs += MINUTE_MS;
    const items = await holder.items();
    holder.session.faults.push('request-lost');
    await holder.commit(items);
    expect((await holder.runs(id)).map(({ slotMs }) => slotMs)).toEqual([
      START_MS + 2 * MINUTE_MS,
      START_MS + MINUTE_MS,
    ]);
  });

  test('and meanwhile an edit came is still one record', async () => {
    const [id = ''] = await putMany(holder, 1);
    const items = await holder.items();
    holder.session.faults.push('reply-lost');
    holder.committer.add(items[0] as (typeof items)[0]);
    await holder.committer.flush();
    await holder.users.pause(id);
    expect(await holder.runs(id)).toHaveLength(1);
    await holder.holdTree([id]);
  });

  test('holds up nobody behind it: both land, in their order', async () => {
    const ids = await putMany(holder, COMMIT_ITEMS_MAX * 3);
    const items = await holder.items();
    holder.session.faults.push('request-lost', 'reply-lost', 'late');
    await holder.commit(items);
    await holdAllRecorded(holder, ids);
  });

  test('again and again is given up: what is not recorded is still due', async () => {
    const ids = await putMany(holder, 2);
    const items = await holder.items();
    holder.session.faults.push(...Array.from({ length: 100 }, (): Fault => 'request-lost'));
    await holder.commit(items);
    expect(holder.failure).toMatchObject({ code: 'outcome-unknown' });
    for (const id of ids) expect(await holder.runs(id)).toEqual([]);
    await holder.holdTree(ids);
  });

  test('because the coordinator does not serve ends the work at once, with nothing lost', async () => {
    const ids = await putMany(holder, 2);
    const items = await holder.items();
    holder.session.faults.push('unavailable');
    await holder.commit(items);
    expect(holder.failure).toMatchObject({ code: 'unavailable' });
    expect(holder.committed).toEqual([]);
    await holder.holdTree(ids);
    // Whoever adds to it now is told by the failure, and waits for nothing.
    holder.committer.add(items[0] as (typeof items)[0]);
    await holder.committer.flush();
  });
});

describe('an edit between the decision and its commit', () => {
  const edits: [string, (id: string) => Promise<unknown>][] = [
    ['an edit of the policies', (id) => holder.users.put(documentOf({ id, timeout: '3s' }))],
    ['a new schedule', (id) => holder.users.put(documentOf({ id, schedule: { every: '1h' } }))],
    ['a pause', (id) => holder.users.pause(id)],
    ['a launch by hand', (id) => holder.users.run(id)],
    ['a removal', (id) => holder.users.remove(id)],
    [
      'a removal and a new task',
      async (id) => [await holder.users.remove(id), await holder.users.put(documentOf({ id }))],
    ],
  ];

  test.each(edits)('(%s) keeps both: the edit its definition, the run its record', async (_, edit) => {
    const ids = await putMany(holder, COMMIT_ITEMS_MAX + 20);
    const items = await holder.items();
    for (const id of ['task-0', 'task-7', 'task-70']) await edit(id);
    await holder.commit(items);
    expect(holder.failure).toBeUndefined();
    for (const id of ids) {
      expect((await holder.runs(id)).map(({ slotMs, status }) => [slotMs, status])).toEqual([
        [START_MS + MINUTE_MS, 'succeeded'],
      ]);
    }
    expect(holder.committed).toHaveLength(ids.length);
    await holder.holdTree(ids);
  });

  test('refuses the commit of others too, which is made again, and those behind it that share a page', async () => {
    // All on the pages of one minute: what the first commit leaves of them the second one expects.
    const ids = await putMany(holder, 2 * COMMIT_ITEMS_MAX);
    const items = await holder.items();
    const shuffled = items.toSorted((a, b) => a.entry.taskId.localeCompare(b.entry.taskId));
    holder.session.before = async () => void (await holder.users.put(documentOf({ id: 'task-0', timeout: '3s' })));
    await holder.commit(shuffled);
    await holdAllRecorded(holder, ids);
    expect((await holder.record('task-0'))?.task.timeoutMs).toBe(3_000);
  });

  test('of a task whose node is gone leaves only its entry to clear away', async () => {
    const ids = await putMany(holder, 3);
    const items = await holder.items();
    await holder.eyes.multi([{ op: 'remove', path: holder.layout.task('task-1') }]);
    await holder.commit(items);
    expect(holder.failure).toBeUndefined();
    expect(await holder.record('task-1')).toBeUndefined();
    await holder.holdTree(ids);
  });
});

describe('a commit that meets what it does not expect', () => {
  test('makes a directory again that was swept meanwhile', async () => {
    const ids = await putMany(holder, 3);
    const items = await holder.items();
    holder.session.before = async () => {
      for (const { shard } of holder.leases) {
        const day = `${holder.layout.due(shard)}/${dueMinute(START_MS + 2 * MINUTE_MS).day}`;
        const path = `${day}/${dueMinute(START_MS + 2 * MINUTE_MS).minute}`;
        if ((await holder.eyes.children(path))?.length === 0) await holder.eyes.multi([{ op: 'remove', path }]);
      }
    };
    await holder.commit(items);
    await holdAllRecorded(holder, ids);
  });

  test('writes over chunks and dead letters that are there, and misses none that are gone', async () => {
    const [id = ''] = await putMany(holder, 1, { retry: { attempts: 1 }, history: 9 });
    const foreign = [holder.layout.chunk(id, 0), holder.layout.dead(id, START_MS + 5 * MINUTE_MS)];
    await holder.eyes.multi(foreign.map((path) => ({ op: 'create', path, data: 'left by somebody' })));
    for (let i = 0; i < 40; i++) {
      await holder.commit(await holder.items(failing()));
      expect(holder.failure).toBeUndefined();
      if (i === 20) {
        // Somebody cleans up by hand.
        const { chunks, deadSlots } = (await holder.record(id)) as TaskRecord;
        const paths = [
          ...chunks.map(({ index }) => holder.layout.chunk(id, index)),
          ...deadSlots.map((slotMs) => holder.layout.dead(id, slotMs)),
        ];
        await holder.eyes.multi(paths.map((path) => ({ op: 'remove', path })));
      }
      holder.nowMs += MINUTE_MS;
    }
    expect((await holder.runs(id)).slice(0, 9).map(({ slotMs }) => slotMs)).toEqual(
      Array.from({ length: 9 }, (_, i) => START_MS + (40 - i) * MINUTE_MS),
    );
    expect((await holder.users.deadLetters()).items).toHaveLength(10);
  });

  // The first is refused and made again, the second cannot be any more: its entries must still be on their page.
  test('leaves on a shared page what a later commit did not get to record', async () => {
    const ids = await putMany(holder, 2 * COMMIT_ITEMS_MAX);
    const items = (await holder.items()).toSorted((a, b) => a.entry.taskId.localeCompare(b.entry.taskId));
    const first = items[0]?.entry.taskId as string;
    holder.session.before = async () => void (await holder.users.put(documentOf({ id: first, timeout: '3s' })));
    holder.session.faults.push('none', 'none', 'none', 'unavailable');
    await holder.commit(items);
    expect(holder.failure).toMatchObject({ code: 'unavailable' });
    const recorded = await Promise.all(ids.map(async (id) => (await holder.runs(id)).length));
    expect(recorded.filter((count) => count === 1)).toHaveLength(COMMIT_ITEMS_MAX);
    await holder.holdTree(ids);
  });
});

describe('a lease that is lost', () => {
  test('drops what is of its shard, once, and records the rest', async () => {
    const ids = await putMany(holder, 3 * COMMIT_ITEMS_MAX);
    const items = await holder.items();
    await holder.takeAway(1);
    // A further reason to make it again, with the lost ones gone already.
    await holder.users.put(documentOf({ id: 'task-0', timeout: '3s' }));
    holder.session.faults.push('none', 'none', 'none', 'request-lost', 'request-lost');
    await holder.commit(items);
    expect(holder.failure).toBeUndefined();
    expect(new Set(holder.fenced.map(({ lease }) => lease.shard))).toEqual(new Set([1]));
    const dropped = holder.fenced.flatMap((each) => each.dropped.map(({ entry }) => entry.taskId));
    expect(dropped.sort()).toEqual(ids.filter((id) => holder.layout.shardOf(id) === 1).sort());
    for (const id of ids) expect(await holder.runs(id)).toHaveLength(holder.layout.shardOf(id) === 1 ? 0 : 1);
    await holder.holdTree(ids);
  });

  test('with all others writes nothing at all', async () => {
    const ids = await putMany(holder, 20);
    const items = await holder.items();
    for (const shard of [0, 1, 2]) await holder.takeAway(shard);
    await holder.commit(items);
    expect(holder.failure).toBeUndefined();
    expect(holder.committed).toEqual([]);
    expect(holder.fenced.flatMap(({ dropped }) => dropped)).toHaveLength(20);
    for (const id of ids) expect(await holder.runs(id)).toEqual([]);
    await holder.holdTree(ids);
  });
});

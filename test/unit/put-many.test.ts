import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { AuditTrail } from '../../src/audit-trail.ts';
import { batchesOf } from '../../src/bulk.ts';
import { Changes, type Wish } from '../../src/changes.ts';
import { amend, register, remove } from '../../src/edit.ts';
import { TaskQuota } from '../../src/quota.ts';
import { CodeCache } from '../../src/store.ts';
import { parseTask } from '../../src/task.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { Holder, START_MS } from '../support/lone-holder.ts';
import { documentOf } from '../support/task-records.ts';

describe('batches', () => {
  test('hold every document once, fit a transaction, and are of one shard where they can be', () => {
    const bytes = fc.constantFrom(0, 0, 0, 1_000, 30_000);
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 600, size: 'max' }), fc.integer({ min: 1, max: 9 }), (sizes, shards) => {
        const parsed = sizes.map((size, i) => parseTask(documentOf({ id: `${i}`, input: 'x'.repeat(size) })));
        const batches = [...batchesOf(parsed, (id) => Number(id) % shards)];
        const indices = batches.flatMap((batch) => batch.indices);
        expect(indices.toSorted((a, b) => a - b)).toEqual(sizes.map((_, i) => i));
        if (sizes.length <= 64) expect(indices).toEqual(sizes.map((_, i) => i));
        const changesOfShard = indices.filter((index, k) => k > 0 && index % shards !== (indices[k - 1] ?? 0) % shards);
        if (sizes.length > 64) expect(changesOfShard.length).toBeLessThan(shards);
        for (const { indices, tasks } of batches) {
          expect(tasks.map(({ written }) => written.task.id)).toEqual(indices.map(String));
          expect(tasks.length).toBeLessThanOrEqual(64);
          expect(tasks.reduce((sum, { written }) => sum + written.taskText.length, 0)).toBeLessThan(400 * 1_024);
        }
      }),
      { seed: PROPERTY_SEED, numRuns: 12 },
    );
  });
});

describe('tasks that are taken for new', () => {
  let holder: Holder;
  beforeEach(async () => {
    holder = await Holder.open();
  });
  afterEach(() => holder.close());

  const putting = (id: string, input: unknown): Wish => {
    const { task, program } = parseTask(documentOf({ id, input }));
    return {
      ...{ id, program, action: 'put' },
      change: (found, nowMs) => (found === undefined ? register(task, nowMs) : amend(found.record, task, nowMs)),
    };
  };
  const removing = (id: string): Wish => ({
    ...{ id, action: 'remove' },
    change: (found, nowMs) => remove(found?.record as never, nowMs),
  });
  /** @param max of the quota. */
  const changesOf = (max?: number) => {
    let made = 0;
    return new Changes({
      ...{ session: holder.session, layout: holder.layout, code: new CodeCache(), now: async () => START_MS },
      ...{ maker: () => `c${made++}`, trail: new AuditTrail(), quota: new TaskQuota(max) },
    });
  };
  const guess = { principal: 'tester', isLikelyNew: true };

  test('are created unread, in one transaction', async () => {
    const changes = changesOf();
    await changes.apply([putting('first', 0)], { principal: 'tester' });
    holder.session.sent.length = 0;
    const done = await changes.apply([putting('a', 0), putting('b', 0)], guess);
    expect(done.map(({ created }) => created)).toEqual([true, true]);
    expect(holder.session.sent).toHaveLength(1);
  });

  test('and are there already are changed, revived or left as if they had been read first', async () => {
    const changes = changesOf(4);
    await changes.apply(
      ['same', 'edited', 'removed'].map((id) => putting(id, 0)),
      guess,
    );
    await changes.apply([removing('removed')], { principal: 'tester' });
    // With the quota used up: those that are there do not count as new.
    const wishes = [putting('same', 0), putting('edited', 1), putting('removed', 0), putting('new', 0)];
    const done = await changes.apply(wishes, guess);
    expect(done.map(({ created, record }) => [created, record.revision])).toEqual([
      ...[
        [false, 1],
        [false, 2],
      ],
      ...[
        [true, 3],
        [true, 1],
      ],
    ]);
    expect((await holder.record('edited'))?.task.input).toBe(1);
    await expect(changes.apply([putting('same', 2), putting('beyond', 0)], guess)).rejects.toMatchObject({
      code: 'quota-exceeded',
    });
    expect((await holder.record('same'))?.revision).toBe(1);
  });

  test('wait for one look at the trail, however many come at once, and look again when it fails', async () => {
    const { session, layout } = holder;
    const trail = new AuditTrail();
    const children = jest.spyOn(session, 'children').mockRejectedValueOnce(new Error('no answer'));
    const open = () => Promise.allSettled(Array.from({ length: 8 }, () => trail.open(session, layout, START_MS)));
    expect(new Set((await open()).map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(children).toHaveBeenCalledTimes(1);
    expect(new Set((await open()).map(({ status }) => status))).toEqual(new Set(['fulfilled']));
    expect(children).toHaveBeenCalledTimes(3);
  });
});

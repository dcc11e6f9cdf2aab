import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { COMMIT_ITEMS_MAX } from '../../src/commit.ts';
import { type TaskRecord, TOMBSTONE_MS } from '../../src/record.ts';
import { encodeRecord } from '../../src/record-text.ts';
import { holdAllRecorded, MINUTE_MS, putMany } from '../support/commits.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import type { Fault } from '../support/faulty-session.ts';
import { Holder, START_MS } from '../support/lone-holder.ts';
import { documentOf, failing, succeeding } from '../support/task-records.ts';

let holder: Holder;
beforeEach(async () => {
  holder = await Holder.open();
});
afterEach(() => holder.close());

describe('a tombstone', () => {
  async function buried(): Promise<string> {
    const [id = ''] = await putMany(holder, 1, { retry: { attempts: 1 }, history: 20 });
    for (let i = 0; i < 12; i++) {
      await holder.commit(await holder.items(failing()));
      holder.nowMs += MINUTE_MS;
    }
    await holder.users.remove(id);
    holder.nowMs += TOMBSTONE_MS;
    return id;
  }

  test('goes when its time is over, with its history and its dead letters', async () => {
    const id = await buried();
    const items = await holder.items();
    expect(items.map(({ done }) => done)).toContain('purge');
    await holder.commit(items);
    expect(holder.failure).toBeUndefined();
    expect(await holder.eyes.get(holder.layout.task(id))).toBeUndefined();
    expect((await holder.users.deadLetters()).items).toEqual([]);
    expect((await holder.storedPages()).size).toBe(0);
  });

  test('that was put to use again just before is a task, and stays', async () => {
    const id = await buried();
    const items = await holder.items();
    await holder.users.put(documentOf({ id }));
    await holder.commit(items);
    expect(holder.failure).toBeUndefined();
    expect((await holder.record(id))?.ended).toBeUndefined();
    await holder.holdTree([id]);
    expect((await holder.runs(id)).length).toBeGreaterThan(0);
  });

  test('leaves a hint at the code that it was maybe the last to name', async () => {
    await holder.users.put(documentOf({ id: 'gone' }));
    const hash = (await holder.record('gone'))?.task.code.hash;
    await holder.users.remove('gone');
    expect(await holder.eyes.children(holder.layout.dropped)).toEqual([]);
    holder.nowMs += TOMBSTONE_MS;
    holder.session.faults.push('request-lost', 'reply-lost');
    await holder.commit(await holder.items());
    expect(await holder.record('gone')).toBeUndefined();
    const names = (await holder.eyes.children(holder.layout.dropped)) ?? [];
    const hints = await holder.eyes.getMany(names.map((name) => holder.layout.hint(name)));
    expect(hints.map((node) => node?.data)).toEqual([hash]);
  });

  test('that was put to use and removed again stays for its new week', async () => {
    const id = await buried();
    const items = await holder.items();
    await holder.users.put(documentOf({ id }));
    await holder.users.remove(id);
    await holder.commit(items);
    expect((await holder.record(id))?.ended).toBe('removed');
    await holder.holdTree([id]);
  });
});

describe('a batch that is too large for one transaction', () => {
  test('of runs that say much is split', async () => {
    const ids = await putMany(holder, COMMIT_ITEMS_MAX);
    const logs = ['x'.repeat(8_000), 'y'.repeat(8_000)];
    await holder.commit(await holder.items({ ...succeeding('z'.repeat(16_000)), logs }));
    await holdAllRecorded(holder, ids);
    expect((await holder.runs('task-5'))[0]?.logs).toEqual(logs);
  });

  // Sixty-four pages, each with sixty-three long lines to be written again.
  test('of pages that are only shortened is split', async () => {
    const ids = Array.from({ length: COMMIT_ITEMS_MAX }, (_, i) => `task-${i}`);
    for (const id of ids) await holder.users.put(documentOf({ id }));
    const others = Array.from({ length: 63 }, (_, i) => `${START_MS + 119_999}-1-${String(i).padStart(128, 'x')}`);
    for (const [path, lines] of await holder.storedPages()) {
      await holder.eyes.multi([{ op: 'set', path, data: [...lines, ...others].join('\n') }]);
    }
    holder.nowMs = START_MS + MINUTE_MS;
    await holder.commit(await holder.items());
    await holdAllRecorded(holder, ids);
  });

  test('of tombstones with long histories is split', async () => {
    const ids = await putMany(holder, COMMIT_ITEMS_MAX);
    const ops = [];
    for (const id of ids) {
      await holder.users.remove(id);
      const record = (await holder.record(id)) as TaskRecord;
      const chunks = Array.from({ length: 200 }, (_, index) => ({ index, count: 1 }));
      ops.push([
        { op: 'set', path: holder.layout.task(id), data: encodeRecord({ ...record, chunks }) } as const,
        ...chunks.map(({ index }) => ({ op: 'create', path: holder.layout.chunk(id, index), data: '[]' }) as const),
      ]);
    }
    await Promise.all(ops.map((each) => holder.eyes.multi(each)));
    holder.nowMs += TOMBSTONE_MS;
    await holder.commit(await holder.items());
    expect(holder.failure).toBeUndefined();
    for (const id of ids) expect(await holder.eyes.get(holder.layout.task(id))).toBeUndefined();
  });
});

test('nothing is lost or doubled, whatever faults and edits come together', async () => {
  const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'reply-lost', 'request-lost', 'late');
  const edit = fc.record({
    task: fc.integer({ min: 0, max: 149 }),
    kind: fc.constantFrom('put', 'schedule', 'pause', 'resume', 'run', 'remove', 'again'),
  });
  type Edit = { readonly task: number; readonly kind: string };
  const apply = async ({ task, kind }: Edit) => {
    const id = `task-${task}`;
    const { users } = holder;
    if (kind === 'remove') return void (await users.remove(id));
    if ((await users.get(id)) === undefined || kind === 'again') return void (await users.put(documentOf({ id })));
    if (kind === 'put') await users.put(documentOf({ id, timeout: '3s' }));
    if (kind === 'schedule') await users.put(documentOf({ id, schedule: { every: '20s' } }));
    if (kind === 'pause') await users.pause(id);
    if (kind === 'resume') await users.resume(id);
    if (kind === 'run') await users.run(id);
  };
  const round = fc.record({
    faults: fc.array(fault, { maxLength: 12 }),
    before: fc.array(edit, { maxLength: 3 }),
    during: fc.array(edit, { maxLength: 3 }),
    passMs: fc.constantFrom(20_000, MINUTE_MS, 3 * MINUTE_MS),
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
      await holder.close();
      holder = await Holder.open();
      const ids = await putMany(holder, 150);
      for (const { faults, before, during, passMs, fails } of rounds) {
        const items = await holder.items(fails ? failing() : succeeding());
        for (const each of before) await apply(each);
        holder.session.before = async () => {
          for (const each of during) await apply(each);
        };
        holder.session.faults.push(...faults);
        await holder.commit(items);
        expect(holder.failure).toBeUndefined();
        expect(holder.committed.splice(0)).toHaveLength(items.length);
        holder.session.faults.length = 0;
        holder.session.before = undefined;
        await holder.holdTree(ids);
        holder.nowMs += passMs;
      }
    }),
    { seed: PROPERTY_SEED, numRuns: 25 },
  );
}, 120_000);

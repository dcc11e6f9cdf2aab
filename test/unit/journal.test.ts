import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ask, register } from '../../src/edit.ts';
import { type Begun, isUnfinished, Journal } from '../../src/journal.ts';
import { decodeJournal, encodeJournal } from '../../src/layout.ts';
import { acquire, type Lease, release } from '../../src/lease.ts';
import type { TaskRecord } from '../../src/record.ts';
import type { Fault } from '../support/faulty-session.ts';
import { Holder } from '../support/lone-holder.ts';
import { at, taskOf } from '../support/task-records.ts';

const START_MS = at('2027-01-01T00:00:00Z');
const SLOT_MS = START_MS + 60_000;

let holder: Holder;
let journal: Journal;
let lost: Lease[];
beforeEach(async () => {
  holder = await Holder.open();
  lost = [];
  journal = new Journal(holder.session, holder.layout, (lease) => lost.push(lease));
});
afterEach(() => holder.close());

const begun = (taskId: string, attempt = 1, slotMs = SLOT_MS): Begun => {
  const lease = holder.leases[holder.layout.shardOf(taskId)] as Lease;
  return { taskId, slotMs, attempt, isManual: false, lease };
};
const IDS = Array.from({ length: 12 }, (_, i) => `task-${i}`);

/** What the journals of all shards hold, as `task@slot attempt`. */
async function stored(): Promise<string[]> {
  const lines: string[] = [];
  for (const { shard } of holder.leases) {
    const directory = holder.layout.journal(shard);
    for (const name of (await holder.eyes.children(directory)) ?? []) {
      const node = await holder.eyes.get(`${directory}/${name}`);
      lines.push(
        ...decodeJournal(node?.data ?? '').map(({ taskId, slotMs, attempt }) => `${taskId}@${slotMs} ${attempt}`),
      );
    }
  }
  return lines.sort();
}

const lines = (ids: readonly string[], attempt = 1) => ids.map((id) => `${id}@${SLOT_MS} ${attempt}`).sort();

/** The next holder of all shards, as after the death of this one; its journal has taken over what it found. */
async function successor(
  records: Readonly<Record<string, TaskRecord>>,
): Promise<{ journal: Journal; leases: Lease[] }> {
  const leases: Lease[] = [];
  for (const { shard } of holder.leases) {
    await holder.eyes.multi([{ op: 'remove', path: holder.layout.lock(shard) }]);
    leases.push((await acquire(holder.eyes, holder.layout, shard, `next of ${shard}`)) as Lease);
  }
  const next = new Journal(holder.eyes, holder.layout, () => undefined);
  const journals = (lease: Lease) => holder.eyes.children(holder.layout.journal(lease.shard));
  const left = await Promise.all(leases.map(async (lease) => ({ lease, journals: (await journals(lease)) ?? [] })));
  await next.takeOver(left, async (ids) => ids.map((id) => records[id]));
  return { journal: next, leases };
}

const due = (id: string): TaskRecord => register(taskOf({ id }), START_MS);
const attempts = (inherited: ReturnType<Journal['inherited']>) =>
  [...(inherited ?? [])].map(([slotMs, { attempt }]) => [slotMs, attempt]);

describe('the journal', () => {
  test('holds what was begun in all shards, in one fenced transaction', async () => {
    await journal.begin(IDS.map((id) => begun(id)));
    expect(await stored()).toEqual(lines(IDS));
    expect(holder.session.sent).toHaveLength(1);
  });

  test('of nothing writes nothing', async () => {
    await journal.begin([]);
    expect(holder.session.sent).toEqual([]);
  });

  test('holds a launch once, however often it is begun ahead of its time', async () => {
    await journal.begin([begun('task-1')]);
    await journal.begin([begun('task-1'), begun('task-2')]);
    expect(await stored()).toEqual(lines(['task-1', 'task-2']));
    await journal.begin([begun('task-1')]);
    expect(holder.session.sent).toHaveLength(2);
  });

  test('is written before a launch starts, also when another call writes the same one just now', async () => {
    const both = [journal.begin([begun('task-1')]), journal.begin([begun('task-1')])];
    let first = false;
    void both[0]?.then(() => {
      first = true;
    });
    await both[1];
    expect(first).toBe(true);
    await Promise.all(both);
    expect(await stored()).toEqual(lines(['task-1']));
  });

  test('never overwrites what is not recorded yet, and uses a node again once all of it is', async () => {
    await journal.begin([begun('task-1'), begun('task-4')]);
    journal.done('task-1', SLOT_MS);
    await journal.begin([begun('task-2')]);
    expect(await stored()).toEqual(lines(['task-1', 'task-2', 'task-4']));
    journal.done('task-2', SLOT_MS);
    journal.done('task-4', SLOT_MS);
    const nodes = async () =>
      (await Promise.all(holder.leases.map(({ shard }) => holder.eyes.children(holder.layout.journal(shard))))).flat();
    const before = (await nodes()).length;
    for (let i = 0; i < 50; i++) {
      await journal.begin(IDS.map((id) => begun(id, 1, SLOT_MS + i)));
      for (const id of IDS) journal.done(id, SLOT_MS + i);
    }
    expect((await nodes()).length).toBeLessThanOrEqual(before + 3);
  });

  test('holds the next attempt at a launch whose last one is recorded', async () => {
    await journal.begin([begun('task-1')]);
    journal.done('task-1', SLOT_MS);
    await journal.begin([begun('task-1', 2)]);
    expect(await stored()).toEqual(lines(['task-1'], 2));
  });

  test('is empty when the lease is given back, and keeps what is not recorded', async () => {
    await journal.begin(IDS.map((id) => begun(id)));
    for (const id of IDS.slice(1)) journal.done(id, SLOT_MS);
    for (const lease of holder.leases) await release(holder.session, holder.layout, lease, journal.closing(lease));
    const [left = ''] = IDS;
    expect((await stored()).filter((line) => line.startsWith(`${left}@`))).toEqual(lines([left]));
    const shards = await Promise.all(
      holder.leases.map(({ shard }) => holder.eyes.children(holder.layout.journal(shard))),
    );
    expect(shards.filter((names) => names?.length !== 0)).toHaveLength(1);
  });
});

describe('a write of the journal', () => {
  test.each<[string, Fault[]]>([
    ['whose reply is lost', ['reply-lost']],
    ['whose request is lost', ['request-lost']],
    ['that is applied late', ['late']],
    ['that is lost again and again', ['request-lost', 'reply-lost', 'late']],
  ])('%s is made, once', async (_, faults) => {
    holder.session.faults.push(...faults);
    await journal.begin(IDS.map((id) => begun(id)));
    expect(await stored()).toEqual(lines(IDS));
    // And over a node that is there already.
    for (const id of IDS) journal.done(id, SLOT_MS);
    holder.session.faults.push(...faults);
    await journal.begin(IDS.map((id) => begun(id, 2)));
    expect(await stored()).toEqual(lines(IDS, 2));
  });

  test('that cannot be made lets nothing start', async () => {
    holder.session.faults.push('unavailable');
    await expect(journal.begin([begun('task-1')])).rejects.toMatchObject({ code: 'unavailable' });
    holder.session.faults.push(...Array.from({ length: 100 }, (): Fault => 'request-lost'));
    await expect(journal.begin([begun('task-2')])).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(await stored()).toEqual([]);
  });

  test('under several leases of which one is lost is made for the others', async () => {
    await holder.takeAway(1);
    await journal.begin(IDS.map((id) => begun(id)));
    expect(lost.map(({ shard }) => shard)).toEqual([1]);
    const held = IDS.filter((id) => holder.layout.shardOf(id) !== 1);
    expect(held.length).toBeGreaterThan(0);
    expect(await stored()).toEqual(lines(held));
  });

  test('under leases that are all lost writes nothing', async () => {
    for (const { shard } of holder.leases) await holder.takeAway(shard);
    await journal.begin(IDS.map((id) => begun(id)));
    expect(lost).toHaveLength(3);
    expect(await stored()).toEqual([]);
  });
});

describe('a successor', () => {
  test('learns what was begun and not recorded, and keeps it written down until it is', async () => {
    await journal.begin([begun('task-1'), begun('task-2', 2)]);
    const { journal: next, leases } = await successor({ 'task-1': due('task-1'), 'task-2': due('task-2') });
    expect(attempts(next.inherited('task-1'))).toEqual([[SLOT_MS, 1]]);
    expect(attempts(next.inherited('task-2'))).toEqual([[SLOT_MS, 2]]);
    expect(next.inherited('task-3')).toBeUndefined();
    // Should it die before the launches have an end, the one after it must still know.
    for (const lease of leases) expect(next.closing(lease).length).toBeLessThanOrEqual(1);
    expect(leases.flatMap((lease) => next.closing(lease))).toEqual([]);
    next.done('task-1', SLOT_MS);
    next.done('task-2', SLOT_MS);
    expect(attempts(next.inherited('task-1'))).toEqual([]);
    for (const lease of leases) await release(holder.eyes, holder.layout, lease, next.closing(lease));
    expect(await stored()).toEqual([]);
  });

  test('that begins the launch again is known by the higher attempt, and by that alone', async () => {
    await journal.begin([begun('task-1')]);
    const { journal: second, leases } = await successor({ 'task-1': due('task-1') });
    const lease = leases[holder.layout.shardOf('task-1')] as Lease;
    await second.begin([{ taskId: 'task-1', slotMs: SLOT_MS, attempt: 2, isManual: false, lease }]);
    expect(await stored()).toEqual([`task-1@${SLOT_MS} 1`, `task-1@${SLOT_MS} 2`]);
    const { journal: third, leases: last } = await successor({ 'task-1': due('task-1') });
    expect(attempts(third.inherited('task-1'))).toEqual([[SLOT_MS, 2]]);
    third.done('task-1', SLOT_MS);
    for (const each of last) await release(holder.eyes, holder.layout, each, third.closing(each));
    expect(await stored()).toEqual([]);
  });

  test('knows the highest of the attempts, in whatever order it finds them', async () => {
    const directory = holder.layout.journal(holder.layout.shardOf('task-1'));
    const found = Object.entries({ a: 2, b: 3, c: 1 }).map(
      ([name, attempt]) =>
        ({ op: 'create', path: `${directory}/${name}`, data: encodeJournal([begun('task-1', attempt)]) }) as const,
    );
    await holder.eyes.multi(found);
    const { journal: next, leases } = await successor({ 'task-1': due('task-1') });
    expect(attempts(next.inherited('task-1'))).toEqual([[SLOT_MS, 3]]);
    // Only the node that says so must stay.
    expect(leases.flatMap((lease) => next.closing(lease))).toHaveLength(2);
  });

  test('that withdraws its own start still knows what its predecessor had begun', async () => {
    await journal.begin([begun('task-1')]);
    const { journal: next, leases } = await successor({ 'task-1': due('task-1') });
    const lease = leases[holder.layout.shardOf('task-1')] as Lease;
    await next.begin([{ taskId: 'task-1', slotMs: SLOT_MS, attempt: 2, isManual: false, lease }]);
    next.withdraw('task-1', SLOT_MS);
    expect(attempts(next.inherited('task-1'))).toEqual([[SLOT_MS, 1]]);
    expect(next.closing(lease)).toHaveLength(1);
  });

  test('sweeps what is recorded already, of tasks that are gone, and what cannot be read', async () => {
    await journal.begin(['task-1', 'task-2', 'task-3'].map((id) => begun(id)));
    const shard = holder.layout.shardOf('task-1');
    const odd = { op: 'create', path: `${holder.layout.journal(shard)}/odd`, data: 'garbage\n..' } as const;
    await holder.eyes.multi([odd]);
    const ran = { ...due('task-1'), nextSlotMs: SLOT_MS + 60_000, decidedMs: SLOT_MS };
    const removed = { ...due('task-3'), ended: 'removed' as const };
    const { journal: next, leases } = await successor({ 'task-1': ran, 'task-3': removed });
    for (const id of ['task-1', 'task-2', 'task-3']) expect(attempts(next.inherited(id))).toEqual([]);
    for (const lease of leases) await release(holder.eyes, holder.layout, lease, next.closing(lease));
    for (const lease of leases) expect(await holder.eyes.children(holder.layout.journal(lease.shard))).toEqual([]);
  });
});

describe('a launch that was begun is unfinished', () => {
  const record = due('task');
  const retry = { slotMs: SLOT_MS, attempt: 2, dueMs: SLOT_MS + 5, sinceMs: SLOT_MS };
  const { nextSlotMs: _, ...ended } = record;
  const asked = ask(record, START_MS + 5, {});

  test.each<[string, TaskRecord, number, number, boolean]>([
    ['while its slot is not decided', record, SLOT_MS, 1, true],
    ['while an earlier slot is not decided', record, SLOT_MS + 60_000, 1, true],
    ['though an edit has moved the schedule past it', { ...record, nextSlotMs: SLOT_MS + 1 }, SLOT_MS, 1, true],
    ['not when its slot is decided', { ...record, decidedMs: SLOT_MS }, SLOT_MS, 1, false],
    ['though an edit has ended the schedule', { ...ended, ended: 'exhausted' }, SLOT_MS, 1, true],
    ['not when a run has completed its task', { ...ended, ended: 'completed' }, SLOT_MS, 1, false],
    ['not when its task is removed', { ...record, ended: 'removed' }, SLOT_MS, 1, false],
    ['when it is the attempt that waits', { ...ended, retry }, SLOT_MS, 2, true],
    ['when it is a later one', { ...ended, retry }, SLOT_MS, 3, true],
    ['not when it is the attempt that is recorded', { ...ended, retry }, SLOT_MS, 1, false],
    ['while it waits among those asked for by hand', asked.record, asked.slotMs, 1, true],
    ['not when what was asked for by hand has run', record, START_MS + 5, 1, false],
  ])('%s', (title, known, slotMs, attempt, expected) => {
    const isManual = title.includes('by hand');
    expect(isUnfinished(known, { taskId: 'task', slotMs, attempt, isManual })).toBe(expected);
  });
});

/** Several ticks, each with a share of the shards: they spread, nothing is doubled, and no shard is left alone. */
import { expect, it } from '@jest/globals';
import type { TickReport } from '../../../src/report.ts';
import { shardOf } from '../../../src/shard.ts';
import type { TickOptions } from '../../../src/tick.ts';
import { accountedFor, hasRun, leftovers, runsOf } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, eventually, GATED, Gate, linger, type TestEngine, task } from './world.ts';

const SHARDS = 8;
const PER_SHARD = 5;

export function shareTests(engine: TestEngine): void {
  const open = (gate = new Gate()) => engine.open({ shards: SHARDS, capabilities: { gate: gate.capability } });

  /** So many tasks that are due in each of the shards; the first of each waits at the gate. */
  async function backlog(count = PER_SHARD): Promise<string[]> {
    const past = await engine.open({ shards: SHARDS, clock: clockAt(-2_000) });
    await past.status(); // makes the namespace
    const byShard = Array.from({ length: SHARDS }, () => [] as string[]);
    for (let i = 0; byShard.some((ids) => ids.length < count); i++) {
      const ids = byShard[shardOf(`due-${i}`, SHARDS)];
      if (ids !== undefined && ids.length < count) ids.push(`due-${i}`);
    }
    const documents = byShard.flatMap(([first, ...others]) => [
      task(first as string, { schedule: at(-1_000), ...GATED }),
      ...others.map((id) => task(id, { schedule: at(-1_000) })),
    ]);
    await past.tasks.putMany(documents);
    return byShard.flat();
  }

  it.each([2, 4])('spreads the shards over %i ticks at once, and launches everything once', async (ticks) => {
    const ids = await backlog();
    const gate = new Gate();
    const launched: string[] = [];
    const options: TickOptions = { shardsMax: SHARDS / ticks, onRun: (id) => launched.push(id) };
    const keepers = await Promise.all(Array.from({ length: ticks }, () => open(gate)));
    const running = Promise.all(keepers.map((keeper) => keeper.tick(options)));
    // Held up in every shard at once, so none of them is through with its share and helps another.
    await Promise.race([gate.reached(SHARDS), running]);
    gate.open();
    const reports: TickReport[] = await running;
    expect(reports.map(({ shards }) => shards)).toEqual(keepers.map(() => SHARDS / ticks));
    expect(reports.map(({ due }) => due)).toEqual(keepers.map(() => (SHARDS / ticks) * PER_SHARD));
    expect(launched.toSorted()).toEqual(ids.toSorted());
    expect(await leftovers(engine)).toEqual([]);
  });

  it('takes the shards of the tasks that it was started for, and leaves the others to whoever lingers', async () => {
    const [first, ...others] = await backlog(1);
    const gate = new Gate();
    gate.open();
    const keeper = await open(gate);
    expect(await keeper.tick({ tasks: [first as string, first as string] })).toMatchObject({ shards: 1 });
    expect(await keeper.tick({ tasks: [] })).toMatchObject({ shards: 0 });
    expect(await keeper.tick()).toMatchObject({ shards: SHARDS, due: others.length });
  });

  it('goes through all shards share by share when nobody else comes, and calls for help while it is busy', async () => {
    const ids = await backlog(2);
    const gate = new Gate();
    const keeper = await open(gate);
    const waiting: number[][] = [];
    const running = keeper.tick({ shardsMax: 3, onWaiting: (shards) => waiting.push([...shards]) });
    await eventually('it calls for help', () => waiting.length > 0);
    const held = (await keeper.status()).shards.filter((shard) => shard.held).map(({ shard }) => shard);
    expect(held).toHaveLength(3);
    expect([...held, ...waiting.flat()].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    // One that comes takes what it was called for and nothing else, in shares of its own.
    const helping = (await open(gate)).tick({ shardsMax: 1, shards: waiting[0]?.slice(0, 2) as number[] });
    await gate.reached(4);
    gate.open();
    const reports = await Promise.all([running, helping]);
    expect(reports[1].shards).toBeGreaterThanOrEqual(1);
    expect(reports[1].shards).toBeLessThanOrEqual(2);
    expect(reports.map(accountedFor).reduce((sum, due) => sum + due)).toBe(ids.length);
    expect(reports.map(({ loadedShards }) => loadedShards)).toEqual([[], []]);
    expect(waiting).toHaveLength(1);
    expect(await leftovers(engine)).toEqual([]);
  });

  it('tells in which shards it leaves work behind that it had no time to read, and refuses shards that are not there', async () => {
    await backlog(1);
    const keeper = await open();
    const shards = [5, 2];
    expect(await keeper.tick({ shards, signal: AbortSignal.abort() })).toMatchObject({ due: 0, loadedShards: [2, 5] });
    for (const wrong of [[8], [0, 0], [], [-1], '0'] as number[][]) {
      await expect(keeper.tick({ shards: wrong })).rejects.toMatchObject({ code: 'invalid' });
    }
    await expect(keeper.tick({ shardsMax: 0 })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('takes over beyond its share what nobody holds for a while, so that no shard is left alone', async () => {
    await engine.keeper.status(); // makes the namespace
    const dying = await engine.session();
    const { lock, epoch } = engine.layout;
    for (const shard of [1, 2]) {
      await dying.multi([
        { op: 'create', path: lock(shard), data: 'dying', mode: 'ephemeral' },
        { op: 'set', path: epoch(shard), data: 'dying' },
      ]);
    }
    const idOn = (shard: number) =>
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find((id) => engine.layout.shardOf(id) === shard) as string;
    const ids = [0, 1, 2].map(idOn);
    await engine.keeper.tasks.putMany(ids.map((id) => task(id, { schedule: { every: '200ms' }, ...EVERY_SLOT })));
    const { stop, until } = await linger(engine, { shardsMax: 1 });
    await until('its own shard is at work', hasRun(engine, ids[0] as string, 2));
    await dying.close();
    for (const id of ids) await until(`${id} is at work`, hasRun(engine, id, 2));
    expect(await stop()).toMatchObject({ shards: 3, fenced: 0 });
    for (const id of ids) {
      const slots = (await runsOf(engine, id)).map(({ slot }) => Date.parse(slot));
      expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 200));
    }
    expect(await leftovers(engine)).toEqual([]);
  });
}

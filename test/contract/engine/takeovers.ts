/** Others are at work, and then are not: whoever lingers takes over, and whoever stands by waits for that. */
import { expect, it } from '@jest/globals';
import { hasRun, leftovers, runsOf, statuses } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, GATED, Gate, linger, type TestEngine, task } from './world.ts';

export function takeoverTests(engine: TestEngine): void {
  const BEAT = { schedule: { every: '100ms' }, ...EVERY_SLOT } as const;

  /** Locks of shards, held by somebody who does nothing. */
  async function occupy(shards: readonly number[]) {
    await engine.keeper.status(); // makes the namespace
    const session = await engine.session();
    const { lock, epoch } = engine.layout;
    for (const shard of shards) {
      await session.multi([
        { op: 'create', path: lock(shard), data: 'idler', mode: 'ephemeral' },
        { op: 'set', path: epoch(shard), data: 'idler' },
      ]);
    }
    return session;
  }

  const idOn = (shard: number) =>
    Array.from({ length: 100 }, (_, i) => `beat-${i}`).find((id) => engine.layout.shardOf(id) === shard) as string;

  /** A tick that stays, whoever holds the shards. */
  function stay(standby: boolean) {
    const controller = new AbortController();
    const done = engine.keeper.tick({ lingerMs: 60_000, standby, signal: controller.signal });
    done.catch(() => undefined);
    return {
      done,
      stop: () => {
        controller.abort();
        return done;
      },
    };
  }

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`it never came to be that ${what}`);
  }

  it('takes over a shard whose holder dies, while it lingers on another one', async () => {
    const idler = await occupy([0]);
    await engine.keeper.tasks.putMany([task(idOn(0), BEAT), task(idOn(1), BEAT)]);
    const { stop } = stay(false);
    await until('its own shard is at work', hasRun(engine, idOn(1), 3));
    expect(await runsOf(engine, idOn(0))).toEqual([]);
    await idler.close();
    await until('the other one, too', hasRun(engine, idOn(0), 3));
    expect(await stop()).toMatchObject({ shards: 3, fenced: 0 });
    const slots = (await runsOf(engine, idOn(0))).map(({ slot }) => Date.parse(slot));
    expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 100));
    expect(await leftovers(engine)).toEqual([]);
  });

  it('stands by while others hold every shard, and is at work as soon as they are gone', async () => {
    const idler = await occupy([0, 1, 2]);
    await engine.keeper.tasks.put(task(idOn(2), BEAT));
    const { stop } = stay(true);
    await idler.close();
    await until('it is at work', hasRun(engine, idOn(2), 2));
    expect(await stop()).toMatchObject({ shards: 3 });
    expect(await leftovers(engine)).toEqual([]);
  });

  it('does not stay where it is not asked to stand by, and others are at work', async () => {
    const idler = await occupy([0, 1, 2]);
    expect(await stay(false).done).toMatchObject({ shards: 0, due: 0 });
    await idler.close();
  });

  it('runs again what a holder had begun that died beside it', async () => {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('orphan', { schedule: at(-1_000), ...GATED }));
    const { done } = await linger(engine, {}, keeper);
    await gate.reached();
    const heir = await engine.open({ capabilities: { gate: async () => undefined } });
    const controller = new AbortController();
    const inherited = heir.tick({ lingerMs: 60_000, standby: true, signal: controller.signal });
    await engine.crash();
    await expect(done).rejects.toMatchObject({ code: 'session-lost', message: expect.stringContaining('1 launches') });
    gate.open();
    await until('it has run again', hasRun(engine, 'orphan'));
    controller.abort();
    await inherited;
    expect(await runsOf(engine, 'orphan')).toMatchObject([{ attempt: 2, status: 'succeeded' }]);
    expect(statuses(await runsOf(engine, 'orphan'))).toHaveLength(1);
  });
}

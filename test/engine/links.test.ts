/** Connections to a real ZooKeeper that break while a tick is at work: what is not known to be written is found out. */
import { describe, expect, it, jest } from '@jest/globals';
import { sleep, systemClock } from '../../src/clock.ts';
import { dueIndex, leftovers, runsOf } from '../contract/engine/eyes.ts';
import { at, clockAt, EVERY_SLOT, linger, task, useEngine } from '../contract/engine/world.ts';
import { FlakyProxy } from '../support/proxy.ts';
import { describeWithZooKeeper, sharedServer, testCoordinator } from '../support/zookeeper.ts';

jest.setTimeout(60_000);

const SESSION_MS = 8_000;
const CUTS = 12;

describeWithZooKeeper('links that break', () => {
  let proxy: FlakyProxy;
  const engine = useEngine(async () => {
    proxy = await FlakyProxy.to(sharedServer());
    const coordinator = testCoordinator({ servers: [proxy.address], sessionTimeoutMs: SESSION_MS });
    const expire = () => Promise.reject(new Error('not used'));
    const dispose = async () => {
      await coordinator.close();
      await proxy[Symbol.asyncDispose]();
    };
    return { coordinator, expire, dispose };
  });

  /** Counts what is started, and what is recorded, by launch. */
  function counters() {
    const started = new Map<string, number>();
    const recorded = new Map<string, number>();
    const count = (counts: Map<string, number>, launch: string) => counts.set(launch, (counts.get(launch) ?? 0) + 1);
    const capabilities = { start: (launch: string) => count(started, launch) };
    const onRun = (id: string, { slotMs }: { slotMs: number }) => count(recorded, `${id}@${slotMs}`);
    return { started, recorded, capabilities, onRun };
  }

  const COUNTED = {
    code: 'export default async (ctx) => { await ctx.call("start", ctx.idempotencyKey) }',
    capabilities: { call: ['start'] },
  };

  const isPage = (path: string) => /\/due\/\d+\/\d+\/./.test(path);

  const once = (launches: Iterable<string>) => new Map([...launches].map((launch) => [launch, 1]));

  describe.each([
    ['requests', () => proxy.cutAll()],
    [
      'replies',
      // Everything that is sent from now on arrives and is carried out; the answers do not come back.
      async () => {
        proxy.swallowToClient = true;
        await sleep(systemClock, 15);
        proxy.cutAll();
        proxy.swallowToClient = false;
      },
    ],
  ])('and lose %s', (_, cut) => {
    it('lose and double nothing of a backlog', async () => {
      const past = await engine.open({ clock: clockAt(-10_000) });
      const schedule = at(-5_000);
      const ids = Array.from({ length: 1_500 }, (_, i) => `launch-${i}`);
      await past.tasks.putMany(ids.map((id) => task(id, { schedule, ...COUNTED })));
      const { started, recorded, capabilities, onRun } = counters();
      const keeper = await engine.open({ capabilities });
      let isOver = false;
      const ticking = keeper.tick({ onRun }).finally(() => {
        isOver = true;
      });
      ticking.catch(() => undefined);
      let cuts = 0;
      while (!isOver && cuts < CUTS) {
        const before = recorded.size;
        while (!isOver && recorded.size <= before) await sleep(systemClock, 1);
        await cut();
        cuts++;
      }
      const report = await ticking;
      expect(cuts).toBeGreaterThan(2);
      expect(report).toMatchObject({ due: ids.length, succeeded: ids.length, fenced: 0, deferred: 0 });
      const launches = once(ids.map((id) => `${id}@${Date.parse(schedule.at)}`));
      expect(recorded).toEqual(launches);
      expect(started).toEqual(launches);
      for (const id of ids.filter((_, i) => i % 10 === 0)) expect(await runsOf(engine, id)).toHaveLength(1);
      expect(await keeper.tick()).toMatchObject({ due: 0 });
      expect(await leftovers(engine)).toEqual([]);
      expect((await dueIndex(engine)).filter(isPage)).toEqual([]);
    });

    it('lose and double nothing while it lingers, and while tasks are put', async () => {
      const { started, recorded, capabilities, onRun } = counters();
      const keeper = await engine.open({ capabilities });
      const ids = Array.from({ length: 10 }, (_, i) => `beat-${i}`);
      const beat = (id: string) => task(id, { schedule: { every: '100ms' }, ...COUNTED, ...EVERY_SLOT });
      await keeper.tasks.putMany(ids.map(beat));
      const { until, stop } = await linger(engine, { onRun }, keeper);
      for (let cuts = 0; cuts < CUTS; cuts++) {
        const before = recorded.size;
        await until('it goes on', () => recorded.size >= before + ids.length);
        const putting = engine.keeper.tasks.put(task(`put-${cuts}`, { schedule: { after: '0s' }, ...COUNTED }));
        await cut();
        expect(await putting).toMatchObject({ revision: 1 });
      }
      const puts = Array.from({ length: CUTS }, (_, i) => `put-${i}`);
      const isRecorded = (id: string) => [...recorded.keys()].some((launch) => launch.startsWith(`${id}@`));
      await until('all that was put has run', () => puts.every(isRecorded));
      expect(await stop()).toMatchObject({ succeeded: recorded.size, fenced: 0, failed: 0, skipped: 0 });
      expect(recorded).toEqual(once(recorded.keys()));
      expect(started).toEqual(recorded);
      for (const id of ids) {
        const slots = (await runsOf(engine, id)).map(({ slot }) => Date.parse(slot));
        expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 100));
      }
      expect(await leftovers(engine)).toEqual([]);
    });
  });
});

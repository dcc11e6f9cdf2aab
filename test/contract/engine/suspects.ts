/** A launch that takes its holder with it every time is found out, and harms nobody else. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { leftovers, runsOf, statuses } from './eyes.ts';
import { at, clockAt, type TestEngine, task } from './world.ts';

/** Ticks within which all must be over: one for each attempt of the poison, one to close it, and one to spare. */
const TICKS_MAX = 5;

export function suspectTests(engine: TestEngine): void {
  const started: string[] = [];

  /** A process in which the poison ends the session of whoever runs it. */
  const open = () =>
    engine.open({
      capabilities: {
        dies: async (id: string) => {
          started.push(id);
          await engine.crash();
          await new Promise(() => {});
        },
        lives: async (id: string) => {
          started.push(id);
          await delay(20);
        },
      },
    });

  const calling = (name: string) => ({
    code: `export default async (ctx) => { await ctx.call("${name}", ctx.taskId); }`,
    capabilities: { call: [name] },
    schedule: at(-1_000),
  });

  it('gives up the one launch that kills every tick, and none of those that ran beside it', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    const ids = Array.from({ length: 20 }, (_, i) => `innocent-${i}`);
    await past.tasks.putMany([
      task('poison', { ...calling('dies'), retry: { attempts: 1 } }),
      ...ids.map((id) => task(id, { ...calling('lives'), retry: { attempts: 1 } })),
    ]);
    started.length = 0;
    const failures: string[] = [];
    for (let i = 0; i < TICKS_MAX; i++) {
      await (await open()).tick().catch(({ code }) => failures.push(code));
    }
    expect(failures).toEqual(['session-lost', 'session-lost', 'session-lost']);
    const [poisoned] = await runsOf(engine, 'poison');
    expect(poisoned).toMatchObject({ status: 'failed', attempt: 3, error: { name: 'HolderLost' } });
    for (const id of ids) expect(statuses(await runsOf(engine, id))).toEqual(['succeeded']);
    expect((await engine.keeper.tasks.deadLetters()).items).toMatchObject([{ taskId: 'poison' }]);
    expect(await leftovers(engine)).toEqual([]);
  });

  it('starts nothing beside a launch that has killed two holders, and runs all else before it', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('poison', calling('dies')));
    for (let i = 0; i < 2; i++) await (await open()).tick().catch(() => undefined);
    const ids = Array.from({ length: 10 }, (_, i) => `later-${i}`);
    await past.tasks.putMany(ids.map((id) => task(id, { ...calling('lives'), delivery: 'at-most-once' })));
    started.length = 0;
    await expect((await open()).tick()).rejects.toMatchObject({ code: 'session-lost' });
    expect(started.toSorted()).toEqual([...ids, 'poison'].toSorted());
    expect(started.at(-1)).toBe('poison');
    for (const id of ids) expect(statuses(await runsOf(engine, id))).toEqual(['succeeded']);
  });

  it('begins a suspect at once where a tick has no time to let it wait, or it would be put off for ever', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('once-bad', { ...calling('dies'), timeout: '1s' }));
    for (let i = 0; i < 2; i++) await (await open()).tick().catch(() => undefined);
    const healed = await engine.open({ capabilities: { dies: async () => undefined } });
    await healed.tick({ budgetMs: 5_000 });
    expect(await runsOf(engine, 'once-bad')).toMatchObject([{ status: 'succeeded', attempt: 3 }]);
  });

  it('gives a suspect its turn while a tick lingers, and goes on with the others', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    const gate = { dies: () => engine.crash(), lives: async () => undefined };
    await past.tasks.put(task('once-bad', calling('dies')));
    for (let i = 0; i < 2; i++) await (await open()).tick().catch(() => undefined);
    const healed = await engine.open({ capabilities: { ...gate, dies: async () => undefined } });
    await past.tasks.put(task('beat', { ...calling('lives'), schedule: { every: '100ms' } }));
    await healed.tick({ lingerMs: 1_000 });
    expect(await runsOf(engine, 'once-bad')).toMatchObject([{ status: 'succeeded', attempt: 3 }]);
    expect((await runsOf(engine, 'beat')).length).toBeGreaterThan(3);
  });
}

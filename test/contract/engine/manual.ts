/** Launches that are asked for by hand. */
import { expect, it } from '@jest/globals';
import { hasRun, runsOf } from './eyes.ts';
import { EVERY_SLOT, eventually, linger, type TestEngine, task } from './world.ts';

export function manualTests(engine: TestEngine): void {
  const echo = { code: 'export default ({ input }) => ({ output: input })', input: 'own' };

  it('runs a paused task by hand, with the input that was given, and leaves its schedule alone', async () => {
    await engine.keeper.tasks.put(task('paused', { ...echo, paused: true }));
    await engine.keeper.tasks.put(task('active', echo));
    const before = await engine.keeper.tasks.get('active');
    const asked = await engine.keeper.tasks.run('paused', { input: { by: 'hand' } });
    await engine.keeper.tasks.run('active');
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 2, due: 2 });
    const [run, ...more] = await runsOf(engine, 'paused');
    expect(run).toMatchObject({ launchId: asked.launchId, slot: asked.slot, manual: true, output: { by: 'hand' } });
    expect(more).toEqual([]);
    expect(await engine.keeper.tasks.get('paused')).toMatchObject({ status: 'paused', nextAt: null, launches: 0 });
    const { nextAt } = before as { nextAt: string };
    expect(await engine.keeper.tasks.get('active')).toMatchObject({ nextAt, launches: 0, lastRun: { output: 'own' } });
  });

  it('launches once what is asked for twice with one key, also after it has run', async () => {
    await engine.keeper.tasks.put(task('keyed', echo));
    const twice = await Promise.all([1, 2].map(() => engine.keeper.tasks.run('keyed', { key: 'k' })));
    expect(twice[0]).toEqual(twice[1]);
    const other = await engine.keeper.tasks.run('keyed', { key: 'other' });
    expect(other.launchId).not.toBe(twice[0]?.launchId);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 2, due: 2 });
    expect(await engine.keeper.tasks.run('keyed', { key: 'k' })).toEqual(twice[0]);
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
    expect(await runsOf(engine, 'keyed')).toHaveLength(2);
  });

  it('launches every one of many that are asked for in the same moment, in order', async () => {
    await engine.keeper.tasks.put(task('many', { ...echo, history: 100 }));
    for (let i = 0; i < 20; i++) await engine.keeper.tasks.run('many', { input: i });
    await expect(engine.keeper.tasks.run('many')).rejects.toMatchObject({ code: 'too-large' });
    // The slots of those asked for within one millisecond are in the future by a few.
    await eventually('all have run', async () => {
      await engine.keeper.tick();
      return hasRun(engine, 'many', 20)();
    });
    expect((await runsOf(engine, 'many')).map(({ output }) => output)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('starts at once while a tick lingers, and tries again what fails', async () => {
    const code =
      'export default ({ attempt, input }) => { if (attempt < 2) throw new Error("no"); return { output: input } }';
    await engine.keeper.tasks.put(task('flaky', { code, retry: { attempts: 3, backoff: '50ms' } }));
    await engine.keeper.tasks.put(task('beat', { schedule: { every: '100ms' }, ...EVERY_SLOT }));
    const { stop, until } = await linger(engine);
    const { launchId } = await engine.keeper.tasks.run('flaky', { input: 'given' });
    await until('both attempts', hasRun(engine, 'flaky', 2));
    await stop();
    expect(await runsOf(engine, 'flaky')).toMatchObject([
      { launchId, attempt: 1, status: 'failed', manual: true },
      { launchId, attempt: 2, status: 'succeeded', manual: true, output: 'given' },
    ]);
    expect(await engine.keeper.tasks.get('flaky')).toMatchObject({ launches: 0, status: 'active' });
  });

  it('refuses to run what is not there', async () => {
    await expect(engine.keeper.tasks.run('nobody')).rejects.toMatchObject({ code: 'not-found' });
    await engine.keeper.tasks.put(task('gone'));
    await engine.keeper.tasks.remove('gone');
    await expect(engine.keeper.tasks.run('gone')).rejects.toMatchObject({ code: 'not-found' });
    expect(await engine.keeper.tasks.remove('gone')).toBe(false);
  });

  it('keeps a task paused when its document, which says nothing of a pause, is put again', async () => {
    const document = task('held', { schedule: { every: '1s' } });
    await engine.keeper.tasks.put(document);
    await engine.keeper.tasks.pause('held');
    expect(await engine.keeper.tasks.put(document)).toMatchObject({ status: 'paused' });
    expect(await engine.keeper.tasks.put({ ...document, timeout: '5s' })).toMatchObject({ status: 'paused' });
    expect(await engine.keeper.tasks.put({ ...document, paused: false })).toMatchObject({ status: 'active' });
  });
}

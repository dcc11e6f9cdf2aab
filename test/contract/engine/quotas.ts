/** A namespace takes as many tasks as it may have, and goes on with those that it has. */
import { expect, it } from '@jest/globals';
import { type TestEngine, task } from './world.ts';

export function quotaTests(engine: TestEngine): void {
  const documents = (count: number, name = 't') => Array.from({ length: count }, (_, i) => task(`${name}-${i}`));
  const refused = { code: 'quota-exceeded', message: expect.stringContaining('allowed: 60 in this namespace') };

  it('refuses what is beyond it, to the very task, and lets existing ones be edited and removed', async () => {
    const keeper = await engine.open({ maxTasks: 60 });
    await keeper.tasks.putMany(documents(59));
    await expect(keeper.tasks.putMany(documents(2, 'two'))).rejects.toMatchObject(refused);
    await keeper.tasks.put(task('last'));
    await expect(keeper.tasks.put(task('beyond'))).rejects.toMatchObject(refused);
    expect(await keeper.tasks.get('beyond')).toBeUndefined();
    await keeper.tasks.putMany(documents(59).map((document) => ({ ...document, input: 1 })));
    await keeper.tasks.run('last');
    expect(await keeper.tasks.remove('last')).toBe(true);
    // Its tombstone is kept, and it may come back.
    await expect(keeper.tasks.put(task('beyond'))).rejects.toMatchObject(refused);
    await keeper.tasks.put(task('last'));
    expect(await keeper.audit({ taskId: 'beyond' })).toEqual({ items: [] });
  });

  it('counts what others have put', async () => {
    const keeper = await engine.open({ maxTasks: 60 });
    await engine.keeper.tasks.putMany(documents(56));
    await Promise.all(documents(4, 'mine').map((document) => keeper.tasks.put(document)));
    await expect(keeper.tasks.put(task('beyond'))).rejects.toMatchObject(refused);
  });
}

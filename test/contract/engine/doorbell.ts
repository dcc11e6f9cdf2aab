/** A tick that stays must see what changes meanwhile at once, not when it next looks. */
import { expect, it } from '@jest/globals';
import type { Coordinator, Session } from '../../../src/coordinator.ts';
import { hasRun, outputs, runsOf } from './eyes.ts';
import { altered, EVERY_SLOT, linger, SHARDS, type TestEngine, task } from './world.ts';

export function doorbellTests(engine: TestEngine): void {
  const beating = (id: string) => task(id, { schedule: { every: '100ms' }, ...EVERY_SLOT });
  const countOf = async (id: string) => (await runsOf(engine, id)).length;

  it('sees a task that is added, and one that is brought forward', async () => {
    await engine.keeper.tasks.put(task('far'));
    const { stop, until } = await linger(engine);
    await engine.keeper.tasks.put(task('new', { schedule: { after: '300ms' } }));
    await engine.keeper.tasks.put(task('far', { schedule: { after: '300ms' } }));
    await until('both have run', async () => (await hasRun(engine, 'new')()) && (await hasRun(engine, 'far')()));
    expect(await stop()).toMatchObject({ succeeded: 2, due: 2 });
  });

  it('sees what comes between its first look and the moment from which it listens', async () => {
    const put = () => engine.keeper.tasks.put(task('between', { schedule: { after: '100ms' } }));
    let between: ReturnType<typeof put> | undefined;
    const connect = async () => {
      const session = await engine.session();
      const get: Session['get'] = async (path, onChange) => {
        if (onChange !== undefined) {
          between ??= put();
          await between;
        }
        return session.get(path, onChange);
      };
      return altered(session, { get });
    };
    const coordinator: Coordinator = { url: 'embedded:', connect, close: async () => {} };
    const { until, stop } = await linger(engine, {}, await engine.open({ coordinator }));
    await until('it has run', async () => (await between) !== undefined && hasRun(engine, 'between')());
    await stop();
  });

  it('does not launch at the old time what was put off, and launches at the new one', async () => {
    await engine.keeper.tasks.put(task('moved', { schedule: { after: '1s' } }));
    const { stop, until } = await linger(engine);
    const { nextAt } = await engine.keeper.tasks.put(task('moved', { schedule: { after: '1200ms' } }));
    await until('it has run', hasRun(engine, 'moved'));
    expect(await stop()).toMatchObject({ succeeded: 1, due: 1 });
    expect((await runsOf(engine, 'moved')).map(({ slot }) => slot)).toEqual([nextAt]);
  });

  it('runs the new code and input of a task that is edited', async () => {
    const code = (output: string) => `export default ({ input }) => ({ output: "${output}" + input })`;
    const document = { ...beating('edited'), code: code('old'), input: 1 };
    await engine.keeper.tasks.put(document);
    const { stop, until } = await linger(engine);
    await until('the old code has run', hasRun(engine, 'edited'));
    await engine.keeper.tasks.put({ ...document, code: code('new'), input: 2 });
    await until('the new code has run', async () => (await runsOf(engine, 'edited')).at(-1)?.output === 'new2');
    await stop();
    const seen = outputs(await runsOf(engine, 'edited'));
    // Once the new code has run, the old one never runs again; and no slot was lost to the edit.
    expect(seen).toEqual([...seen].sort().reverse());
    const slots = (await runsOf(engine, 'edited')).map(({ slot }) => Date.parse(slot));
    expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 100));
  });

  it('runs nothing old any more once the edit is seen', async () => {
    const document = task('slow-beat', { schedule: { every: '1s' }, ...EVERY_SLOT, code: '({ output: "old" })' });
    await engine.keeper.tasks.put(document);
    const { stop, until } = await linger(engine);
    await until('the old code has run', hasRun(engine, 'slow-beat'));
    await engine.keeper.tasks.put({ ...document, code: '({ output: "new" })' });
    const seenMs = Date.now() + 500;
    const after = async () => (await runsOf(engine, 'slow-beat')).filter(({ slot }) => Date.parse(slot) > seenMs);
    await until('a later slot has run', async () => (await after()).length > 0);
    await stop();
    expect(new Set(outputs(await after()))).toEqual(new Set(['new']));
  });

  it('stops launching what is paused or removed, and goes on with what is resumed', async () => {
    await engine.keeper.tasks.putMany([beating('paused'), beating('removed'), beating('witness')]);
    const { stop, until } = await linger(engine);
    await until('all have run', async () =>
      (await Promise.all(['paused', 'removed', 'witness'].map((id) => hasRun(engine, id)()))).every(Boolean),
    );
    await engine.keeper.tasks.pause('paused');
    expect(await engine.keeper.tasks.remove('removed')).toBe(true);
    // What was on its way when it was told may still be recorded; after another task's next slots, nothing is.
    const later = async () => {
      const passedMs = Date.now() + 400;
      const lastSlot = async () => (await runsOf(engine, 'witness')).at(-1)?.slot ?? '';
      await until('time goes by', async () => Date.parse(await lastSlot()) > passedMs);
    };
    await later();
    const counts = [await countOf('paused'), await countOf('removed')];
    await later();
    expect([await countOf('paused'), await countOf('removed')]).toEqual(counts);
    await engine.keeper.tasks.resume('paused');
    await until('it goes on', hasRun(engine, 'paused', (counts[0] as number) + 2));
    await stop();
    // Slots within the pause are not made up for.
    const slots = (await runsOf(engine, 'paused')).map(({ slot }) => Date.parse(slot));
    expect(slots.at(-1) as number).toBeGreaterThan((slots[0] as number) + (slots.length - 1) * 100);
  });

  it('never waits for more than one ring of each shard, however many changes there are', async () => {
    let waiting = 0;
    let most = 0;
    const connect = async () => {
      const session = await engine.session();
      const get: Session['get'] = (path, onChange) => {
        if (onChange === undefined) return session.get(path);
        most = Math.max(most, ++waiting);
        return session.get(path, () => {
          waiting--;
          onChange();
        });
      };
      return altered(session, { get });
    };
    const coordinator: Coordinator = { url: 'embedded:', connect, close: async () => {} };
    const { until, stop } = await linger(engine, {}, await engine.open({ coordinator }));
    await engine.keeper.tasks.put(task('restless'));
    for (let round = 1; round <= 10; round++) {
      await engine.keeper.tasks.run('restless');
      await until('the change is seen', hasRun(engine, 'restless', round));
    }
    expect(await stop()).toMatchObject({ succeeded: 10, due: 10 });
    expect(most).toBe(SHARDS);
  });
}

/** What is stored is found again: whole, once, and nobody else's. */
import { expect, it } from '@jest/globals';
import type { ListOptions } from '../../../src/tasks.ts';
import { dueIndex, runsOf, tree } from './eyes.ts';
import { clockAt, EVERY_SLOT, type TestEngine, task } from './world.ts';

export function registryTests(engine: TestEngine): void {
  async function listAll(options: ListOptions): Promise<string[]> {
    const ids: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await engine.keeper.tasks.list({ ...options, ...(cursor !== undefined && { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(options.limit ?? 100);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
      if (cursor === undefined) return ids.sort();
    }
  }

  it('lists every task exactly once, however small the pages are, by prefix, status and label', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `${i % 3 === 0 ? 'red' : 'blue'}-${String(i).padStart(3, '0')}`);
    const labelled = (i: number) => (i % 2 === 0 ? { team: i % 4 === 0 ? 'ops' : 'dev' } : {});
    await engine.keeper.tasks.putMany(ids.map((id, i) => task(id, { labels: labelled(i), paused: i % 5 === 0 })));
    await engine.keeper.tasks.remove('blue-001');
    const there = ids.filter((id) => id !== 'blue-001').sort();
    expect(await listAll({ limit: 7 })).toEqual(there);
    expect(await listAll({})).toEqual(there);
    expect(await listAll({ prefix: 'red-', limit: 4 })).toEqual(there.filter((id) => id.startsWith('red-')));
    const numbered = (holds: (i: number) => boolean) => there.filter((id) => holds(Number(id.slice(-3))));
    expect(await listAll({ status: 'paused', limit: 3 })).toEqual(numbered((i) => i % 5 === 0));
    expect(await listAll({ status: 'active' })).toEqual(numbered((i) => i % 5 !== 0));
    expect(await listAll({ label: 'team' })).toEqual(numbered((i) => i % 2 === 0));
    expect(await listAll({ label: 'team=ops', limit: 2 })).toEqual(numbered((i) => i % 4 === 0));
    expect(await listAll({ prefix: 'red-', label: 'team=ops', status: 'paused' })).toEqual(
      numbered((i) => i % 60 === 0),
    );
    expect(await listAll({ prefix: 'green' })).toEqual([]);
    await expect(engine.keeper.tasks.list({ cursor: 'no cursor' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(engine.keeper.tasks.list({ limit: 0 })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('gives the runs of a task page by page, newest first, while new ones come in between', async () => {
    const past = await engine.open({ clock: clockAt(-30_500) });
    await past.tasks.put(task('busy', { schedule: { every: '1s' }, ...EVERY_SLOT }));
    await engine.keeper.tick();
    const all = (await runsOf(engine, 'busy')).reverse().map(({ launchId }) => launchId);
    expect(all.length).toBeGreaterThanOrEqual(30);
    const first = await engine.keeper.tasks.runs('busy', { limit: 10 });
    await engine.keeper.tasks.run('busy');
    await engine.keeper.tick();
    const second = await engine.keeper.tasks.runs('busy', { limit: 10, cursor: first.cursor as string });
    expect([...first.items, ...second.items].map(({ launchId }) => launchId)).toEqual(all.slice(0, 20));
    await expect(engine.keeper.tasks.runs('nobody')).rejects.toMatchObject({ code: 'not-found' });
    await expect(engine.keeper.tasks.runs('busy', { cursor: '?' })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('drains five thousand due tasks in one tick: each is recorded once, and the due index is empty', async () => {
    const count = 5_000;
    const nowMs = Date.now();
    const past = await engine.open({ clock: clockAt(-3 * 3_600_000) });
    const when = (i: number) => new Date(nowMs - 2 * 3_600_000 + i * 1_000).toISOString();
    const documents = Array.from({ length: count }, (_, i) => task(`t-${i}`, { schedule: { at: when(i) } }));
    const results = await past.tasks.putMany(documents);
    expect(results.map(({ id }) => id)).toEqual(documents.map(({ id }) => id));
    const launched: string[] = [];
    const report = await engine.keeper.tick({ onRun: (id, { slotMs }) => launched.push(`${id}@${slotMs}`) });
    expect(report).toMatchObject({ due: count, succeeded: count, deferred: 0 });
    expect(new Set(launched)).toEqual(new Set(documents.map(({ id }, i) => `${id}@${Date.parse(when(i))}`)));
    expect(launched).toHaveLength(count);
    expect(await dueIndex(engine)).toEqual([]);
    expect(await listAll({ status: 'completed', limit: 1_000 })).toHaveLength(count);
    // A keeper that has put tasks before does not know that the directories are gone.
    await past.tasks.put(task('t-0', { schedule: { at: when(1) } }));
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect(await dueIndex(engine)).toEqual([]);
  });

  it('stores code once per content, and nothing of documents that are refused', async () => {
    await engine.keeper.status();
    const before = await tree(engine);
    const refused = [
      [task('good'), task('bad id')],
      [task('good'), task('good')],
      [task('good'), task('typo', { code: 'export default (' })],
      [task('good'), { ...task('extra'), colour: 'red' }],
      [task('good'), task('never', { schedule: { cron: '0 0 30 2 *' } })],
    ];
    for (const documents of refused) {
      await expect(engine.keeper.tasks.putMany(documents)).rejects.toMatchObject({
        code: 'invalid',
        problems: [{ field: expect.stringMatching(/^1\./) }],
      });
    }
    expect(await tree(engine)).toEqual(before);
    await engine.keeper.tasks.putMany(Array.from({ length: 120 }, (_, i) => task(`same-${i}`)));
    await engine.keeper.tasks.put(task('other', { code: '({ output: 1 })' }));
    const code = [...(await tree(engine, 'code')).values()].filter((data) => data !== '');
    expect(code.sort()).toEqual(['({ output: 1 })', 'export default () => ({ output: "done" })']);
  });

  it('changes nothing when the same document is put again', async () => {
    const first = await engine.keeper.tasks.put(task('same', { schedule: { every: '1h' } }));
    const before = await tree(engine);
    const again = await engine.keeper.tasks.put(task('same', { schedule: { every: '1h' } }));
    expect(again).toEqual({ ...first, created: false });
    expect(await tree(engine)).toEqual(before);
  });

  it('keeps namespaces apart', async () => {
    const other = await engine.open({ namespace: `other-${Date.now()}`, clock: clockAt(-2_000) });
    const shared = { schedule: { every: '1s' }, maxRuns: 1 };
    await other.tasks.put(task('same-id', { ...shared, code: '({ output: "other" })' }));
    const mine = await engine.open({ clock: clockAt(-2_000) });
    await mine.tasks.put(task('same-id', { ...shared, code: '({ output: "mine" })' }));
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1 });
    expect(await other.tasks.get('same-id')).toMatchObject({ launches: 0, status: 'active' });
    expect(await other.tasks.remove('same-id')).toBe(true);
    expect(await engine.keeper.tasks.get('same-id')).toMatchObject({ lastRun: { output: 'mine' } });
    expect(await engine.keeper.tasks.list()).toMatchObject({ items: [{ id: 'same-id' }] });
    expect(await other.tasks.list()).toEqual({ items: [] });
  });

  it('keeps the number of nodes flat, however often a task is launched', async () => {
    const past = await engine.open({ clock: clockAt(-60_000) });
    const often = { schedule: { every: '100ms' }, ...EVERY_SLOT, history: 20 };
    await past.tasks.put(task('often', { ...often, maxRuns: 60 }));
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 60 });
    const paths = async () => [...(await tree(engine)).keys()].filter((path) => !/\/(due|audit)\//.test(path));
    const before = await paths();
    await past.tasks.put(task('often', { ...often, maxRuns: 260 }));
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 200 });
    expect((await paths()).length).toBeLessThanOrEqual(before.length + 1);
    // The directories of a minute that is not over are kept.
    expect((await dueIndex(engine)).length).toBeLessThanOrEqual(3);
    expect(await runsOf(engine, 'often')).toHaveLength(20);
  });
}

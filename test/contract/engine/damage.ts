/** What is stored may be damaged, or written by a newer version: it is left alone and reported, and others run. */
import { expect, it } from '@jest/globals';
import type { Session } from '../../../src/coordinator.ts';
import { dueIndex, leftovers, runsOf } from './eyes.ts';
import { clockAt, type TestEngine, task } from './world.ts';

export function damageTests(engine: TestEngine): void {
  const schedule = { every: '1h', anchor: new Date(Date.now() - 60_000).toISOString() };

  async function putDue(...ids: string[]) {
    const past = await engine.open({ clock: clockAt(-3_600_000) });
    await past.tasks.putMany(ids.map((id) => task(id, { schedule, code: `({ output: "${id}" })` })));
    return engine.session();
  }

  const overwrite = (session: Session, path: string, data: string) => session.multi([{ op: 'set', path, data }]);

  /** Changes the stored record as somebody else's program might. */
  async function forge(session: Session, id: string, change: (record: Record<string, unknown>) => unknown) {
    const path = engine.layout.task(id);
    await overwrite(session, path, JSON.stringify(change(JSON.parse((await session.get(path))?.data ?? ''))));
  }

  const damages: readonly [string, (session: Session) => Promise<unknown>, RegExp][] = [
    ['no JSON', (session) => overwrite(session, engine.layout.task('bad'), '{"v":1,'), /no JSON/],
    ['nothing', (session) => overwrite(session, engine.layout.task('bad'), ''), /no JSON/],
    ['null', (session) => overwrite(session, engine.layout.task('bad'), 'null'), /no object/],
    [
      'a record of a newer version',
      (session) => forge(session, 'bad', (record) => ({ ...record, v: 3, timer: 'new' })),
      /version 3; this program reads version 2/,
    ],
    ["another task's record", (session) => forge(session, 'bad', (record) => ({ ...record, task: { id: 'x' } })), /an/],
    [
      'a time zone that this runtime does not know',
      (session) =>
        forge(session, 'bad', (record) => ({
          ...record,
          task: {
            ...(record.task as object),
            schedule: { kind: 'cron', expression: '* * * * *', timeZone: 'Mars/Olympus', dst: 'vixie' },
          },
        })),
      /Mars\/Olympus/,
    ],
  ];

  it.each(damages)(
    'puts aside a task whose node holds %s, says so, and runs the others',
    async (_, damage, problem) => {
      const eye = await putDue('bad', 'good-1', 'good-2', 'good-3');
      await damage(eye);
      const stored = (await eye.get(engine.layout.task('bad')))?.data;
      const report = await engine.keeper.tick();
      expect(report).toMatchObject({ succeeded: 3, failed: 0 });
      expect(report.quarantined).toEqual([{ taskId: 'bad', problem: expect.stringMatching(problem) }]);
      expect(await runsOf(engine, 'good-3')).toMatchObject([{ output: 'good-3' }]);
      // Left alone, and reported again by the next tick.
      expect((await eye.get(engine.layout.task('bad')))?.data).toBe(stored);
      expect((await engine.keeper.tick()).quarantined).toHaveLength(1);
    },
  );

  it('shows a damaged task in lists, and does not let it be changed by accident', async () => {
    const eye = await putDue('bad', 'good');
    await overwrite(eye, engine.layout.task('bad'), 'garbage');
    const quarantined = { id: 'bad', status: 'quarantined', problem: expect.stringMatching(/no JSON/) };
    expect(await engine.keeper.tasks.get('bad')).toEqual(quarantined);
    const { items } = await engine.keeper.tasks.list();
    expect(items).toMatchObject([quarantined, { id: 'good', status: 'active' }]);
    expect((await engine.keeper.tasks.list({ status: 'quarantined' })).items).toEqual([quarantined]);
    for (const change of [engine.keeper.tasks.pause('bad'), engine.keeper.tasks.runs('bad')]) {
      await expect(change).rejects.toMatchObject({ code: 'corrupt' });
    }
    await expect(engine.keeper.tasks.putMany([task('fine'), task('bad')])).rejects.toMatchObject({ code: 'corrupt' });
    expect(await engine.keeper.tasks.get('fine')).toBeUndefined();
  });

  it('puts aside a task whose code is gone, and runs it once the code is put again', async () => {
    const eye = await putDue('bad', 'good');
    const { hash } = JSON.parse((await eye.get(engine.layout.task('bad')))?.data ?? '').task.code;
    await eye.multi([{ op: 'remove', path: engine.layout.code(hash) }]);
    const fresh = await engine.open();
    const report = await fresh.tick();
    expect(report).toMatchObject({
      succeeded: 1,
      quarantined: [{ taskId: 'bad', problem: expect.stringMatching(hash) }],
    });
    await fresh.tasks.put(task('another', { code: '({ output: "bad" })' }));
    expect(await fresh.tick()).toMatchObject({ succeeded: 1, quarantined: [] });
    expect(await runsOf(engine, 'bad')).toMatchObject([{ output: 'bad', attempt: 1 }]);
  });

  it('sweeps due pages and lines that mean nothing, and launches what else is on them', async () => {
    const eye = await putDue('good-1', 'good-2');
    const { due, shardOf } = engine.layout;
    const isPage = (path: string) => path.startsWith(due(shardOf('good-1'))) && /\/due\/\d+\/\d+\/./.test(path);
    const page = (await dueIndex(engine)).find(isPage);
    const lines = (await eye.get(page as string))?.data;
    await overwrite(eye, page as string, `${lines}\ngarbage\n1-1-nobody\n-1--\n\n5-zz-good-1\n5-1-../../x`);
    const directory = (page as string).slice(0, (page as string).lastIndexOf('/'));
    await eye.multi([
      { op: 'create', path: `${directory}/0-garbage`, data: 'garbage' },
      { op: 'create', path: `${directory}/0-empty`, data: '' },
      { op: 'create', path: `${directory}/nonsense`, data: '\u0000' },
    ]);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 2, due: 2, quarantined: [] });
    const past = (await dueIndex(engine)).filter((path) => path.startsWith(directory));
    expect(past).toEqual([]);
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
  });

  it('takes over a journal that holds garbage', async () => {
    const eye = await putDue('good');
    const journal = engine.layout.journal(engine.layout.shardOf('good'));
    await eye.multi([
      { op: 'create', path: `${journal}/0-0`, data: 'garbage\n5-1-nobody\n\n-\n9-9-../../x' },
      { op: 'create', path: `${journal}/0-1`, data: '' },
    ]);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect(await leftovers(engine)).toEqual([]);
  });

  it('refuses a namespace that a newer program has made', async () => {
    const eye = await putDue('good');
    await overwrite(eye, engine.layout.root, '{"v":2,"shards":3}');
    await expect(engine.keeper.tick()).rejects.toMatchObject({ code: 'corrupt' });
    const fresh = await engine.open();
    await expect(fresh.tasks.get('good')).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('lets a damaged task be removed and put again, and never throws away what a newer version wrote', async () => {
    const session = await putDue('damaged', 'newer');
    await overwrite(session, engine.layout.task('damaged'), 'garbage');
    await session.multi([{ op: 'create', path: engine.layout.chunk('damaged', 0), data: 'garbage' }]);
    await forge(session, 'newer', (record) => ({ ...record, v: 3 }));
    await expect(engine.keeper.tasks.put(task('damaged'))).rejects.toThrow(/remove the task, and put it/);
    expect(await engine.keeper.tasks.remove('damaged')).toBe(true);
    expect(await engine.keeper.tasks.put(task('damaged'))).toMatchObject({ created: true, revision: 1 });
    await expect(engine.keeper.tasks.remove('newer')).rejects.toMatchObject({ code: 'corrupt' });
    expect(await engine.keeper.tasks.get('newer')).toMatchObject({ status: 'quarantined' });
  });
}

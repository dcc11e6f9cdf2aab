/** Tasks that events launch: once per event and task, as the task is when the event comes. */
import { expect, it } from '@jest/globals';
import type { BusEvent } from '../../../src/event.ts';
import { EVENTS_WAITING_MAX } from '../../../src/hear.ts';
import type { TaskDocument } from '../../../src/task.ts';
import { hasRun, outputs, runsOf, tree } from './eyes.ts';
import { altered, clockAt, eventually, linger, type TestEngine } from './world.ts';

const ECHO = 'export default ({ input }) => ({ output: input })';
const SHIPPED = [{ source: 'shop', detailType: 'Shipped' }] as const;

/** Without a schedule. */
const heard = (id: string, rest: Partial<TaskDocument> = {}): TaskDocument => ({
  id,
  on: SHIPPED,
  code: ECHO,
  ...rest,
});

const event = (id: string, rest: Partial<BusEvent> = {}): BusEvent => ({
  id,
  source: 'shop',
  detailType: 'Shipped',
  detail: { order: 7 },
  ...rest,
});

export function eventTests(engine: TestEngine): void {
  const emit = (id: string, rest: Partial<BusEvent> = {}) => engine.keeper.emit(event(id, rest));
  const launched = async (id: string) => outputs(await runsOf(engine, id));

  it('launches every task that names the event, with the event as input, and no other', async () => {
    await engine.keeper.tasks.putMany([
      heard('by-source', { on: [{ source: 'nobody' }, { source: [{ prefix: 'sh' }] }] }),
      heard('by-detail', { on: [{ detail: { order: [{ numeric: ['>', 5] }] } }] }),
      heard('other-detail', { on: [{ source: 'shop', detail: { order: [8] } }] }),
      heard('nothing', { on: [] }),
    ]);
    const time = '2027-01-01T00:00:00Z';
    const { launches, refused } = await emit('e1', { time, region: 'eu-central-1', resources: ['arn:x'] });
    expect([launches.map(({ launchId }) => launchId.split('@')[0]), refused]).toEqual([['by-detail', 'by-source'], []]);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 2, due: 2 });
    const envelope = { id: 'e1', source: 'shop', 'detail-type': 'Shipped', detail: { order: 7 }, time };
    for (const [i, id] of ['by-detail', 'by-source'].entries()) {
      const [run] = await runsOf(engine, id);
      expect(run).toMatchObject({ ...launches[i], status: 'succeeded', eventId: 'e1', attempt: 1 });
      expect(run?.output).toEqual({ version: '0', ...envelope, region: 'eu-central-1', resources: ['arn:x'] });
      // What it was given is kept, so it can be repeated.
      expect(await engine.keeper.tasks.replay(id, run?.launchId ?? '')).toMatchObject({ same: true });
    }
    const view = await engine.keeper.tasks.get('by-source');
    expect(view).toMatchObject({ status: 'active', nextAt: null, launches: 0, on: [{ source: ['nobody'] }, {}] });
    expect(view).not.toHaveProperty('schedule');
    expect(await engine.keeper.verify()).toMatchObject({ holds: true, problems: [] });
  });

  it('launches once for an event that is delivered again, by whomever, before and after it has run', async () => {
    await engine.keeper.tasks.put(heard('once'));
    const other = await engine.open();
    const both = await Promise.all([emit('e1'), other.emit(event('e1')), emit('e1'), other.emit(event('e1'))]);
    const [first] = both;
    expect(first?.launches).toHaveLength(1);
    for (const each of both) expect(each).toEqual(first);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1 });
    expect(await other.emit(event('e1', { detail: 'changed on the way' }))).toEqual(first);
    expect((await emit('e2')).launches).not.toEqual(first?.launches);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1 });
    expect(await launched('once')).toMatchObject([{ id: 'e1' }, { id: 'e2' }]);
  });

  it('takes it for one launch when the reply to the first try was lost', async () => {
    await engine.keeper.tasks.put(heard('lossy'));
    let lost = 0;
    const coordinator = {
      url: 'embedded:',
      close: async () => {},
      connect: async () => {
        const session = await engine.session();
        return altered(session, {
          multi: async (ops) => {
            const results = await session.multi(ops);
            if (lost > 0 || !ops.some(({ path }) => path === engine.layout.task('lossy'))) return results;
            lost++;
            await session.close();
            return session.multi(ops); // says how the session has ended
          },
        });
      },
    };
    const keeper = await engine.open({ coordinator });
    const { launches } = await keeper.emit(event('e1'));
    expect([lost, launches.length]).toEqual([1, 1]);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect(await runsOf(engine, 'lossy')).toMatchObject([{ launchId: launches[0]?.launchId }]);
  });

  it('starts at once while a tick lingers, one event after the other', async () => {
    await engine.keeper.tasks.put(heard('awake', { history: 100 }));
    const { until, stop } = await linger(engine);
    for (let i = 1; i <= 5; i++) await emit(`e${i}`);
    await until('all have run', hasRun(engine, 'awake', 5));
    await stop();
    expect((await launched('awake')).map((output) => (output as { id: string }).id)).toEqual([
      'e1',
      'e2',
      'e3',
      'e4',
      'e5',
    ]);
  });

  it('leaves a schedule beside it alone, and goes on when that has come to its end', async () => {
    await engine.keeper.tasks.put(heard('both', { schedule: { after: '0s' }, maxRuns: 1, input: 'own' }));
    await emit('e1');
    await eventually('both have run', async () => {
      await engine.keeper.tick();
      return hasRun(engine, 'both', 2)();
    });
    expect(await engine.keeper.tasks.get('both')).toMatchObject({ status: 'active', nextAt: null, launches: 1 });
    await emit('e2');
    await engine.keeper.tick();
    const ids = (await launched('both')).map((output) => (output === 'own' ? output : (output as { id: string }).id));
    expect(ids.toSorted()).toEqual(['e1', 'e2', 'own']);
    expect(await engine.keeper.verify()).toMatchObject({ holds: true, problems: [] });
  });

  it('launches nothing for what comes to a task that is paused, and says so; what had come before waits', async () => {
    await engine.keeper.tasks.put(heard('held'));
    const { launches } = await emit('before');
    await engine.keeper.tasks.pause('held');
    const meanwhile = await emit('meanwhile');
    expect(meanwhile).toEqual({
      launches: [],
      refused: [{ taskId: 'held', message: expect.stringContaining('is paused') }],
    });
    expect((await emit('before')).launches).toEqual(launches);
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
    // A pause does not hold up what is asked for by hand.
    await engine.keeper.tasks.run('held', { input: { id: 'by hand' } });
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1 });
    await engine.keeper.tasks.resume('held');
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect(await launched('held')).toMatchObject([{ id: 'by hand' }, { id: 'before' }]);
  });

  it('launches nothing for a task before its start, after its end, completed or removed', async () => {
    const [past, future] = [clockAt(-3_600_000), clockAt(3_600_000)].map((clock) =>
      new Date(clock.now()).toISOString(),
    );
    await engine.keeper.tasks.putMany([
      heard('early', { start: future as string }),
      heard('late', { end: past as string }),
      heard('done', { code: '({ completed: true })' }),
      heard('gone'),
    ]);
    await emit('e1');
    await engine.keeper.tick();
    await engine.keeper.tasks.remove('gone');
    const { launches, refused } = await emit('e2');
    expect([launches, refused.map(({ taskId }) => taskId)]).toEqual([[], ['done', 'early', 'late']]);
    expect(await engine.keeper.tasks.get('done')).toMatchObject({ status: 'completed' });
    await engine.keeper.tasks.resume('done');
    expect((await emit('e3')).launches).toHaveLength(1);
    expect([...(await tree(engine, 'events')).keys()].map((path) => path.split('/events')[1]).toSorted()).toEqual([
      '',
      ...['/done', '/early', '/late'],
    ]);
  });

  it('goes by the rules as they are when the event comes', async () => {
    const other = await engine.open();
    await engine.keeper.tasks.put(heard('edited'));
    expect((await other.emit(event('e1'))).launches).toHaveLength(1);
    await engine.keeper.tasks.put(heard('edited', { on: [{ source: 'elsewhere' }] }));
    expect(await other.emit(event('e2'))).toEqual({ launches: [], refused: [] });
    expect((await other.emit(event('e3', { source: 'elsewhere' }))).launches).toHaveLength(1);
    await engine.keeper.tasks.put(heard('edited', { schedule: { every: '1h' }, on: [] }));
    expect(await other.emit(event('e4', { source: 'elsewhere' }))).toEqual({ launches: [], refused: [] });
    await engine.keeper.tasks.put(heard('edited', { schedule: { every: '1h' } }));
    expect((await other.emit(event('e5'))).launches).toHaveLength(1);
  });

  it('is not stopped by an index that somebody has damaged', async () => {
    await engine.keeper.tasks.putMany([heard('whole'), heard('lost'), heard('stale'), heard('broken')]);
    const session = await engine.session();
    const { layout } = engine;
    await session.multi([
      { op: 'remove', path: layout.eventRules('lost') },
      { op: 'set', path: layout.eventRules('broken'), data: '{' },
      { op: 'create', path: layout.eventRules('nobody'), data: JSON.stringify([{ source: ['shop'] }]) },
      { op: 'set', path: layout.eventRules('stale'), data: JSON.stringify([{ source: ['elsewhere'] }]) },
      { op: 'set', path: layout.events, data: 'changed' },
    ]);
    expect((await emit('e1')).launches).toMatchObject([{ launchId: expect.stringMatching(/^whole@/) }]);
    expect(await emit('e2', { source: 'elsewhere' })).toEqual({ launches: [], refused: [] });
    // Each can be changed and removed, and an edit of the rules writes them anew.
    for (const id of ['lost', 'stale', 'broken', 'nobody'])
      await engine.keeper.tasks.put(heard(id, { on: [{ source: id }] }));
    for (const id of ['lost', 'stale', 'broken', 'nobody']) {
      expect((await emit('e3', { source: id })).launches).toMatchObject([
        { launchId: expect.stringMatching(`^${id}@`) },
      ]);
      expect(await engine.keeper.tasks.remove(id)).toBe(true);
    }
  });

  it('takes a burst, and asks for what is beyond it to be delivered again', async () => {
    await engine.keeper.tasks.putMany([
      heard('burst', { history: 1 }),
      heard('calm', { on: [{ detailType: 'Last' }] }),
    ]);
    await Promise.all(Array.from({ length: EVENTS_WAITING_MAX }, (_, i) => emit(`e${i}`)));
    await engine.keeper.tasks.put(heard('burst', { history: 1, on: [...SHIPPED, { detailType: 'Last' }] }));
    const tooMany = emit('last', { detailType: 'Last' });
    await expect(tooMany).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('1 of 2 tasks'),
    });
    await expect(tooMany).rejects.toThrow('deliver it again later');
    const { until, stop } = await linger(engine);
    await until(
      'some have run',
      async () => (await runsOf(engine, 'calm')).length + (await runsOf(engine, 'burst')).length > 1,
    );
    await stop();
    const { launches } = await emit('last', { detailType: 'Last' });
    expect(launches).toHaveLength(2);
    // The task that had taken it at once was launched for it then, and not again.
    expect(await runsOf(engine, 'calm')).toMatchObject([{ launchId: launches[1]?.launchId, eventId: 'last' }]);
    expect((await runsOf(engine, 'burst'))[0]).toMatchObject({ status: 'succeeded', manual: true });
  });
}

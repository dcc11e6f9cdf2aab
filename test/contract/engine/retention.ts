/** What nobody needs any more goes, and nothing else: code, and what is left behind by those who died. */
import { expect, it } from '@jest/globals';
import type { Session } from '../../../src/coordinator.ts';
import { acquire, type Lease, release } from '../../../src/lease.ts';
import { programOf } from '../../../src/program.ts';
import { CODE_GRACE_MS, LOOK_AGAIN_MS } from '../../../src/retention.ts';
import { SWEEPING_SHARD, type SweepOptions, sweepCode } from '../../../src/sweep.ts';
import { dueIndex, runsOf, tree } from './eyes.ts';
import { altered, type TestEngine, task } from './world.ts';

const OLD = '({ output: "old" })';
const NEW = '({ output: "new" })';
const oldHash = programOf(OLD).hash;

/** Beyond the grace, and what clocks may differ by. */
const LATER_MS = CODE_GRACE_MS + 60_000;

/** Sweeps that are enough for any of these scenarios. */
const SWEEPS_MAX = 400;

export function retentionTests(engine: TestEngine): void {
  const codeNodes = async () => [...(await tree(engine, 'code')).keys()].map((path) => path.split('/').at(-1));
  const kept = async (hash = oldHash) => (await codeNodes()).includes(hash);
  const left = async (directory: string) => (await tree(engine, directory)).size - 1;

  const underWay = async (session: Session) => (await session.get(engine.layout.sweep)) !== undefined;

  async function underLease(use: (session: Session, lease: Lease) => Promise<void>, holder = 'sweeper') {
    const session = await engine.session();
    const lease = await acquire(session, engine.layout, SWEEPING_SHARD, holder);
    if (lease === undefined) throw new Error('somebody else holds the lease');
    await use(session, lease);
    await release(session, engine.layout, lease);
    await session.close();
  }

  /** Sweeps as ticks would, so much later, until nothing is under way. */
  const sweep = (laterMs = LATER_MS, options: Partial<SweepOptions> = {}) =>
    underLease(async (session, lease) => {
      const nowMs = Date.now() + laterMs;
      let sweeps = 0;
      do {
        await sweepCode(session, engine.layout, lease, { nowMs, leaves: () => true, ...options });
        expect(++sweeps).toBeLessThan(SWEEPS_MAX);
      } while (await underWay(session));
    });

  /** The first steps only: code is in the trash, and no record was read yet. */
  const beginSweep = () =>
    underLease(async (session, lease) => {
      await sweepCode(session, engine.layout, lease, {
        nowMs: Date.now() + LATER_MS,
        leaves: () => true,
        readsMax: 0,
      });
      expect(await underWay(session)).toBe(true);
    });

  async function edited(id = 'edited') {
    await engine.keeper.tasks.put(task(id, { code: OLD }));
    await engine.keeper.tasks.put(task(id, { code: NEW }));
  }

  it('removes code that an edit has left behind after its grace, and not before', async () => {
    await edited();
    await sweep(CODE_GRACE_MS - 60_000);
    expect(await kept()).toBe(true);
    await sweep();
    expect(await kept()).toBe(false);
    expect(await kept(programOf(NEW).hash)).toBe(true);
    expect([await left('trash'), await left('dropped')]).toEqual([0, 0]);
  });

  it('lets a tick do it, within what it finds due', async () => {
    await edited();
    const session = await engine.session();
    // As an edit of days ago would have left it.
    const path = engine.layout.hint(`${Date.now() - LATER_MS}-days-ago`);
    await session.multi([{ op: 'create', path, data: oldHash }]);
    await engine.keeper.tick();
    expect(await kept()).toBe(false);
    expect(await session.get(path)).toBeUndefined();
  });

  it('keeps code that another task still names', async () => {
    await engine.keeper.tasks.put(task('another', { code: OLD }));
    await edited();
    await sweep();
    expect(await kept()).toBe(true);
    expect(await left('dropped')).toBe(0);
    expect(await engine.keeper.tasks.get('another')).toMatchObject({ code: OLD });
  });

  it('keeps code for the runs that it can still be asked to repeat, and looks again later', async () => {
    await engine.keeper.tasks.put(task('edited', { code: OLD, schedule: { after: '0s' } }));
    await engine.keeper.tick();
    const [run] = await runsOf(engine, 'edited');
    await engine.keeper.tasks.put(task('edited', { code: NEW }));
    await sweep();
    expect(await kept()).toBe(true);
    expect(await engine.keeper.tasks.replay('edited', run?.launchId ?? '')).toMatchObject({ same: true });
    const session = await engine.session();
    const record = JSON.parse((await session.get(engine.layout.task('edited')))?.data ?? '');
    await session.multi([
      { op: 'set', path: engine.layout.task('edited'), data: JSON.stringify({ ...record, runs: [] }) },
    ]);
    await sweep(LATER_MS + LOOK_AGAIN_MS + LATER_MS);
    expect(await kept()).toBe(false);
  });

  it('keeps code that a chunk of older runs names', async () => {
    await edited();
    const session = await engine.session();
    const path = engine.layout.task('edited');
    const record = JSON.parse((await session.get(path))?.data ?? '');
    await session.multi([
      { op: 'set', path, data: JSON.stringify({ ...record, chunks: [{ index: 0, count: 1 }] }) },
      { op: 'create', path: engine.layout.chunk('edited', 0), data: JSON.stringify([{ slotMs: 1, code: oldHash }]) },
    ]);
    await sweep();
    expect(await kept()).toBe(true);
  });

  it('keeps code that a record names which nobody can read', async () => {
    await edited();
    const session = await engine.session();
    const data = `{"v":99,"program":"${oldHash}"`;
    await session.multi([{ op: 'set', path: engine.layout.task('edited'), data }]);
    await sweep();
    expect(await kept()).toBe(true);
  });

  it('removes what a record that nobody can read has left, when that is removed', async () => {
    await engine.keeper.tasks.put(task('bad', { code: OLD }));
    const session = await engine.session();
    const path = engine.layout.task('bad');
    const stored = (await session.get(path))?.data ?? '';
    await session.multi([
      { op: 'set', path, data: stored.slice(0, -1) },
      { op: 'create', path: engine.layout.dead('bad', 1), data: '{}' },
    ]);
    await engine.keeper.tasks.remove('bad');
    await sweep();
    expect(await kept()).toBe(false);
    expect([...(await tree(engine, 'dead')).keys()].filter((each) => each.includes('@'))).toEqual([]);
  });

  it('comes to an end in the smallest steps, each by another holder', async () => {
    for (const id of ['a', 'b', 'c']) await edited(id);
    await engine.keeper.tasks.put(task('another', { code: '({ output: "kept" })' }));
    await beginSweep();
    for (let i = 0; i < 3; i++) {
      await underLease(async (session, lease) => {
        const before = (await session.get(engine.layout.sweep))?.data;
        await sweepCode(session, engine.layout, lease, { nowMs: Date.now(), leaves: () => true, readsMax: 1 });
        expect((await session.get(engine.layout.sweep))?.data).not.toBe(before);
      }, `holder-${i}`);
    }
    await sweep(0, { readsMax: 40 });
    expect(await kept()).toBe(false);
    expect((await codeNodes()).filter((name) => name?.length === 32)).toHaveLength(2);
  });

  it('keeps the code of a put in the middle of a sweep', async () => {
    await edited();
    await beginSweep();
    expect(await kept()).toBe(false);
    await engine.keeper.tasks.put(task('late', { code: OLD })); // its registry has seen the code's node before
    await sweep();
    expect(await kept()).toBe(true);
    expect(await left('trash')).toBe(0);
  });

  it('runs a task, and shows it, while its code is in the trash', async () => {
    await engine.keeper.tasks.put(task('another', { code: OLD, schedule: { after: '0s' } }));
    await edited();
    await beginSweep();
    const fresh = await engine.open();
    expect(await fresh.tasks.get('another')).toMatchObject({ code: OLD });
    const runner = await engine.open();
    expect(await runner.tick()).toMatchObject({ succeeded: 1, quarantined: [] });
    expect(await runsOf(engine, 'another')).toMatchObject([{ output: 'old' }]);
    await sweep();
    expect(await kept()).toBe(true);
  });

  it('loses no code when sweepers die, wherever that is, and comes to an end all the same', async () => {
    await engine.keeper.tasks.put(task('another', { code: OLD }));
    await edited();
    await engine.keeper.tasks.put(task('third', { code: '({ output: 3 })' }));
    await engine.keeper.tasks.put(task('third', { code: NEW }));
    // Each gets one write further than the one before; of every other one, the reply to the last is lost.
    for (let writes = 0; writes < 8; writes++) {
      await underLease(async (session, lease) => {
        let done = 0;
        const dying = altered(session, {
          multi: async (ops) => {
            if (done++ < writes) return session.multi(ops);
            if (writes % 2 === 1) await session.multi(ops);
            throw new Error('it died');
          },
        });
        const options = { nowMs: Date.now() + LATER_MS, leaves: () => true };
        await sweepCode(dying, engine.layout, lease, options).catch((error: Error) =>
          expect(error.message).toBe('it died'),
        );
      }, `sweeper-${writes}`);
      const fresh = await engine.open();
      expect(await fresh.tasks.get('another')).toMatchObject({ code: OLD });
    }
    await sweep();
    expect(await kept()).toBe(true);
    expect(await kept(programOf('({ output: 3 })').hash)).toBe(false);
    expect([await left('trash'), await left('dropped')]).toEqual([0, 0]);
  });

  it('lets a sweeper that lost its lease write nothing', async () => {
    await edited();
    const session = await engine.session();
    const lease = (await acquire(session, engine.layout, SWEEPING_SHARD, 'frozen')) as Lease;
    await release(session, engine.layout, lease);
    const before = await tree(engine);
    await sweepCode(session, engine.layout, lease, { nowMs: Date.now() + LATER_MS, leaves: () => true });
    expect(await tree(engine)).toEqual(before);
  });

  it('sweeps in a namespace that an older program has made', async () => {
    const session = await engine.session();
    await engine.keeper.tasks.list();
    await session.multi([engine.layout.dropped, engine.layout.trash].map((path) => ({ op: 'remove' as const, path })));
    const fresh = await engine.open();
    await fresh.tasks.put(task('edited', { code: OLD }));
    await fresh.tasks.put(task('edited', { code: NEW }));
    await sweep();
    expect(await kept()).toBe(false);
  });

  it('stays as large as it is, however often its tasks are edited', async () => {
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (const i of [1, 2, 3])
        await engine.keeper.tasks.put(task(`t${i}`, { code: `({ output: ${round * 10 + i} })` }));
      await sweep();
      sizes.push(await left('code'), (await left('dropped')) + (await left('trash')));
    }
    expect(sizes).toEqual([sizes[0], 0, sizes[0], 0, sizes[0], 0]);
  });

  it('removes days of the due index that somebody made, or emptied, and did not live to go on', async () => {
    await engine.keeper.tasks.list();
    const session = await engine.session();
    const due = engine.layout.due(1);
    await session.multi(
      [`${due}/0000001`, `${due}/0000002`, `${due}/0000002/0007`].map((path) => ({ op: 'create', path, data: '' })),
    );
    await engine.keeper.tick();
    expect(await dueIndex(engine)).toEqual([]);
  });

  it('removes journals of the dead in which nothing is open', async () => {
    await engine.keeper.tasks.list();
    const session = await engine.session();
    const journal = engine.layout.journal(1);
    await session.multi([
      { op: 'create', path: `${journal}/1-0`, data: '' },
      { op: 'create', path: `${journal}/1-1`, data: '1-1-gone' },
    ]);
    await engine.keeper.tick();
    expect(await session.children(journal)).toEqual([]);
  });
}

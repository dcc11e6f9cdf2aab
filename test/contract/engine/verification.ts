/** What is recorded proves that no slot is missing; once somebody has changed it by hand, it does so no longer. */
import { expect, it } from '@jest/globals';
import type { RunRecord, TaskRecord } from '../../../src/record.ts';
import { hasRun, runsOf } from './eyes.ts';
import { clockAt, type TestEngine, task, tickUntil } from './world.ts';

const MINUTE_MS = 60_000;

export function verificationTests(engine: TestEngine): void {
  const every = (minutes: number) => ({ schedule: { every: `${minutes}m` } });

  /** Changes the runs of a record past the keeper. */
  async function falsify(id: string, change: (runs: readonly RunRecord[]) => readonly RunRecord[]): Promise<void> {
    const session = await engine.session();
    const path = engine.layout.task(id);
    const record: TaskRecord = JSON.parse((await session.get(path))?.data ?? '');
    const data = JSON.stringify({ ...record, runs: change(record.runs) });
    await session.multi([{ op: 'set', path, data }]);
  }

  it('proves that an outage, a pause, an edit and a timer that a run moves have lost no slot', async () => {
    const [hourAgo, halfAnHourAgo] = await Promise.all(
      [60, 30].map((minutes) => engine.open({ clock: clockAt(-minutes * MINUTE_MS) })),
    );
    await hourAgo?.tasks.putMany([
      task('outage', every(1)),
      task('paused', { ...every(1), paused: true }),
      task('edited', every(1)),
      task('moved', { ...every(1), code: 'export default () => ({ nextAt: Date.now() + 3_600_000 })' }),
      task('failing', { ...every(1), code: 'throw new Error("no")', retry: { attempts: 2, backoff: '1h' } }),
    ]);
    await halfAnHourAgo?.tasks.resume('paused');
    await halfAnHourAgo?.tasks.put(task('edited', every(10)));
    await tickUntil(engine, 'it is launched by hand too', async () => {
      await engine.keeper.tasks.run('outage', { key: 'once' });
      return hasRun(engine, 'outage', 3)();
    });
    const verification = await engine.keeper.verify();
    expect(verification).toMatchObject({ holds: true, tasks: 5, open: 1, problems: [], notProven: [] });
    const { slots, launched, skipped } = verification;
    expect(slots).toBe(launched + skipped + 1);
    // An hour of four tasks, less half an hour of a pause, and three slots of what was edited.
    expect(slots).toBeGreaterThanOrEqual(3 * 59 + 29 + 2);
    expect(await engine.keeper.verify({ prefix: 'paused' })).toMatchObject({ tasks: 1, problems: [] });
  });

  it('finds the run that somebody has taken out, and the task that it was of', async () => {
    const past = await engine.open({ clock: clockAt(-60 * MINUTE_MS) });
    await past.tasks.putMany([task('sound', every(1)), task('robbed', every(1)), task('shifted', every(1))]);
    await engine.keeper.tick();
    expect(await engine.keeper.verify()).toMatchObject({ holds: true, tasks: 3 });
    const latest = (await runsOf(engine, 'robbed')).at(-1)?.slot;
    await falsify('robbed', ([, ...others]) => others);
    const { holds, problems } = await engine.keeper.verify();
    expect(holds).toBe(false);
    expect(problems).toMatchObject([{ taskId: 'robbed', slot: latest, problem: 'missing' }]);
    await falsify('shifted', (runs) => runs.map((run) => ({ ...run, slotMs: run.slotMs - 1_000 })));
    const { problems: more } = await engine.keeper.verify({ prefix: 'shifted' });
    expect(more.map(({ problem }) => problem)).toEqual(expect.arrayContaining(['missing', 'unexpected']));
    expect(await engine.keeper.verify({ prefix: 'sound' })).toMatchObject({ holds: true });
  });

  it('says of a task whose history cannot be read that nothing is proven of it', async () => {
    const past = await engine.open({ clock: clockAt(-60 * MINUTE_MS) });
    await past.tasks.put(task('torn', { ...every(1), misfire: { policy: 'all' }, overlap: 'queue' }));
    await engine.keeper.tick();
    expect(await engine.keeper.verify()).toMatchObject({ holds: true, tasks: 1, notProven: [{ taskId: 'torn' }] });
    const session = await engine.session();
    const [index] = (await session.children(engine.layout.task('torn'))) ?? [];
    await session.multi([{ op: 'set', path: engine.layout.chunk('torn', Number(index)), data: '[' }]);
    expect((await engine.keeper.verify()).notProven).toEqual([
      { taskId: 'torn', reason: 'its history cannot be read' },
    ]);
  });
}

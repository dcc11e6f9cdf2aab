/** Users change tasks while they run: neither the change nor the record may be lost. */
import { expect, it } from '@jest/globals';
import type { Cronkeeper } from '../../../src/app.ts';
import { hasRun, runsOf, statuses } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, eventually, GATED, Gate, linger, type TestEngine, task } from './world.ts';

export function editTests(engine: TestEngine): void {
  /** Brings a task to the gate, does something to it, and lets it through when the tick has seen that. */
  async function whileItRuns(change: (keeper: Cronkeeper) => Promise<unknown>, rest: object = {}) {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('busy', { schedule: at(-1_000), ...GATED, ...rest }));
    const { stop, until } = await linger(engine, {}, keeper);
    await gate.reached();
    await change(engine.keeper);
    await engine.keeper.tasks.put(task('witness', { schedule: { after: '0s' } }));
    await until('the tick has seen the change', hasRun(engine, 'witness'));
    // Of one task there is never more than one launch at a time.
    expect(gate.arrivals).toHaveLength(1);
    gate.open();
    await until('it is recorded', hasRun(engine, 'busy'));
    return { stop, until, gate };
  }

  it('keeps an edit that is made while the task runs, and the record of the run', async () => {
    const edited = task('busy', { schedule: { every: '1h' }, code: '({ output: "new" })', input: 'new' });
    const { stop } = await whileItRuns((keeper) => keeper.tasks.put(edited));
    await stop();
    const [run, ...more] = await runsOf(engine, 'busy');
    expect(more).toEqual([]);
    expect(run).toMatchObject({ status: 'succeeded', output: 'through', revision: 1 });
    const found = await engine.keeper.tasks.get('busy');
    expect(found).toMatchObject({ revision: 2, input: 'new', code: '({ output: "new" })', status: 'active' });
    expect(Date.parse((found as { nextAt: string }).nextAt)).toBeGreaterThan(Date.now());
    await engine.keeper.tasks.run('busy');
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect((await runsOf(engine, 'busy')).at(-1)).toMatchObject({ output: 'new', revision: 2 });
  });

  it('keeps the record of a run whose task is removed meanwhile, and launches it no more', async () => {
    const { stop } = await whileItRuns((keeper) => keeper.tasks.remove('busy'), {
      schedule: { every: '1s' },
      ...EVERY_SLOT,
    });
    expect(await stop()).toMatchObject({ succeeded: 2 }); // it, and the witness
    expect(await engine.keeper.tasks.get('busy')).toBeUndefined();
    expect(await runsOf(engine, 'busy')).toMatchObject([{ status: 'succeeded', output: 'through' }]);
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
  });

  it('takes a task that is made anew under the same id while the old one runs for another one', async () => {
    const schedule = at(3_600_000);
    const { stop } = await whileItRuns(async (keeper) => {
      await keeper.tasks.remove('busy');
      await keeper.tasks.put(task('busy', { schedule, maxRuns: 1 }));
    });
    await stop();
    const found = await engine.keeper.tasks.get('busy');
    expect(found).toMatchObject({ status: 'active', launches: 0, state: null, nextAt: schedule.at });
    expect(await runsOf(engine, 'busy')).toMatchObject([{ output: 'through' }]);
  });

  it('pauses a task that runs: the run is recorded, its retry and its next slot wait', async () => {
    const code = `export default async (ctx) => { await ctx.call("gate", ctx.slot, ctx.attempt); throw new Error("no") }`;
    const { stop, gate } = await whileItRuns((keeper) => keeper.tasks.pause('busy'), {
      code,
      retry: { attempts: 2, backoff: '0s' },
    });
    await stop();
    expect(await engine.keeper.tasks.get('busy')).toMatchObject({ status: 'paused', nextAt: null });
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
    expect(statuses(await runsOf(engine, 'busy'))).toEqual(['failed']);
    await engine.keeper.tasks.resume('busy');
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    expect(await keeper.tick()).toMatchObject({ failed: 1, due: 1 });
    expect((await runsOf(engine, 'busy')).at(-1)).toMatchObject({ attempt: 2, status: 'failed' });
  });

  it('launches what is asked for by hand while the task runs, after that run', async () => {
    const { stop, until } = await whileItRuns((keeper) => keeper.tasks.run('busy', { input: 'by hand' }));
    await until('both are recorded', hasRun(engine, 'busy', 2));
    await stop();
    const [scheduled, manual] = await runsOf(engine, 'busy');
    expect(scheduled).not.toHaveProperty('manual');
    expect(manual).toMatchObject({ manual: true, status: 'succeeded' });
    expect(Date.parse(manual?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(scheduled?.finishedAt ?? ''));
  });

  it('never runs a task twice at a time, not even when an edit makes it due again while it runs', async () => {
    const again = task('busy', { schedule: { after: '50ms' }, ...GATED, overlap: 'queue' });
    const { stop, until, gate } = await whileItRuns(async (keeper) => {
      await keeper.tasks.put(again);
      await keeper.tasks.put(task('later', { schedule: { after: '300ms' } }));
      await eventually('the new time has come', hasRun(engine, 'later'));
    });
    await until('it has run again', hasRun(engine, 'busy', 2));
    await stop();
    const [old, edited] = await runsOf(engine, 'busy');
    expect(gate.arrivals.map(({ slot }) => slot)).toEqual([old?.slot, edited?.slot]);
    expect(Date.parse(edited?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(old?.finishedAt ?? ''));
  });

  it('keeps one of many changes that are made at once, whole, and the timer of that one', async () => {
    const keepers = await Promise.all([engine.open(), engine.open(), engine.open()]);
    const wishes = Array.from({ length: 12 }, (_, i) => task('fought-over', { schedule: at(60_000 + i), input: i }));
    const results = await Promise.all(wishes.map((wish, i) => (keepers[i % 3] as Cronkeeper).tasks.put(wish)));
    const revisions = results.map(({ revision }) => revision).sort((a, b) => a - b);
    expect(revisions).toEqual(wishes.map((_, i) => i + 1));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    const found = await engine.keeper.tasks.get('fought-over');
    const last = results.findIndex(({ revision }) => revision === wishes.length);
    expect(found).toMatchObject({ input: last, nextAt: (wishes[last] as { schedule: { at: string } }).schedule.at });
    const stale = results[0]?.revision === wishes.length ? results[1] : results[0];
    const conditional = engine.keeper.tasks.remove('fought-over', { ifMatch: stale?.revision ?? 0 });
    await expect(conditional).rejects.toMatchObject({ code: 'conflict' });
  });

  it('clears away what is left of edits, and launches none of it', async () => {
    const past = await engine.open({ clock: clockAt(-10_000) });
    for (const delayMs of [-9_000, -8_000, -7_000]) await past.tasks.put(task('restless', { schedule: at(delayMs) }));
    await past.tasks.put(task('gone', { schedule: at(-9_000) }));
    await past.tasks.remove('gone');
    const schedule = at(-6_000);
    await past.tasks.put(task('restless', { schedule }));
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect((await runsOf(engine, 'restless')).map(({ slot }) => slot)).toEqual([schedule.at]);
  });
}

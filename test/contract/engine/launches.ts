/** The core promise: a slot is launched when it is due and recorded once. */
import { expect, it } from '@jest/globals';
import { accountedFor, hasRun, outputs, runsOf, statuses } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, type TestEngine, task, tickUntil } from './world.ts';

export function launchTests(engine: TestEngine): void {
  it('launches a task at its slot, not before, and records it once', async () => {
    const { nextAt } = await engine.keeper.tasks.put(task('once', { schedule: { after: '1s' } }));
    expect(await engine.keeper.tick()).toMatchObject({ due: 0, shards: 3 });
    const report = await tickUntil(engine, 'it has run', hasRun(engine, 'once'));
    expect(report).toMatchObject({ due: 1, succeeded: 1, deferred: 0 });
    const [run, ...more] = await runsOf(engine, 'once');
    expect(more).toEqual([]);
    expect(run).toMatchObject({ slot: nextAt, attempt: 1, status: 'succeeded', output: 'done' });
    expect(run?.launchId).toBe(`once@${Date.parse(nextAt as string)}`);
    expect(run?.lateMs).toBeGreaterThanOrEqual(0);
    expect(await engine.keeper.tasks.get('once')).toMatchObject({ status: 'completed', nextAt: null, launches: 1 });
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
  });

  it('keeps every slot while it lingers: none is missing, none comes twice or early', async () => {
    await engine.keeper.tasks.put(task('beat', { schedule: { every: '100ms' }, ...EVERY_SLOT }));
    const report = await tickUntil(engine, 'twelve slots', hasRun(engine, 'beat', 12));
    const runs = await runsOf(engine, 'beat');
    const slots = runs.map(({ slot }) => Date.parse(slot));
    expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 100));
    expect(new Set(statuses(runs))).toEqual(new Set(['succeeded']));
    expect(Math.min(...runs.map(({ lateMs }) => lateMs))).toBeGreaterThanOrEqual(0);
    expect(report).toMatchObject({ succeeded: runs.length, due: runs.length });
  });

  it('runs all missed slots in one tick, oldest first, and hands the state from one to the next', async () => {
    const past = await engine.open({ clock: clockAt(-10_500) });
    const code =
      'export default ({ slot, state }) => ({ state: [...(state ?? []), slot], output: state?.length ?? 0 })';
    await past.tasks.put(task('backlog', { schedule: { every: '1s' }, code, ...EVERY_SLOT }));
    const report = await engine.keeper.tick();
    const runs = await runsOf(engine, 'backlog');
    expect(runs.length).toBeGreaterThanOrEqual(10);
    expect(report).toMatchObject({ due: runs.length, succeeded: runs.length });
    expect(outputs(runs)).toEqual(runs.map((_, i) => i));
    const found = await engine.keeper.tasks.get('backlog');
    expect(found).toMatchObject({ state: runs.map(({ slot }) => slot), launches: runs.length });
  });

  it('ends a task when its result says completed, in both forms of code', async () => {
    const past = await engine.open({ clock: clockAt(-5_500) });
    await past.tasks.putMany([
      task('script', { schedule: { every: '1s' }, code: '({ completed: true })', ...EVERY_SLOT }),
      task('module', {
        schedule: { every: '1s' },
        code: 'export default ({ state }) => (state === 1 ? { completed: true, state: 2 } : { state: (state ?? 0) + 1 })',
        ...EVERY_SLOT,
      }),
      // Only an own `true` counts.
      task('inherited', {
        schedule: { every: '1h', anchor: new Date(Date.now() - 1_000).toISOString() },
        code: 'export default () => Object.create({ completed: true })',
      }),
    ]);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 4, due: 4 });
    expect(await runsOf(engine, 'script')).toHaveLength(1);
    expect(await runsOf(engine, 'module')).toHaveLength(2);
    const ended = { status: 'completed', nextAt: null };
    expect(await engine.keeper.tasks.get('script')).toMatchObject(ended);
    expect(await engine.keeper.tasks.get('module')).toMatchObject({ ...ended, state: 2 });
    expect(await engine.keeper.tasks.get('inherited')).toMatchObject({ status: 'active' });
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
  });

  it('moves the timer to nextAt, and says in the log when it cannot', async () => {
    const past = await engine.open({ clock: clockAt(-1_500) });
    const schedule = at(-1_000);
    const moved = new Date(Date.parse(schedule.at) + 86_400_000).toISOString();
    const code = 'export default ({ input }) => ({ nextAt: input })';
    await past.tasks.putMany([
      task('moved', { schedule, code, input: moved }),
      task('soon', { schedule, code, input: Date.parse(schedule.at) + 1 }),
      task('wrong', { schedule, code, input: 'tomorrow' }),
      task('backwards', { schedule, code, input: 1_000 }),
    ]);
    expect(await engine.keeper.tick()).toMatchObject({ failed: 0, deferred: 0 });
    expect(await engine.keeper.tasks.get('moved')).toMatchObject({ status: 'active', nextAt: moved });
    // Its second run asks for the same moment again, which is not later than its slot any more.
    const soon = await runsOf(engine, 'soon');
    expect(soon.map(({ slot }) => Date.parse(slot) - Date.parse(schedule.at))).toEqual([0, 1]);
    expect(soon[1]?.logs?.[0]).toMatch(/^nextAt ignored/);
    for (const id of ['wrong', 'backwards']) {
      expect((await runsOf(engine, id))[0]?.logs).toEqual([expect.stringMatching(/^nextAt ignored: received/)]);
      expect(await engine.keeper.tasks.get(id)).toMatchObject({ status: 'completed' });
    }
  });

  it('shows a task who it is, what it is given and what it carried', async () => {
    const past = await engine.open({ clock: clockAt(-2_500) });
    const code = `export default (ctx) => ({
      state: 'carried',
      output: [ctx.taskId, ctx.slot, ctx.attempt, ctx.fence, ctx.idempotencyKey, ctx.input, ctx.state],
    })`;
    const schedule = { every: '1s' };
    await past.tasks.put(task('self', { schedule, code, input: { a: [1] }, maxRuns: 2, ...EVERY_SLOT }));
    await engine.keeper.tick();
    const runs = await runsOf(engine, 'self');
    expect(outputs(runs)).toEqual(
      runs.map(({ slot, fence }, i) => [
        ...['self', slot, 1, fence, `self@${Date.parse(slot)}`, { a: [1] }],
        i === 0 ? null : 'carried',
      ]),
    );
    expect(runs).toHaveLength(2);
    expect(runs[0]?.fence).toBeGreaterThan(0);
  });

  it('stops at maxRuns and at end, and does not begin before start', async () => {
    const past = await engine.open({ clock: clockAt(-10_500) });
    const fullSecondMs = Math.floor(Date.now() / 1_000) * 1_000;
    const when = (offsetMs: number) => new Date(fullSecondMs + offsetMs).toISOString();
    const every = { schedule: { every: '1s' }, ...EVERY_SLOT };
    await past.tasks.putMany([
      task('three', { ...every, maxRuns: 3 }),
      task('window', { ...every, start: when(-7_000), end: when(-4_000) }),
      task('later', { ...every, start: when(3_600_000) }),
    ]);
    await engine.keeper.tick();
    expect(await runsOf(engine, 'three')).toHaveLength(3);
    const window = (await runsOf(engine, 'window')).map(({ slot }) => slot);
    expect(window).toEqual([-7_000, -6_000, -5_000, -4_000].map(when));
    expect(await engine.keeper.tasks.get('window')).toMatchObject({ status: 'completed', nextAt: null });
    expect(await engine.keeper.tasks.get('later')).toMatchObject({ launches: 0, nextAt: when(3_600_000) });
  });

  it('accounts for everything that was due', async () => {
    const past = await engine.open({ clock: clockAt(-5_500) });
    const schedule = at(-5_000);
    await past.tasks.putMany([
      task('good', { schedule }),
      task('bad', { schedule, code: 'throw new Error("no")', retry: { attempts: 1 } }),
      task('slow', { schedule, code: 'for (;;) {}', timeout: '50ms', retry: { attempts: 1 } }),
      task('missed', { schedule: { every: '1s' }, maxRuns: 1 }),
    ]);
    const report = await engine.keeper.tick();
    expect(report).toMatchObject({ succeeded: 2, failed: 1, timedOut: 1, uncertain: 0, deferred: 0, fenced: 0 });
    expect(report.skipped).toBeGreaterThanOrEqual(4);
    expect(report.due).toBe(accountedFor(report));
    expect(report.quarantined).toEqual([]);
  });

  it('gives its leases back when it has nothing to do, and when it was told to stop before it began', async () => {
    const stopped = AbortSignal.abort();
    const past = await engine.open({ clock: clockAt(-5_500) });
    await past.tasks.put(task('waits', { schedule: at(-5_000) }));
    const report = await engine.keeper.tick({ lingerMs: 60_000, signal: stopped });
    expect(report).toMatchObject({ succeeded: 0 });
    expect(await engine.keeper.tick()).toMatchObject({ shards: 3, succeeded: 1 });
    expect(await engine.keeper.tick()).toMatchObject({ shards: 3, due: 0 });
  });

  it('goes on with the other tasks while a run outlasts the linger', async () => {
    const code = 'export default () => new Promise((resolve) => setTimeout(resolve, 3_000))';
    await engine.keeper.tasks.putMany([
      task('slow', { schedule: { after: '100ms' }, code }),
      task('beat', { schedule: { every: '250ms' }, ...EVERY_SLOT }),
    ]);
    await engine.keeper.tick({ lingerMs: 500 });
    const [slow] = await runsOf(engine, 'slow');
    const endedMs = Date.parse(slow?.finishedAt as string);
    const lateRuns = (await runsOf(engine, 'beat')).filter(({ startedAt }) => {
      const startedMs = Date.parse(startedAt);
      return startedMs > endedMs - 2_000 && startedMs < endedMs;
    });
    expect(slow).toMatchObject({ status: 'succeeded' });
    expect(lateRuns.length).toBeGreaterThan(2);
  });
}

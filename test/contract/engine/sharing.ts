/** Many ticks, hostile tasks, little time: nothing is doubled, nobody waits for long, nothing is left behind. */
import { expect, it } from '@jest/globals';
import type { TickReport } from '../../../src/report.ts';
import { accountedFor, hasRun, leftovers, runsOf, statuses, tree } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, eventually, GATED, Gate, linger, type TestEngine, task } from './world.ts';

export function sharingTests(engine: TestEngine): void {
  const sum = (reports: readonly TickReport[], key: 'shards' | 'due' | 'succeeded' | 'deferred') =>
    reports.reduce((total, report) => total + report[key], 0);

  it('lets ticks at the same time share the shards, and launches nothing twice', async () => {
    const past = await engine.open({ clock: clockAt(-10_500) });
    const ids = Array.from({ length: 60 }, (_, i) => `shared-${i}`);
    await past.tasks.putMany(ids.map((id) => task(id, { schedule: { every: '1s' }, maxRuns: 5, ...EVERY_SLOT })));
    const keepers = await Promise.all([engine.open(), engine.open(), engine.open(), engine.open()]);
    const launched: string[] = [];
    const onRun = (id: string, { slotMs }: { slotMs: number }) => launched.push(`${id}@${slotMs}`);
    const reports = await Promise.all(keepers.map((keeper) => keeper.tick({ onRun })));
    reports.push(await engine.keeper.tick({ onRun }));
    expect(sum(reports, 'succeeded')).toBe(300);
    expect(sum(reports, 'due')).toBe(300);
    expect(new Set(launched).size).toBe(300);
    expect(launched).toHaveLength(300);
    for (const id of ids.slice(0, 5)) {
      const slots = (await runsOf(engine, id)).map(({ slot }) => Date.parse(slot));
      expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 1_000));
    }
  });

  it('leaves a shard to whoever holds it, and says that it had none', async () => {
    const { stop } = await linger(engine);
    const other = await engine.open();
    expect(await other.tick({ lingerMs: 60_000 })).toMatchObject({ shards: 0, due: 0 });
    expect(await stop()).toMatchObject({ shards: 3 });
    expect(await other.tick()).toMatchObject({ shards: 3 });
  });

  it('leaves no lease, no session and no journal when it is stopped', async () => {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    await keeper.tasks.putMany([
      task('beat', { schedule: { every: '100ms' }, ...EVERY_SLOT }),
      task('soon', { schedule: { after: '1500ms' } }),
      task('gated', { schedule: { after: '100ms' }, ...GATED }),
    ]);
    const { stop, until } = await linger(engine, {}, keeper);
    await gate.reached();
    await until('it is in full swing', hasRun(engine, 'beat', 3));
    const isJournalled = async () =>
      [...(await tree(engine, 'shards'))].some(([path, data]) => path.includes('/journal/') && data.includes('-soon'));
    await until('what is to start soon is written down', isJournalled);
    const session = await engine.holder();
    const stopped = stop();
    gate.open();
    const report = await stopped;
    expect(report.due).toBe(accountedFor(report));
    expect(session.signal.aborted).toBe(true);
    expect(await leftovers(engine)).toEqual([]);
    expect(await runsOf(engine, 'gated')).toMatchObject([{ status: 'succeeded', attempt: 1 }]);
    // What it had written down ahead and not started has not been attempted.
    await eventually('the rest has run', async () => {
      await engine.keeper.tick();
      return hasRun(engine, 'soon')();
    });
    expect(await runsOf(engine, 'soon')).toMatchObject([{ attempt: 1 }]);
  });

  it('cuts off after two seconds what does not end when it is stopped, and the next tick takes it on', async () => {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('stuck', { schedule: at(-1_000), ...GATED }));
    const { stop } = await linger(engine, {}, keeper);
    await gate.reached();
    const loadedShards = [engine.layout.shardOf('stuck')];
    expect(await stop()).toMatchObject({ deferred: 1, due: 1, loadedShards });
    gate.open();
    expect(await keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    expect(await runsOf(engine, 'stuck')).toMatchObject([{ attempt: 2, status: 'succeeded' }]);
    expect(await leftovers(engine)).toEqual([]);
  });

  it('starts nothing that its budget might not see the end of, and counts it', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    const schedule = at(-1_000);
    await past.tasks.putMany([
      task('short', { schedule, timeout: '1s' }),
      task('long', { schedule, timeout: '10s' }),
      task('once', { schedule, timeout: '10s', delivery: 'at-most-once' }),
    ]);
    // Such a tick will never have the time for them, so it asks for no other one either.
    const left = { deferred: 2, loadedShards: [] };
    expect(await engine.keeper.tick({ budgetMs: 9_000 })).toMatchObject({ succeeded: 1, due: 3, ...left });
    expect(await runsOf(engine, 'long')).toEqual([]);
    expect(await leftovers(engine)).toEqual([]);
    // Deferred is not attempted.
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 2, uncertain: 0, due: 2 });
    expect(await runsOf(engine, 'once')).toMatchObject([{ attempt: 1, status: 'succeeded' }]);
  });

  it('counts no attempt for launches that never began, however often the budget cuts them off', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    const code = 'const end = Date.now() + 250; while (Date.now() < end); null';
    const ids = Array.from({ length: 12 }, (_, i) => `busy-${i}`);
    const once = { delivery: 'at-most-once' as const };
    await past.tasks.putMany(ids.map((id, i) => task(id, { schedule: at(-1_000), code, ...(i % 2 === 0 && once) })));
    const cut = { ...engine.keeper, tick: () => engine.keeper.tick({ budgetMs: 12_300 }) };
    for (let i = 0; i < 4; i++) await cut.tick();
    for (let i = 0; i < 4; i++) {
      const stopped = AbortSignal.timeout(50);
      await engine.keeper.tick({ signal: stopped });
    }
    await engine.keeper.tick();
    const runs = await Promise.all(ids.map((id) => runsOf(engine, id)));
    expect(runs.map((all) => all.length)).toEqual(ids.map(() => 1));
    expect(new Set(runs.flat().map(({ status }) => status))).toEqual(new Set(['succeeded']));
  });

  it('ends in time when its budget is shorter than its linger', async () => {
    await engine.keeper.tasks.put(task('beat', { schedule: { every: '100ms' }, timeout: '100ms', ...EVERY_SLOT }));
    const report = await engine.keeper.tick({ lingerMs: 600_000, budgetMs: 3_000 });
    expect(report.succeeded).toBeGreaterThan(0);
    expect(report.durationMs).toBeLessThan(60_000);
  });

  it('ends a task that hangs, and lets the others run meanwhile or soon after', async () => {
    const past = await engine.open({ clock: clockAt(-2_000) });
    const schedule = at(-1_000);
    const retry = { attempts: 1 };
    await past.tasks.putMany([
      task('spins', { schedule, retry, timeout: '300ms', code: 'for (;;) {}' }),
      task('microtasks', {
        schedule,
        retry,
        timeout: '300ms',
        code: 'const f = () => Promise.resolve().then(f); f(); export default () => new Promise(() => {})',
      }),
      task('hoards', {
        schedule,
        retry,
        timeout: '2s',
        code: 'const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1))',
      }),
      ...Array.from({ length: 30 }, (_, i) => task(`good-${i}`, { schedule })),
    ]);
    const report = await engine.keeper.tick();
    expect(report).toMatchObject({ due: 33, succeeded: 30, deferred: 0 });
    expect(report.timedOut + report.failed).toBe(3);
    expect(statuses(await runsOf(engine, 'spins'))).toEqual(['timed-out']);
    const starts: number[] = [];
    for (let i = 0; i < 30; i++) {
      const [run] = await runsOf(engine, `good-${i}`);
      starts.push(Date.parse(run?.startedAt ?? ''));
    }
    // The time-outs of the three, and a generous second for each on a loaded machine.
    expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(5_600);
  });

  it('records what a task returns, logs and carries at the limits of all of them, and fails what has no room', async () => {
    const past = await engine.open({ clock: clockAt(-12_500) });
    const code = `export default ({ log }) => {
      for (let i = 0; i < 200; i++) log('\\u0001'.repeat(80));
      return { state: '\\u0001'.repeat(7_000), output: '\\u0001'.repeat(3_000) };
    }`;
    const greedy = { schedule: { every: '1s' }, code, input: 'x'.repeat(32_000), ...EVERY_SLOT };
    await past.tasks.putMany([
      task('greedy', greedy),
      task('full', { ...greedy, retry: { attempts: 1 } }),
      task('modest', { schedule: { every: '1s' }, ...EVERY_SLOT }),
    ]);
    for (let i = 0; i < 4; i++) await engine.keeper.tasks.run('full', { input: 'x'.repeat(32_000) });
    const report = await engine.keeper.tick();
    expect(report).toMatchObject({ deferred: 0, quarantined: [] });
    const [greedyRuns, fullRuns, modestRuns] = await Promise.all(
      ['greedy', 'full', 'modest'].map((id) => runsOf(engine, id)),
    );
    expect(new Set(statuses(greedyRuns ?? []))).toEqual(new Set(['succeeded']));
    expect(greedyRuns?.at(-1)).toMatchObject({ truncated: true, output: expect.stringMatching(/u0001/) });
    expect(greedyRuns?.length).toBeGreaterThanOrEqual(12);
    expect(modestRuns?.length).toBeGreaterThanOrEqual(12);
    expect(fullRuns?.[0]).toMatchObject({ status: 'failed', error: { class: 'ResultTooLarge' } });
    expect(fullRuns?.at(-1)).toMatchObject({ status: 'succeeded' });
    for (const id of ['greedy', 'full']) {
      expect(await engine.keeper.tasks.pause(id)).toMatchObject({ status: 'paused' });
      expect(await engine.keeper.tasks.remove(id)).toBe(true);
    }
  });

  it('gives up a shard that somebody else has taken, and goes on with the others', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `beat-${i}`);
    await engine.keeper.tasks.putMany(ids.map((id) => task(id, { schedule: { every: '100ms' }, ...EVERY_SLOT })));
    const { stop, until } = await linger(engine);
    const { lock, epoch, shardOf } = engine.layout;
    const onShard = (shard: number) => ids.find((id) => shardOf(id) === shard) as string;
    await until('it is in full swing', hasRun(engine, onShard(0), 2));
    const thief = await engine.session();
    await thief.multi([
      { op: 'remove', path: lock(0) },
      { op: 'create', path: lock(0), data: 'thief', mode: 'ephemeral' },
      { op: 'set', path: epoch(0), data: 'thief' },
    ]);
    const before = (await runsOf(engine, onShard(0))).length;
    await until('the others go on', hasRun(engine, onShard(1), (await runsOf(engine, onShard(1))).length + 5));
    const report = await stop();
    expect(report).toMatchObject({ fenced: 1 });
    expect(report.due).toBe(accountedFor(report));
    expect(await runsOf(engine, onShard(0))).toHaveLength(before);
    expect(await thief.get(lock(0))).toMatchObject({ data: 'thief' });
  });

  it('does not start what it could not claim, because somebody else has taken the shard', async () => {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const { lock, epoch, shardOf } = engine.layout;
    const witness = ['a', 'b', 'c', 'd', 'e', 'f'].find((id) => shardOf(id) !== shardOf('claimed')) as string;
    const { until, stop } = await linger(engine, {}, keeper);
    const shard = shardOf('claimed');
    await keeper.tasks.put(task('claimed', { schedule: { after: '400ms' }, delivery: 'at-most-once', ...GATED }));
    const thief = await engine.session();
    await thief.multi([
      { op: 'remove', path: lock(shard) },
      { op: 'create', path: lock(shard), data: 'thief', mode: 'ephemeral' },
      { op: 'set', path: epoch(shard), data: 'thief' },
    ]);
    await keeper.tasks.put(task(witness, { schedule: { after: '600ms' } }));
    await until('its slot has gone by', hasRun(engine, witness));
    expect(await stop()).toMatchObject({ succeeded: 1, fenced: 1, deferred: 1 });
    expect(gate.arrivals).toEqual([]);
    await thief.close();
    gate.open();
    expect(await keeper.tick()).toMatchObject({ succeeded: 1, uncertain: 0 });
    expect(gate.arrivals).toMatchObject([{ attempt: 1 }]);
  });

  it('prepares thousands of launches of one instant without losing any', async () => {
    const past = await engine.open({ clock: clockAt(-60_000) });
    const schedule = at(3_000);
    const ids = Array.from({ length: 5_000 }, (_, i) => `${'long-name-'.repeat(11)}${i}`);
    await past.tasks.putMany(ids.map((id) => task(id, { schedule })));
    const launched = new Set<string>();
    const { stop, until } = await linger(engine, { onRun: (id) => launched.add(id) });
    await until('all have run', () => launched.size === ids.length);
    expect(await stop()).toMatchObject({ succeeded: ids.length, due: ids.length });
    expect(await leftovers(engine)).toEqual([]);
  });
}

/** The session of a tick ends in the middle, as when its process dies: the next one finds all it needs. */
import { expect, it } from '@jest/globals';
import { hasRun, leftovers, runsOf, statuses } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, GATED, Gate, linger, type TestEngine, task, tickUntil } from './world.ts';

export function crashTests(engine: TestEngine): void {
  /** Lets a tick begin what is due, and ends its session before anything can be recorded. */
  async function crashWhileRunning(runs = 1, meanwhile: () => Promise<unknown> = async () => undefined) {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const { done } = await linger(engine, {}, keeper);
    await gate.reached(runs);
    await meanwhile();
    await engine.crash();
    await expect(done).rejects.toMatchObject({ code: 'session-lost' });
    gate.open();
    return gate.arrivals;
  }

  /** Put with a clock that is behind; due a second ago. */
  async function putDue(id: string, rest: object = {}) {
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task(id, { schedule: at(-1_000), ...GATED, ...rest }));
  }

  async function openGate() {
    const gate = new Gate();
    gate.open();
    return { gate, keeper: await engine.open({ capabilities: { gate: gate.capability } }) };
  }

  it('reruns what a dead tick had begun, as the next attempt, and records it once', async () => {
    await putDue('again');
    const [first] = await crashWhileRunning();
    const { keeper, gate } = await openGate();
    expect(await keeper.tick()).toMatchObject({ shards: 3, succeeded: 1, due: 1 });
    expect(first).toMatchObject({ attempt: 1 });
    expect(gate.arrivals).toEqual([{ slot: first?.slot, attempt: 2 }]);
    expect(await runsOf(engine, 'again')).toMatchObject([{ attempt: 2, status: 'succeeded', slot: first?.slot }]);
    expect(await keeper.tick()).toMatchObject({ due: 0 });
    expect(await leftovers(engine)).toEqual([]);
  });

  it('closes as uncertain what a dead tick had begun of an at-most-once task, and goes on with its schedule', async () => {
    await putDue('once', { delivery: 'at-most-once', schedule: { every: '1s' }, ...EVERY_SLOT, maxRuns: 2 });
    const [first] = await crashWhileRunning();
    const { keeper, gate } = await openGate();
    const report = await keeper.tick({ lingerMs: 2_500 });
    expect(report).toMatchObject({ uncertain: 1, succeeded: 1, failed: 0, due: 2 });
    const runs = await runsOf(engine, 'once');
    expect(statuses(runs)).toEqual(['uncertain', 'succeeded']);
    expect(runs[0]).toMatchObject({ slot: first?.slot, attempt: 1, reason: expect.stringMatching(/not run again/) });
    expect(gate.arrivals).toEqual([{ slot: runs[1]?.slot, attempt: 1 }]);
  });

  it('gives a launch up that takes every tick with it', async () => {
    await putDue('poison', { retry: { attempts: 1 } });
    const attempts = [];
    for (let crashes = 0; crashes < 3; crashes++) attempts.push(...(await crashWhileRunning()));
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const { keeper, gate } = await openGate();
    expect(await keeper.tick()).toMatchObject({ failed: 1, due: 1 });
    expect(gate.arrivals).toEqual([]);
    const [run] = await runsOf(engine, 'poison');
    expect(run).toMatchObject({ status: 'failed', attempt: 3, error: { class: 'WorkerLost', name: 'HolderLost' } });
    expect((await keeper.tasks.deadLetters()).items).toMatchObject([{ taskId: 'poison' }]);
    expect(await keeper.tick()).toMatchObject({ due: 0 });
  });

  it('loses nothing of a batch that was cut off: every launch is recorded once', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `batch-${i}`);
    const past = await engine.open({ clock: clockAt(-2_000) });
    const schedule = at(-1_000);
    await past.tasks.putMany(ids.map((id, i) => task(id, { schedule, ...(i % 4 === 0 ? GATED : {}) })));
    await crashWhileRunning(10);
    const { keeper } = await openGate();
    await keeper.tick();
    for (const id of ids) expect(statuses(await runsOf(engine, id))).toEqual(['succeeded']);
    expect(await keeper.tick()).toMatchObject({ due: 0 });
    expect(await leftovers(engine)).toEqual([]);
  });

  it('does not take what was only written down ahead of its time for the end of the schedule', async () => {
    await engine.keeper.tasks.put(task('soon', { schedule: { after: '400ms' } }));
    const { done } = await linger(engine);
    await engine.crash();
    await expect(done).rejects.toMatchObject({ code: 'session-lost' });
    await tickUntil(engine, 'it has run', hasRun(engine, 'soon'));
    expect(statuses(await runsOf(engine, 'soon'))).toEqual(['succeeded']);
  });

  it('takes the attempt of a retry from the journal, and not the first one again', async () => {
    const code = `export default async (ctx) => {
      if (ctx.attempt === 1) throw new Error("first");
      await ctx.call("gate", ctx.slot, ctx.attempt);
    }`;
    await putDue('retried', { code, retry: { attempts: 5, backoff: '0s' } });
    expect(await crashWhileRunning()).toMatchObject([{ attempt: 2 }]);
    const { keeper, gate } = await openGate();
    await keeper.tick();
    expect(gate.arrivals).toMatchObject([{ attempt: 3 }]);
    expect((await runsOf(engine, 'retried')).map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'failed'],
      [3, 'succeeded'],
    ]);
  });

  it('remembers what a dead tick had begun when there is no time to run it now', async () => {
    await putDue('deferred', { timeout: '10s' });
    await crashWhileRunning();
    expect(await engine.keeper.tick({ budgetMs: 5_000 })).toMatchObject({ deferred: 1, due: 1 });
    const { keeper, gate } = await openGate();
    await keeper.tick();
    expect(gate.arrivals).toMatchObject([{ attempt: 2 }]);
  });

  it('records a launch whose task was edited before its holder died: what was begun is not forgotten', async () => {
    await putDue('moved', { delivery: 'at-most-once' });
    await crashWhileRunning(1, () =>
      engine.keeper.tasks.put(task('moved', { delivery: 'at-most-once', schedule: { every: '1s' } })),
    );
    await tickUntil(engine, 'its new schedule has run', hasRun(engine, 'moved', 2));
    const [first, second] = await runsOf(engine, 'moved');
    expect(first).toMatchObject({ status: 'uncertain', attempt: 1 });
    expect(second).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await leftovers(engine)).toEqual([]);
  });

  it.each([
    ['ended', { at: new Date(Date.now() - 60_000).toISOString() }],
    ['put off by a year', { every: '365d' }],
  ])(
    'closes a claim at once whose task was %s before its holder died: no due entry leads to it',
    async (_, schedule) => {
      const once = { delivery: 'at-most-once' } as const;
      await putDue('claimed', once);
      await crashWhileRunning(1, () => engine.keeper.tasks.put(task('claimed', { ...once, schedule })));
      expect(await engine.keeper.tick()).toMatchObject({ uncertain: 1, due: 1 });
      expect(await runsOf(engine, 'claimed')).toMatchObject([{ status: 'uncertain', attempt: 1 }]);
      expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
      expect(await leftovers(engine)).toEqual([]);
    },
  );

  it('uses tasks on a new session after the old one was lost', async () => {
    const { done } = await linger(engine);
    await engine.crash();
    await expect(done).rejects.toMatchObject({ code: 'session-lost' });
    await engine.keeper.tasks.put(task('after'));
    expect(await engine.keeper.tasks.get('after')).toMatchObject({ id: 'after' });
    await engine.keeper.release();
    expect(await engine.keeper.tasks.get('after')).toMatchObject({ id: 'after' });
  });
}

/** What is done about slots that were missed, that overlap, and about runs that fail. */
import { expect, it } from '@jest/globals';
import { accountedFor, hasRun, outputs, runsOf, statuses } from './eyes.ts';
import { at, clockAt, EVERY_SLOT, GATED, Gate, linger, type TestEngine, task, tickUntil } from './world.ts';

const MINUTE_MS = 60_000;

export function policyTests(engine: TestEngine): void {
  /** Puts a task before an outage of ten minutes in which it had slots at every full minute but the last. */
  async function afterAnOutage(misfire: object, rest: object = {}, id = 'outage') {
    const past = await engine.open({ clock: clockAt(-10 * MINUTE_MS) });
    const firstMs = Date.now() - 9 * MINUTE_MS - 30_000;
    const anchor = new Date(firstMs).toISOString();
    await past.tasks.put(task(id, { schedule: { every: '1m', anchor }, misfire, history: 200, ...rest }));
    const report = await engine.keeper.tick();
    expect(accountedFor(report)).toBe(report.due);
    const runs = await runsOf(engine, id);
    return { report, runs, minutes: runs.map(({ slot }) => (Date.parse(slot) - firstMs) / MINUTE_MS) };
  }

  it('makes up for an outage with one run, of the latest slot, and says what it passed over', async () => {
    const { report, runs, minutes } = await afterAnOutage({ policy: 'once' });
    expect(report).toMatchObject({ due: 10, succeeded: 1, skipped: 9 });
    expect(minutes).toEqual([0, 9]);
    expect(runs[0]).toMatchObject({ status: 'skipped', reason: 'coalesced', count: 9, attempt: 0 });
    expect(Date.parse(runs[0]?.lastSlot ?? '')).toBe(Date.parse(runs[1]?.slot ?? '') - MINUTE_MS);
    expect(runs[1]).toMatchObject({ status: 'succeeded', attempt: 1 });
  });

  it('makes up for every slot of an outage, when that is what the task asks for', async () => {
    const { report, minutes } = await afterAnOutage({ policy: 'all' }, { overlap: 'queue' });
    expect(report).toMatchObject({ due: 10, succeeded: 10, skipped: 0 });
    expect(minutes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('makes up for no more than the task allows: not too many, not too old', async () => {
    const { runs, minutes } = await afterAnOutage({ policy: 'all', max: 3 });
    expect(runs[0]).toMatchObject({ status: 'skipped', reason: 'too-many', count: 7 });
    expect(minutes).toEqual([0, 7, 8, 9]);
    const aged = await afterAnOutage({ policy: 'all', window: '2m' }, {}, 'aged');
    expect(aged.runs[0]).toMatchObject({ status: 'skipped', reason: 'too-old', count: 8 });
    expect(statuses(aged.runs.slice(1))).toEqual(['succeeded', 'succeeded']);
  });

  it('makes up for nothing, when that is what the task asks for', async () => {
    const past = await engine.open({ clock: clockAt(-20 * MINUTE_MS) });
    await past.tasks.put(task('skip', { schedule: at(-10 * MINUTE_MS), misfire: { policy: 'skip' } }));
    expect(await engine.keeper.tick()).toMatchObject({ due: 1, skipped: 1, succeeded: 0 });
    expect(await runsOf(engine, 'skip')).toMatchObject([{ status: 'skipped', reason: 'missed', count: 1 }]);
    expect(await engine.keeper.tasks.get('skip')).toMatchObject({ status: 'completed' });
  });

  it('catches up with a backlog of a week without running it, in one short tick', async () => {
    const past = await engine.open({ clock: clockAt(-7 * 1_440 * MINUTE_MS) });
    await past.tasks.put(task('week', { schedule: { every: '1s' } }));
    const report = await engine.keeper.tick();
    expect(report.skipped).toBeGreaterThan(600_000);
    expect(report.succeeded).toBeLessThanOrEqual(1 + report.durationMs / 1_000);
    const { nextAt } = (await engine.keeper.tasks.get('week')) as { nextAt: string };
    expect(Date.parse(nextAt)).toBeGreaterThan(Date.now() - 2_000);
  });

  it('passes over the slots that fall due while the task runs, or queues them: as it asks for', async () => {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const schedule = { every: '100ms' };
    await keeper.tasks.putMany([
      task('skips', { schedule, ...GATED, ...EVERY_SLOT, overlap: 'skip' }),
      task('queues', { schedule, ...GATED, ...EVERY_SLOT }),
      task('witness', { schedule, ...EVERY_SLOT }),
    ]);
    const { stop, until } = await linger(engine, {}, keeper);
    await gate.reached(2);
    const passedMs = Date.now() + 500;
    const lastSlotMs = async (id: string) => Date.parse((await runsOf(engine, id)).at(-1)?.slot ?? '');
    await until('slots go by', async () => (await lastSlotMs('witness')) > passedMs);
    // Never two launches of one task at a time.
    expect(gate.arrivals).toHaveLength(2);
    gate.open();
    const isOn = async (id: string) => (await hasRun(engine, id)()) && (await lastSlotMs(id)) > passedMs + 200;
    await until('both go on', async () => (await isOn('skips')) && isOn('queues'));
    await stop();
    const runs = await runsOf(engine, 'skips');
    const overlapping = runs.findIndex(({ reason }) => reason === 'overlap');
    expect(runs[overlapping]?.count).toBeGreaterThanOrEqual(4);
    expect(runs[overlapping - 1]).toMatchObject({ status: 'succeeded' });
    expect(runs[overlapping + 1]).toMatchObject({ status: 'succeeded' });
    expect(new Set(statuses(await runsOf(engine, 'queues')))).toEqual(new Set(['succeeded']));
    const slots = (await runsOf(engine, 'queues')).map(({ slot }) => Date.parse(slot));
    expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 100));
  });

  it('tries a failed run again with growing pauses while it lingers, then keeps it as a dead letter', async () => {
    const retry = { attempts: 3, backoff: '100ms', factor: 2, jitter: false };
    const code =
      'export default ({ attempt, log }) => { log("try", attempt); throw new TypeError("broken " + attempt) }';
    await engine.keeper.tasks.put(task('fails', { schedule: { after: '200ms' }, code, retry, input: 'why' }));
    const report = await tickUntil(engine, 'three attempts', hasRun(engine, 'fails', 3));
    expect(report).toMatchObject({ failed: 3, due: 3 });
    const runs = await runsOf(engine, 'fails');
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(runs.map(({ launchId }) => launchId)).size).toBe(1);
    expect(runs[1]).toMatchObject({
      error: { class: 'Thrown', name: 'TypeError', message: 'broken 2' },
      logs: ['try 2'],
    });
    const pauses = [0, 1].map((i) => Date.parse(runs[i]?.retryAt ?? '') - Date.parse(runs[i]?.finishedAt ?? ''));
    expect(pauses).toEqual([100, 200]);
    expect(Date.parse(runs[1]?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(runs[0]?.retryAt ?? ''));
    expect(runs[2]).not.toHaveProperty('retryAt');
    const { items } = await engine.keeper.tasks.deadLetters();
    expect(items).toMatchObject([{ taskId: 'fails', launchId: runs[0]?.launchId, input: 'why', run: { attempt: 3 } }]);
    expect(await engine.keeper.tasks.get('fails')).toMatchObject({ deadLetters: 1, launches: 1 });
  });

  it('keeps the latest ten dead letters of a task and no more', async () => {
    const past = await engine.open({ clock: clockAt(-12_500) });
    const code = 'throw new Error("no")';
    await past.tasks.put(task('hopeless', { schedule: { every: '1s' }, code, retry: { attempts: 1 }, ...EVERY_SLOT }));
    await engine.keeper.tick();
    const slots = (await runsOf(engine, 'hopeless')).map(({ launchId }) => launchId);
    expect(slots.length).toBeGreaterThan(10);
    const { items } = await engine.keeper.tasks.deadLetters();
    expect(items.map(({ launchId }) => launchId).sort()).toEqual(slots.slice(-10));
  });

  it('goes on with the schedule after a launch that failed for good', async () => {
    const past = await engine.open({ clock: clockAt(-3_500) });
    const code = 'export default ({ state, slot }) => { if (state) return { output: slot }; throw new Error("no") }';
    const always = { schedule: { every: '1s' }, ...EVERY_SLOT, retry: { attempts: 2, backoff: '0s' } };
    await past.tasks.put(task('unlucky', { ...always, code }));
    const report = await engine.keeper.tick();
    const runs = await runsOf(engine, 'unlucky');
    expect(report.failed).toBe(runs.length);
    // Both attempts at a slot before anything of the next one.
    const attempts = runs.map(({ attempt }) => attempt);
    expect(attempts).toEqual(attempts.map((_, i) => 1 + (i % 2)));
    expect(new Set(outputs(runs))).toEqual(new Set([undefined]));
  });

  it('does not try code again that cannot be parsed, nor a task that asks for at-most-once', async () => {
    const past = await engine.open({ clock: clockAt(-5_500) });
    const code = 'throw new Error("no")';
    await past.tasks.put(task('once', { schedule: at(-5_000), code, delivery: 'at-most-once' }));
    expect(await engine.keeper.tick()).toMatchObject({ failed: 1, due: 1 });
    expect(await runsOf(engine, 'once')).toMatchObject([{ status: 'failed', attempt: 1 }]);
    expect((await engine.keeper.tasks.deadLetters()).items).toMatchObject([{ taskId: 'once' }]);
    const unparsable = past.tasks.put(task('typo', { code: 'export default (' }));
    await expect(unparsable).rejects.toMatchObject({ code: 'invalid', problems: [{ field: 'code' }] });
    expect(await engine.keeper.tasks.get('typo')).toBeUndefined();
  });
}

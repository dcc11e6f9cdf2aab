/** Dead letters that are redriven, and slots of the past that are made up for. */
import { expect, it } from '@jest/globals';
import { formatInstant } from '../../../src/instant.ts';
import { leftovers, outputs, runsOf, statuses, tree } from './eyes.ts';
import { clockAt, EVERY_SLOT, GATED, Gate, linger, type TestEngine, task } from './world.ts';

const HOUR_MS = 3_600_000;

export function againTests(engine: TestEngine): void {
  const mended = 'export default ({ input, slot, idempotencyKey }) => ({ output: { input, slot, idempotencyKey } })';
  const broken = 'export default () => { throw new Error("no") }';

  async function dead(id: string, count = 1): Promise<string[]> {
    await engine.keeper.tasks.put(task(id, { code: broken, retry: { attempts: 1 } }));
    const launches = [];
    for (let i = 0; i < count; i++) {
      launches.push((await engine.keeper.tasks.run(id, { input: 'bad' })).launchId);
      await engine.keeper.tick();
    }
    return launches;
  }

  const lettersOf = async (taskId: string) => (await engine.keeper.tasks.deadLetters({ taskId })).items;

  it('gives a redriven launch the input and the key of its dead letter, which goes', async () => {
    const [launchId = ''] = await dead('mended');
    await engine.keeper.tasks.put(task('mended', { code: mended, retry: { attempts: 1 }, input: 'good' }));
    const { launches, left } = await engine.keeper.tasks.redrive('mended', launchId);
    expect([launches.length, left, await lettersOf('mended')]).toEqual([1, 0, []]);
    await engine.keeper.tick();
    const [first, second] = await runsOf(engine, 'mended');
    expect(second).toMatchObject({ status: 'succeeded', launchId: launches[0]?.launchId, redriveOf: launchId });
    expect(second?.output).toEqual({ input: 'bad', slot: first?.slot, idempotencyKey: launchId });
    expect([...(await tree(engine, 'dead')).keys()].filter((path) => path.includes('@'))).toEqual([]);
  });

  it('launches once what is redriven twice, also at the same moment, and what fails again is a dead letter again', async () => {
    const [launchId = ''] = await dead('twice');
    const [one, other] = await Promise.all([1, 2].map(() => engine.keeper.tasks.redrive('twice', launchId)));
    expect(one).toEqual(other);
    await engine.keeper.tick();
    const again = one?.launches[0]?.launchId;
    expect((await runsOf(engine, 'twice')).map((run) => run.launchId)).toEqual([launchId, again]);
    expect(await engine.keeper.tasks.redrive('twice', launchId)).toMatchObject({ launches: one?.launches, left: 1 });
    expect(await lettersOf('twice')).toMatchObject([{ launchId: again, run: { redriveOf: launchId } }]);
    for (const never of ['twice@1', again?.replace(/\d$/, 'x')]) {
      const code = never === 'twice@1' ? 'not-found' : 'invalid';
      await expect(engine.keeper.tasks.redrive('twice', never)).rejects.toMatchObject({ code });
    }
    await expect(engine.keeper.tasks.redrive('nobody')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('redrives all of a task, oldest first, and nothing of another; lists them page by page', async () => {
    const launches = await dead('all', 3);
    const others = await dead('all-too', 1);
    const first = await engine.keeper.tasks.deadLetters({ taskId: 'all', limit: 2 });
    expect(first.items.map((letter) => letter.launchId)).toEqual(launches.slice(0, 2));
    const rest = await engine.keeper.tasks.deadLetters({ taskId: 'all', limit: 2, cursor: first.cursor as string });
    expect(rest.items.map((letter) => letter.launchId)).toEqual(launches.slice(2));
    const everybody = [];
    for (let cursor: string | undefined; ; ) {
      const page = await engine.keeper.tasks.deadLetters({ limit: 1, ...(cursor !== undefined && { cursor }) });
      everybody.push(...page.items.map((letter) => letter.launchId));
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    expect(everybody.sort()).toEqual([...launches, ...others].sort());
    const { launches: made, left } = await engine.keeper.tasks.redrive('all');
    expect([made.map(({ redriveOf }) => redriveOf), left]).toEqual([launches, 0]);
    expect(await lettersOf('all-too')).toHaveLength(1);
    expect(await engine.keeper.tasks.redrive('all')).toEqual({ launches: [], left: 0 });
  });

  /** The last `count` full hours, oldest first. */
  const hours = (count: number): string[] => {
    const lastMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;
    return Array.from({ length: count }, (_, i) => formatInstant(lastMs - (count - 1 - i) * HOUR_MS));
  };
  const rangeOf = (slots: readonly string[]) => ({ from: slots[0] as string, to: slots.at(-1) as string });

  it('makes up for every slot of a range once, oldest first, in one tick, though the task is paused', async () => {
    const slots = hours(30);
    const bySlot = 'export default ({ slot }) => ({ output: slot })';
    await engine.keeper.tasks.put(task('report', { code: bySlot, paused: true, history: 100 }));
    const asked = await engine.keeper.tasks.backfill('report', { ...rangeOf(slots), key: 'k' });
    expect(asked).toEqual({ count: 30, ...rangeOf(slots) });
    expect(await engine.keeper.tasks.get('report')).toMatchObject({ backfill: { next: slots[0], count: 30 } });
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 30, due: 30 });
    const runs = await runsOf(engine, 'report');
    expect(outputs(runs)).toEqual(slots);
    expect(runs.map(({ forSlot }) => forSlot)).toEqual(slots);
    expect(await engine.keeper.tasks.backfill('report', { ...rangeOf(slots), key: 'k' })).toEqual(asked);
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
    expect(await engine.keeper.tasks.get('report')).toMatchObject({ launches: 0, nextAt: null });
    expect(await engine.keeper.tasks.get('report')).not.toHaveProperty('backfill');
  });

  it('makes up for every slot though a holder dies in the middle', async () => {
    const slots = hours(5);
    await engine.keeper.tasks.put(task('cut', { ...GATED, history: 100 }));
    await engine.keeper.tasks.backfill('cut', rangeOf(slots));
    const gate = new Gate();
    let stops = true;
    const pass = async (slot: string, attempt: number) => {
      if (slot === slots[2] && stops) await gate.capability(slot, attempt);
    };
    const keeper = await engine.open({ capabilities: { gate: pass } });
    const { done } = await linger(engine, {}, keeper);
    await gate.reached();
    await engine.crash();
    await expect(done).rejects.toMatchObject({ code: 'session-lost' });
    stops = false;
    gate.open();
    const successor = await engine.open({ capabilities: { gate: pass } });
    expect(await successor.tick()).toMatchObject({ succeeded: 3, due: 3 });
    const runs = await runsOf(engine, 'cut');
    expect(runs.map(({ forSlot, attempt }) => [forSlot, attempt])).toEqual(
      slots.map((slot, i) => [slot, i === 2 ? 2 : 1]),
    );
    expect(await leftovers(engine)).toEqual([]);
  });

  it('does not let a long backfill hold up the schedule', async () => {
    const past = await engine.open({ clock: clockAt(-3_500) });
    await past.tasks.put(task('both', { schedule: { every: '1s' }, ...EVERY_SLOT, maxRuns: 3 }));
    const toMs = Math.floor(Date.now() / 1_000) * 1_000 - HOUR_MS;
    const range = { from: formatInstant(toMs - 19_000), to: formatInstant(toMs) };
    await engine.keeper.tasks.backfill('both', range);
    expect(await engine.keeper.tick()).toMatchObject({ succeeded: 23, due: 23 });
    const runs = await runsOf(engine, 'both');
    expect(runs.slice(0, 3).every(({ manual }) => manual === undefined)).toBe(true);
    expect(new Set(statuses(runs))).toEqual(new Set(['succeeded']));
    expect(runs.slice(3).every(({ forSlot }) => forSlot !== undefined)).toBe(true);
  });

  it('refuses a backfill of what is to come, a second one, and one of too much', async () => {
    await engine.keeper.tasks.put(task('one', { schedule: { every: '1s' } }));
    const range = rangeOf(hours(1));
    const ask = (request: object) => engine.keeper.tasks.backfill('one', { ...range, ...request });
    await expect(ask({ to: formatInstant(Date.now() + HOUR_MS) })).rejects.toMatchObject({ code: 'invalid' });
    await expect(ask({ from: 'yesterday' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(ask({ from: formatInstant(Date.parse(range.to) + 1) })).rejects.toMatchObject({ code: 'invalid' });
    await expect(ask({ from: formatInstant(Date.parse(range.to) - 3 * HOUR_MS) })).rejects.toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('10801 slots'),
    });
    await ask({});
    await expect(ask({})).rejects.toMatchObject({ code: 'conflict' });
    await expect(engine.keeper.tasks.backfill('nobody', range)).rejects.toMatchObject({ code: 'not-found' });
  });
}

/** Clocks differ, and are set: what is due is what the coordinator's clock says. */
import { expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Coordinator } from '../../../src/coordinator.ts';
import { hasRun, runsOf } from './eyes.ts';
import { EVERY_SLOT, linger, type TestEngine, task } from './world.ts';

const MINUTE_MS = 60_000;

/** A clock that somebody sets. */
class StepClock implements Clock {
  offsetMs = 0;
  now = () => systemClock.now() + this.offsetMs;
  elapsed = systemClock.elapsed;
  after = systemClock.after;
}

export function clockTests(engine: TestEngine): void {
  /** A keeper on a machine whose clock is wrong; the coordinator's is right. */
  const openOn = (clock: Clock) => {
    const coordinator: Coordinator = {
      url: 'embedded:',
      connect: () => engine.session(),
      close: async () => {},
    };
    return engine.open({ clock, coordinator });
  };

  for (const [name, offsetMs] of [
    ['ahead', 5 * MINUTE_MS],
    ['behind', -5 * MINUTE_MS],
  ] as const) {
    it(`registers and asks by the coordinator's time where the caller's clock is ${name}`, async () => {
      const clock = new StepClock();
      clock.offsetMs = offsetMs;
      const keeper = await openOn(clock);
      const beforeMs = Date.now();
      await keeper.tasks.put(task('shifted', { schedule: { every: '1h' } }));
      const { slot } = await keeper.tasks.run('shifted');
      expect(Date.parse(slot)).toBeGreaterThanOrEqual(beforeMs - 1_000);
      expect(Date.parse(slot)).toBeLessThan(beforeMs + MINUTE_MS);
      expect(await engine.keeper.tick()).toMatchObject({ succeeded: 1, due: 1 });
    });

    it(`runs what is due, and nothing else, where its own clock is ${name}`, async () => {
      const clock = new StepClock();
      clock.offsetMs = offsetMs;
      const keeper = await openOn(clock);
      await engine.keeper.tasks.put(task('beat', { schedule: { every: '100ms' }, ...EVERY_SLOT }));
      const { until, stop } = await linger(engine, {}, keeper);
      await until('it runs', hasRun(engine, 'beat', 3));
      const report = await stop();
      expect(Math.abs(report.clockSkewMs - offsetMs)).toBeLessThan(MINUTE_MS);
      for (const { slot, startedAt, finishedAt } of await runsOf(engine, 'beat')) {
        expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(Date.parse(slot));
        expect(Date.parse(finishedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
        expect(Date.parse(finishedAt)).toBeLessThan(Date.now() + MINUTE_MS);
      }
    });

    it(`launches no slot early, late or twice when its clock is set ${name} in the middle`, async () => {
      const clock = new StepClock();
      const keeper = await openOn(clock);
      await engine.keeper.tasks.put(task('beat', { schedule: { every: '100ms' }, ...EVERY_SLOT }));
      const { until, stop } = await linger(engine, {}, keeper);
      await until('it runs', hasRun(engine, 'beat', 3));
      clock.offsetMs = offsetMs;
      await until('it goes on', hasRun(engine, 'beat', 8));
      await stop();
      const runs = await runsOf(engine, 'beat');
      const slots = runs.map(({ slot }) => Date.parse(slot));
      expect(slots).toEqual(slots.map((_, i) => (slots[0] as number) + i * 100));
      for (const { slot, startedAt, finishedAt } of runs) {
        expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(Date.parse(slot));
        expect(Date.parse(finishedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
        expect(Date.parse(finishedAt)).toBeLessThan(Date.now() + MINUTE_MS);
      }
    });
  }
}

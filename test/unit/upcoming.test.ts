import { describe, expect, test } from '@jest/globals';
import { newPages, type Page, type TimedEntry } from '../../src/due.ts';
import { createLayout } from '../../src/layout.ts';
import { PACE } from '../../src/pace.ts';
import { Upcoming } from '../../src/upcoming.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const layout = createLayout('test', 1);

function pageOf(...dueMs: number[]): Page {
  const made = newPages(
    layout,
    dueMs.map((due, i) => ({ taskId: `t${i}`, dueMs: due, timer: 0 })),
    () => 'm',
  );
  return made.pages[0] as Page;
}

function rig(untilMs: number, lingers = true) {
  const clock = new VirtualClock(0);
  const begun: TimedEntry[] = [];
  const submit = (due: readonly TimedEntry[]) => void begun.push(...due);
  const upcoming = new Upcoming({ clock, now: clock.now, until: () => untilMs, lingers, submit });
  return { clock, begun, upcoming };
}

describe('what is to come', () => {
  test('begins at once or on time, and not at all beyond the end of the tick', async () => {
    const { clock, begun, upcoming } = rig(1_000);
    upcoming.accept([...pageOf(0, 10, 1_000, 1_001).left.values()]);
    expect(begun.map(({ dueMs }) => dueMs)).toEqual([0]);
    expect(upcoming.soon().map(({ dueMs }) => dueMs)).toEqual([10]);
    await clock.advance(5_000);
    expect(begun.map(({ dueMs }) => dueMs)).toEqual([0, 10, 1_000]);
  });

  test('is handed over a moment ahead, and no sooner', async () => {
    const { clock, begun, upcoming } = rig(1_000);
    upcoming.accept([...pageOf(500).left.values()]);
    await clock.advance(500 - PACE.handOverAheadMs - 1);
    expect(begun).toEqual([]);
    await clock.advance(1);
    expect(begun.map(({ dueMs }) => dueMs)).toEqual([500]);
  });

  test('is remembered for as long as the next scan looks ahead, however long the tick lingers', () => {
    const { upcoming } = rig(3_600_000);
    expect(upcoming.isSoon(pageOf(PACE.scanAheadMs))).toBe(true);
    expect(upcoming.isSoon(pageOf(PACE.scanAheadMs + 1))).toBe(false);
    const brief = rig(5, false).upcoming;
    expect([5, 6].map((dueMs) => brief.isSoon(pageOf(dueMs)))).toEqual([true, false]);
  });

  test('has room for so many timers; what is due needs none, and the rest is looked for again before it is due', () => {
    const { upcoming } = rig(60_000);
    const many = Array.from({ length: PACE.timersMax }, () => ({
      ...([...pageOf(50_000).left.values()][0] as TimedEntry),
    }));
    upcoming.accept(many.slice(1));
    expect(upcoming.fullForMs(pageOf(30_000))).toBeUndefined();
    upcoming.accept(many.slice(0, 1));
    expect(upcoming.fullForMs(pageOf(30_000, 40_000))).toBe(15_000);
    expect(upcoming.fullForMs(pageOf(1))).toBe(PACE.scanAgainMs);
    expect(upcoming.fullForMs(pageOf(0, 30_000))).toBeUndefined();
  });
});

import { describe, expect, test } from '@jest/globals';
import { Wakes } from '../../src/wakes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

describe('reasons to wake up', () => {
  test('come at their times, in their order', async () => {
    const clock = new VirtualClock();
    const wakes = new Wakes<'a' | 'b' | 'c'>(clock);
    wakes.wakeIn(30, 'c');
    wakes.wakeIn(10, 'a');
    wakes.wakeIn(20, 'b');
    await clock.advance(30);
    expect([await wakes.next(), await wakes.next(), await wakes.next()]).toEqual(['a', 'b', 'c']);
  });

  test('wake who waits already', async () => {
    const clock = new VirtualClock();
    const wakes = new Wakes<'a' | 'b'>(clock);
    const first = wakes.next();
    wakes.wakeIn(10, 'a');
    await clock.advance(10);
    expect(await first).toBe('a');
    const second = wakes.next();
    wakes.wakeNow('b');
    expect(await second).toBe('b');
  });

  test('are one when they are the same: a storm of rings is one scan', async () => {
    const clock = new VirtualClock();
    const wakes = new Wakes<'ring' | 'end'>(clock);
    for (let i = 0; i < 100; i++) wakes.wakeIn(10, 'ring');
    expect(clock.waiting).toBe(1);
    for (let i = 0; i < 100; i++) wakes.wakeNow('ring');
    await clock.advance(10);
    wakes.wakeNow('end');
    expect([await wakes.next(), await wakes.next()]).toEqual(['ring', 'end']);
  });

  test('come again when they are asked for again, and at once for a time that is over', async () => {
    const clock = new VirtualClock();
    const wakes = new Wakes<'a'>(clock);
    for (let i = 0; i < 3; i++) {
      wakes.wakeIn(-5, 'a');
      await clock.advance(0);
      expect(await wakes.next()).toBe('a');
    }
  });

  test('come at the sooner of two times', async () => {
    const clock = new VirtualClock();
    const wakes = new Wakes<'a' | 'b'>(clock);
    for (const delayMs of [30, 10, 20]) wakes.wakeIn(delayMs, 'a');
    wakes.wakeIn(15, 'b');
    expect(clock.waiting).toBe(2);
    await clock.advance(30);
    wakes.wakeIn(0, 'b');
    expect([await wakes.next(), await wakes.next()]).toEqual(['a', 'b']);
  });

  test('that are stopped leave no timer behind', async () => {
    const clock = new VirtualClock();
    const wakes = new Wakes<'a' | 'b'>(clock);
    wakes.wakeIn(10, 'a');
    wakes.wakeIn(20, 'b');
    wakes.stop();
    expect(clock.waiting).toBe(0);
  });
});

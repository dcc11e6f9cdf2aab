import { describe, expect, test } from '@jest/globals';
import type { Session } from '../../src/coordinator.ts';
import { CLOSING_MS, Ending } from '../../src/ending.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A session as far as an ending looks at one. */
function alive() {
  const controller = new AbortController();
  return { session: { signal: controller.signal } as Session, lose: (reason: Error) => controller.abort(reason) };
}

const never = new Promise<never>(() => {});

describe('the end of a tick', () => {
  test('a failure that comes after the end has begun still ends what waits', async () => {
    const { session, lose } = alive();
    const ending = new Ending(new VirtualClock(), session, Infinity);
    ending.now();
    const waiting = ending.unlessFailed(never);
    const reason = new Error('the session has ended');
    lose(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(ending.failure).toBe(reason);
  });

  test('the first failure is the one that counts', async () => {
    const ending = new Ending(new VirtualClock(), alive().session, Infinity);
    ending.fail(new Error('first'));
    ending.fail(new Error('second'));
    await expect(ending.unlessFailed(never)).rejects.toThrow('first');
  });

  test('when the budget is nearly used up, nothing starts and what runs is told to end', async () => {
    const clock = new VirtualClock();
    const ending = new Ending(clock, alive().session, 10_000);
    expect(ending.leaves(10_000 - CLOSING_MS)).toBe(true);
    expect(ending.leaves(10_001 - CLOSING_MS)).toBe(false);
    await clock.advance(10_000 - CLOSING_MS);
    expect([ending.isClosing, ending.ending.aborted, ending.leaves(0)]).toEqual([true, true, false]);
    ending.over();
  });

  test('asked to stop, it gives what runs two seconds', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const ending = new Ending(clock, alive().session, Infinity, stop.signal);
    stop.abort();
    expect([ending.isClosing, ending.ending.aborted]).toEqual([true, false]);
    await clock.advance(CLOSING_MS);
    expect(ending.ending.aborted).toBe(true);
    ending.over();
    expect(clock.waiting).toBe(0);
  });

  test('what is over in time is told its result', async () => {
    const ending = new Ending(new VirtualClock(), alive().session, Infinity);
    await expect(ending.unlessFailed(Promise.resolve(7))).resolves.toBe(7);
    await expect(ending.unlessFailed(Promise.reject(new Error('its own')))).rejects.toThrow('its own');
  });
});

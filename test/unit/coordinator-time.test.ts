/** What time the coordinator has: asked for seldom, carried on by a clock that nobody sets. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type EmbeddedCoordinator, openEmbedded } from '../../src/coordinator/embedded.ts';
import type { Session } from '../../src/coordinator.ts';
import { CoordinatorTime, coordinatorTime, measureSkewMs } from '../../src/coordinator-time.ts';
import { FaultySession } from '../support/faulty-session.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MINUTE_MS = 60_000;

describe('the time of a coordinator', () => {
  let there: VirtualClock;
  let here: VirtualClock;
  let coordinator: EmbeddedCoordinator;
  let session: FaultySession;
  let made = 0;
  const path = () => `/time-${made++}`;

  beforeEach(async () => {
    there = new VirtualClock();
    here = new VirtualClock(there.now() + 5 * MINUTE_MS);
    coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 40_000, clock: there });
    session = new FaultySession(await coordinator.connect());
  });

  afterEach(() => coordinator.close());

  const names = (of: Session) => of.children('/');

  test('is told from a clock that is five minutes ahead, and nothing is left behind', async () => {
    expect(await measureSkewMs(session, here, '/time')).toBe(5 * MINUTE_MS);
    expect(await names(session)).toEqual([]);
  });

  test('is told from a clock that is set while the answer is on its way', async () => {
    const measured = measureSkewMs(session, here, '/time');
    here.step(-3 * MINUTE_MS);
    expect(await measured).toBe(2 * MINUTE_MS);
  });

  test('goes on by the monotonic clock when the wall clock is set', async () => {
    const now = coordinatorTime(here, 5 * MINUTE_MS);
    expect(now()).toBe(there.now());
    here.step(-3 * MINUTE_MS);
    await here.advance(1_500);
    expect(now()).toBe(there.now() + 1_500);
  });

  test('is asked for once a minute, and not for every change', async () => {
    const time = new CoordinatorTime(session, here, path);
    expect(await time.now()).toBe(there.now());
    await here.advance(MINUTE_MS);
    expect(await time.now()).toBe(there.now() + MINUTE_MS);
    expect(session.sent).toHaveLength(1);
    await here.advance(1);
    expect(await time.now()).toBe(there.now());
    expect(session.sent).toHaveLength(2);
  });

  test('is asked for again when the answer was lost', async () => {
    session.faults.push('reply-lost', 'request-lost');
    const time = new CoordinatorTime(session, here, path);
    expect(await time.now()).toBe(there.now());
    expect(session.sent).toHaveLength(3);
    expect(await names(session)).toEqual([]);
  });

  test('is not made up when nobody answers, and asked for afresh by the next caller', async () => {
    session.faults.push('unavailable');
    const time = new CoordinatorTime(session, here, path);
    await expect(time.now()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await time.now()).toBe(there.now());
  });
});

import { expect, it, jest } from '@jest/globals';
import { CoordinatorError, type Session } from '../../../src/coordinator.ts';
import { eventually, failure, type TestWorld } from './world.ts';

export function sessionTests(world: TestWorld): void {
  const calls = (session: Session): Promise<unknown>[] => [
    session.get(world.at('node')),
    session.get(world.at('node'), () => {}),
    session.getMany([world.at('node')]),
    session.children(world.at('node')),
    session.multi([{ op: 'create', path: world.at('late'), data: '' }]),
  ];

  it.each(['close', 'expire'] as const)(
    'aborts its signal when it ends (%s), and refuses what comes later',
    async (end) => {
      const [session, other] = [await world.connect(), await world.connect()];
      const onAbort = jest.fn<() => void>();
      session.signal.addEventListener('abort', onAbort);
      expect(session.signal.aborted).toBe(false);
      await (end === 'close' ? session.close() : world.expire(session));
      await eventually('the signal is aborted', () => session.signal.aborted);
      expect(onAbort).toHaveBeenCalledTimes(1);
      expect(session.signal.reason).toBeInstanceOf(CoordinatorError);
      expect(session.signal.reason).toMatchObject({ code: 'session-lost' });
      for (const call of calls(session).map(failure)) expect(await call).toMatchObject({ code: 'session-lost' });
      expect(other.signal.aborted).toBe(false);
      expect(await other.get(world.at('late'))).toBeUndefined();
    },
  );

  it('writes nothing once it has expired, even before it has heard of that', async () => {
    const [session, other] = [await world.connect(), await world.connect()];
    const lock = world.at('lock');
    await session.multi([{ op: 'create', path: lock, data: '', mode: 'ephemeral' }]);
    await world.expire(session);
    await eventually('the lock is free', async () => (await other.get(lock)) === undefined);
    const late = await failure(session.multi([{ op: 'create', path: world.at('late'), data: '' }]));
    expect(['session-lost', 'outcome-unknown', 'unavailable']).toContain(late.code);
    await other.multi([{ op: 'create', path: world.at('late'), data: 'free' }]);
    await eventually('the session knows', () => session.signal.aborted);
  });

  it('settles what is under way when it is closed', async () => {
    const session = await world.connect();
    const pending = Promise.allSettled(calls(session));
    await session.close();
    expect(await pending).toHaveLength(5);
  });

  it('can be closed again, also when it has expired', async () => {
    const session = await world.connect();
    await Promise.all([session.close(), session.close()]);
    await session.close();
    const expired = await world.connect();
    await world.expire(expired);
    await expired.close();
    expect(expired.signal.aborted).toBe(true);
  });

  it('is never shared', async () => {
    const [one, other] = [await world.connect(), await world.connect()];
    await one.close();
    await other.multi([{ op: 'create', path: world.at('node'), data: '' }]);
    expect(other.signal.aborted).toBe(false);
  });
}

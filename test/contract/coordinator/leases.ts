/** The one recipe that everything rests on: an ephemeral lock and, in the same multi, an epoch whose version fences. */
import { expect, it } from '@jest/globals';
import type { Session } from '../../../src/coordinator.ts';
import { eventually, failure, type TestWorld } from './world.ts';

export function leaseTests(world: TestWorld): void {
  const lock = () => world.at('lock');
  const epoch = () => world.at('epoch');
  const record = () => world.at('record');

  async function prepare(): Promise<void> {
    const session = await world.connect();
    await session.multi([
      { op: 'create', path: epoch(), data: '' },
      { op: 'create', path: record(), data: '' },
    ]);
  }

  /** Takes the lease and gives its fence. */
  async function acquire(session: Session): Promise<number> {
    const [, set] = await session.multi([
      { op: 'create', path: lock(), data: '', mode: 'ephemeral' },
      { op: 'set', path: epoch(), data: session.id },
    ]);
    return set?.version ?? Number.NaN;
  }

  const write = (session: Session, data: string, ...checks: { path: string; version?: number }[]) =>
    session.multi([
      ...checks.map((check) => ({ op: 'check', ...check }) as const),
      { op: 'set', path: record(), data },
    ]);

  it('gives one winner when several sessions take one lock at once', async () => {
    await prepare();
    const sessions = await Promise.all(Array.from({ length: 4 }, () => world.connect()));
    const outcomes = await Promise.allSettled(sessions.map(acquire));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(won.map(({ value }) => value)).toEqual([1]);
    expect(lost.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ refusal: 'node-exists', opIndex: 0 })),
    );
    const winner = sessions[outcomes.findIndex((outcome) => outcome.status === 'fulfilled')];
    expect(await winner?.get(lock())).toMatchObject({ owner: winner?.id });
    expect(await winner?.get(epoch())).toMatchObject({ version: 1, data: winner?.id });
  });

  it('gives a greater fence with every lease, however the last one ended', async () => {
    await prepare();
    const removes = await world.connect();
    const fences = [await acquire(removes)];
    await removes.multi([{ op: 'remove', path: lock() }]);
    const closes = await world.connect();
    fences.push(await acquire(closes));
    await closes.close();
    const expires = await world.connect();
    fences.push(await acquire(expires));
    await world.expire(expires);
    const last = await world.connect();
    await eventually('the lock is free', async () => (await last.get(lock())) === undefined);
    fences.push(await acquire(last));
    expect(fences).toEqual([1, 2, 3, 4]);
  });

  it('keeps out a stale holder by the epoch, where the lock alone would let it in', async () => {
    await prepare();
    const [stale, holder] = [await world.connect(), await world.connect()];
    const staleFence = await acquire(stale);
    await write(stale, 'first', { path: lock() }, { path: epoch(), version: staleFence });
    await stale.multi([{ op: 'remove', path: lock() }]);
    const fence = await acquire(holder);
    // The stale holder's session lives: nothing but the epoch tells it from the holder. Its lock is there, at version 0.
    const error = await failure(write(stale, 'stale', { path: lock() }, { path: epoch(), version: staleFence }));
    expect(error).toMatchObject({ code: 'conflict', refusal: 'bad-version', opIndex: 1 });
    await write(stale, 'let in', { path: lock(), version: 0 });
    await write(holder, 'last', { path: lock() }, { path: epoch(), version: fence });
    expect(await holder.get(record())).toMatchObject({ data: 'last', version: 3 });
  });

  it('keeps out a holder whose lock is gone though nobody took it', async () => {
    await prepare();
    const [stale, next] = [await world.connect(), await world.connect()];
    const fence = await acquire(stale);
    await stale.close();
    const error = await failure(write(next, 'stale', { path: lock() }, { path: epoch(), version: fence }));
    expect(error).toMatchObject({ code: 'conflict', refusal: 'no-node', opIndex: 0 });
  });

  it('keeps out a holder whose session expired, without any check', async () => {
    await prepare();
    const [stale, next] = [await world.connect(), await world.connect()];
    await acquire(stale);
    await world.expire(stale);
    await eventually('the lock is free', async () => (await next.get(lock())) === undefined);
    await failure(write(stale, 'stale'));
    await next.multi([{ op: 'check', path: record(), version: 0 }]);
  });
}

import { expect, it } from '@jest/globals';
import { eventually, failure, type TestWorld } from './world.ts';

export function ephemeralTests(world: TestWorld): void {
  it('names the session that an ephemeral belongs to', async () => {
    const [one, other] = [await world.connect(), await world.connect()];
    const path = world.at('ephemeral');
    await one.multi([{ op: 'create', path, data: 'x', mode: 'ephemeral' }]);
    expect(await one.get(path)).toMatchObject({ data: 'x', version: 0, owner: one.id });
    await other.multi([{ op: 'set', path, data: 'y' }]);
    expect(await other.get(path)).toMatchObject({ data: 'y', version: 1, owner: one.id });
    expect(one.id).not.toBe(other.id);
  });

  it('removes the ephemerals of a session that closes, and no others', async () => {
    const [one, other] = [await world.connect(), await world.connect()];
    await one.multi([
      { op: 'create', path: world.at('kept'), data: '' },
      { op: 'create', path: world.at('gone'), data: '', mode: 'ephemeral' },
      { op: 'create', path: world.at('gone-'), data: '', mode: 'ephemeral-sequential' },
    ]);
    await other.multi([{ op: 'create', path: world.at('others'), data: '', mode: 'ephemeral' }]);
    await one.close();
    // A write is served in order everywhere; a read may lag behind. So whether they are gone is asked by creating them.
    await other.multi([{ op: 'create', path: world.at('gone'), data: '' }]);
    expect((await other.children(world.at('').slice(0, -1)))?.sort()).toEqual(['gone', 'kept', 'others']);
    expect(await other.get(world.at('gone'))).not.toHaveProperty('owner');
  });

  it('removes the ephemerals of a session that is not heard of any more', async () => {
    const [one, other] = [await world.connect(), await world.connect()];
    const path = world.at('ephemeral');
    await one.multi([
      { op: 'create', path: world.at('p'), data: '' },
      { op: 'create', path: world.at('p/child'), data: '', mode: 'ephemeral' },
      { op: 'create', path, data: '', mode: 'ephemeral' },
    ]);
    await world.expire(one);
    await eventually('the ephemeral is gone', async () => (await other.get(path)) === undefined);
    await other.multi([{ op: 'remove', path: world.at('p') }]);
  });

  it('keeps the ephemerals of a session that is idle but alive', async () => {
    const [idle, other] = [await world.connect(), await world.connect()];
    const path = world.at('ephemeral');
    await idle.multi([{ op: 'create', path, data: '', mode: 'ephemeral' }]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await other.get(path)).toMatchObject({ owner: idle.id });
    expect(idle.signal.aborted).toBe(false);
  });

  it('lets another session remove an ephemeral, whose name is then free', async () => {
    const [one, other] = [await world.connect(), await world.connect()];
    const path = world.at('ephemeral');
    await one.multi([{ op: 'create', path, data: '', mode: 'ephemeral' }]);
    await other.multi([
      { op: 'remove', path, version: 0 },
      { op: 'create', path, data: 'mine', mode: 'ephemeral' },
    ]);
    await one.close();
    expect(await other.get(path)).toMatchObject({ data: 'mine', owner: other.id });
  });

  it('gives an ephemeral no children, of any kind', async () => {
    const session = await world.connect();
    const path = world.at('ephemeral');
    await session.multi([{ op: 'create', path, data: '', mode: 'ephemeral' }]);
    for (const mode of ['persistent', 'ephemeral', 'sequential', 'ephemeral-sequential'] as const) {
      const error = await failure(session.multi([{ op: 'create', path: `${path}/child`, data: '', mode }]));
      expect(error).toMatchObject({ code: 'conflict', refusal: 'no-children-for-ephemerals', opIndex: 0 });
    }
  });
}

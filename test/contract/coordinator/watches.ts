import { expect, it, jest } from '@jest/globals';
import type { Op, Session } from '../../../src/coordinator.ts';
import { eventually, failure, type TestWorld } from './world.ts';

export function watchTests(world: TestWorld): void {
  const { at } = world;

  /** A session, and one that watches `path`, once with a spy. */
  async function watching(path: string, ...before: Op[]) {
    const [writer, watcher] = [await world.connect(), await world.connect()];
    await writer.multi(before);
    if (before.length > 0) await eventually('the node is seen', async () => !!(await watcher.get(path)));
    const onChange = jest.fn<() => void>();
    await watcher.get(path, onChange);
    return { writer, watcher, onChange };
  }

  /** Resolves once `session` has heard of a change made after everything so far: what comes in order came before. */
  async function heardOfEverything(writer: Session, session: Session): Promise<void> {
    const sentinel = jest.fn<() => void>();
    await session.get(at('sentinel'), sentinel);
    await writer.multi([{ op: 'create', path: at('sentinel'), data: '' }]);
    await eventually('the sentinel is heard', () => sentinel.mock.calls.length === 1);
  }

  it.each<[string, Op[], (path: string) => Op]>([
    ['changed', [{ op: 'create', path: '', data: '' }], (path) => ({ op: 'set', path, data: 'x' })],
    ['written with the same data', [{ op: 'create', path: '', data: '' }], (path) => ({ op: 'set', path, data: '' })],
    ['removed', [{ op: 'create', path: '', data: '' }], (path) => ({ op: 'remove', path })],
    ['created', [], (path) => ({ op: 'create', path, data: '' })],
    ['created as an ephemeral', [], (path) => ({ op: 'create', path, data: '', mode: 'ephemeral' })],
  ])('fires once when a node is %s', async (_, before, change) => {
    const path = at('node');
    const { writer, watcher, onChange } = await watching(path, ...before.map((op) => ({ ...op, path })));
    expect(onChange).not.toHaveBeenCalled();
    await writer.multi([change(path)]);
    await eventually('the watch fired', () => onChange.mock.calls.length > 0);
    const { op } = change(path);
    await writer.multi([op === 'remove' ? { op: 'create', path, data: '' } : { op: 'set', path, data: 'again' }]);
    await writer.multi([{ op: 'remove', path }]);
    await heardOfEverything(writer, watcher);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it('fires when a node is removed and made again before anybody looks', async () => {
    const path = at('node');
    const { writer, onChange } = await watching(path, { op: 'create', path, data: 'same' });
    await writer.multi([
      { op: 'remove', path },
      { op: 'create', path, data: 'same' },
    ]);
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
  });

  it('fires for the watcher’s own writes too', async () => {
    const path = at('node');
    const { watcher, onChange } = await watching(path, { op: 'create', path, data: '' });
    await watcher.multi([{ op: 'set', path, data: 'mine' }]);
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
  });

  it('fires when an ephemeral goes with its session', async () => {
    const path = at('node');
    const { writer, onChange } = await watching(path, { op: 'create', path, data: '', mode: 'ephemeral' });
    await writer.close();
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
  });

  it('fires when an ephemeral goes because its session expired', async () => {
    const path = at('node');
    const { writer, onChange } = await watching(path, { op: 'create', path, data: '', mode: 'ephemeral' });
    await world.expire(writer);
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
  });

  it.each(['close', 'expire'] as const)('fires once when its own session ends (%s)', async (end) => {
    const path = at('node');
    const { writer, watcher, onChange } = await watching(path, { op: 'create', path, data: '' });
    await (end === 'close' ? watcher.close() : world.expire(watcher));
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
    await writer.multi([{ op: 'set', path, data: 'x' }]);
    await heardOfEverything(writer, writer);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it('does not fire for what happens elsewhere, nor for a refused or merely checking multi', async () => {
    const path = at('node');
    const { writer, watcher, onChange } = await watching(path, { op: 'create', path, data: '' });
    await writer.multi([
      { op: 'create', path: at('node2'), data: '' },
      { op: 'set', path: at('node2'), data: '' },
      { op: 'create', path: at('node/child'), data: '' },
      { op: 'set', path: at('node/child'), data: '' },
      { op: 'remove', path: at('node/child') },
      { op: 'check', path, version: 0 },
    ]);
    await failure(
      writer.multi([
        { op: 'set', path, data: 'x' },
        { op: 'check', path, version: 0 },
      ]),
    );
    await heardOfEverything(writer, watcher);
    expect(onChange).not.toHaveBeenCalled();
  });

  it('does not fire for what was written before the read that set it', async () => {
    const path = at('node');
    const session = await world.connect();
    const onChange = jest.fn<() => void>();
    const created = session.multi([{ op: 'create', path, data: '' }]);
    const read = session.get(path, onChange);
    await Promise.all([created, read]);
    await heardOfEverything(session, session);
    expect(onChange).not.toHaveBeenCalled();
    await session.multi([{ op: 'set', path, data: '' }]);
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
  });

  it('tells every watcher of a node', async () => {
    const path = at('node');
    const { writer, watcher, onChange } = await watching(path, { op: 'create', path, data: '' });
    const [second, third] = [jest.fn<() => void>(), jest.fn<() => void>()];
    await watcher.get(path, second);
    await writer.get(path, third);
    await writer.multi([{ op: 'set', path, data: 'x' }]);
    await eventually('all heard', () => [onChange, second, third].every((spy) => spy.mock.calls.length === 1));
  });
}

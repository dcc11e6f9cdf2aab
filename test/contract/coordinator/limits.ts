import { expect, it } from '@jest/globals';
import { COORDINATOR_LIMITS, type Op } from '../../../src/coordinator.ts';
import { failure, type TestWorld } from './world.ts';

const { nodeBytesMax, pathLengthMax } = COORDINATOR_LIMITS;

export function limitTests(world: TestWorld): void {
  const { at } = world;

  it.each([
    ['relative', () => at('x').slice(1)],
    ['empty', () => ''],
    ['ending with a slash', () => `${at('x')}/`],
    ['holding an empty name', () => at('x//y')],
    ['holding a dot', () => at('./x')],
    ['holding two dots', () => at('../x')],
    ['ending with two dots', () => at('x/..')],
    ['holding NUL', () => at('x\0y')],
    ['holding a control character', () => at('x\ny')],
    ['beyond ZooKeeper’s characters', () => at('x😀')],
    ['too long', () => at('x').padEnd(pathLengthMax + 1, 'x')],
  ])('refuses a path that is %s, in every call', async (_, path) => {
    const session = await world.connect();
    const ops: Op[] = [
      { op: 'create', path: path(), data: '' },
      { op: 'create', path: path(), data: '', mode: 'sequential' },
      { op: 'set', path: path(), data: '' },
      { op: 'remove', path: path() },
      { op: 'check', path: path() },
    ];
    const calls = [
      session.get(path()),
      session.get(path(), () => {}),
      session.getMany([at('x'), path()]),
      session.children(path()),
      session.childrenMany([at('x'), path()]),
      ...ops.map((op) => session.multi([{ op: 'create', path: at('before'), data: '' }, op])),
    ];
    for (const call of calls.map(failure)) expect(await call).toMatchObject({ code: 'invalid', refusal: undefined });
    expect(await session.get(at('before'))).toBeUndefined();
  });

  it('takes a path as long as allowed, and reserves the digits of a sequential one', async () => {
    const session = await world.connect();
    const path = at('x').padEnd(pathLengthMax, 'x');
    await session.multi([{ op: 'create', path, data: 'x' }]);
    expect(await session.get(path)).toMatchObject({ data: 'x' });
    const sequential = await failure(session.multi([{ op: 'create', path, data: '', mode: 'sequential' }]));
    expect(sequential).toMatchObject({ code: 'invalid', opIndex: 0 });
    const [made] = await session.multi([{ op: 'create', path: path.slice(0, -10), data: '', mode: 'sequential' }]);
    expect(await session.get(made?.path ?? '')).toMatchObject({ version: 0 });
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 31])(
    'refuses the version %d, which would not mean what it says',
    async (version) => {
      const session = await world.connect();
      await session.multi([{ op: 'create', path: at('x'), data: '' }]);
      const ops: Op[] = [
        { op: 'set', path: at('x'), data: '', version },
        { op: 'remove', path: at('x'), version },
        { op: 'check', path: at('x'), version },
      ];
      for (const op of ops) {
        expect(await failure(session.multi([op]))).toMatchObject({ code: 'invalid', opIndex: 0 });
      }
    },
  );

  it.each<Op>([
    { op: 'remove', path: '/' },
    { op: 'create', path: '/', data: '', mode: 'sequential' },
  ])('does not touch the root by %j', async (op) => {
    const session = await world.connect();
    expect(await failure(session.multi([op]))).toMatchObject({ code: 'invalid', opIndex: 0 });
  });

  it('refuses a node that is too large, counted in bytes, and applies nothing of its multi', async () => {
    const session = await world.connect();
    const largest = 'é'.repeat(nodeBytesMax / 2);
    await session.multi([{ op: 'create', path: at('largest'), data: largest }]);
    const tooLarge: Op[] = [
      { op: 'set', path: at('largest'), data: `${largest}x` },
      { op: 'create', path: at('other'), data: `${largest}x` },
    ];
    for (const op of tooLarge) {
      const error = await failure(session.multi([{ op: 'create', path: at('before'), data: '' }, op]));
      expect(error).toMatchObject({ code: 'too-large', opIndex: 1 });
    }
    expect(await session.get(at('before'))).toBeUndefined();
    expect(await session.get(at('largest'))).toEqual(expect.objectContaining({ data: largest, version: 0 }));
  });

  it('refuses a multi that is too large, applies nothing of it and lives on', async () => {
    const session = await world.connect();
    const data = 'x'.repeat(200_000);
    const paths = [at('a'), at('b'), at('c')];
    const neighbour = session.multi([{ op: 'create', path: at('neighbour'), data: '' }]);
    const error = failure(session.multi(paths.map((path) => ({ op: 'create', path, data }))));
    expect(await error).toMatchObject({ code: 'too-large' });
    await neighbour;
    expect(await session.getMany(paths)).toEqual([undefined, undefined, undefined]);
    expect(session.signal.aborted).toBe(false);
  });

  it('takes many small operations in one multi', async () => {
    const session = await world.connect();
    const count = 1_000;
    const ops = Array.from({ length: count }, (_, index): Op => ({ op: 'create', path: at(`n${index}`), data: 'x' }));
    expect(await session.multi(ops)).toHaveLength(count);
    expect(await session.children(at('').slice(0, -1))).toHaveLength(count);
  });
}

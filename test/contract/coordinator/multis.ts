import { expect, it } from '@jest/globals';
import { isRefused, type Op, type Refusal } from '../../../src/coordinator.ts';
import { eventually, failure, type TestWorld } from './world.ts';

export function multiTests(world: TestWorld): void {
  const { at } = world;

  it('answers every operation, in order', async () => {
    const session = await world.connect();
    await session.multi([{ op: 'create', path: at('old'), data: '' }]);
    const results = await session.multi([
      { op: 'create', path: at('new'), data: 'x' },
      { op: 'set', path: at('new'), data: 'y' },
      { op: 'set', path: at('new'), data: 'z', version: 1 },
      { op: 'check', path: at('new'), version: 2 },
      { op: 'remove', path: at('old'), version: 0 },
    ]);
    expect(results).toEqual([
      { path: at('new'), version: 0, modifiedMs: -1 },
      { path: at('new'), version: 1, modifiedMs: expect.any(Number) },
      { path: at('new'), version: 2, modifiedMs: expect.any(Number) },
      { path: at('new'), version: -1, modifiedMs: -1 },
      { path: at('old'), version: -1, modifiedMs: -1 },
    ]);
    expect(results[2]?.modifiedMs).toBe((await session.get(at('new')))?.modifiedMs);
    expect(await session.get(at('old'))).toBeUndefined();
    expect(await session.multi([])).toEqual([]);
  });

  it('lets later operations see what earlier ones of the same multi did', async () => {
    const session = await world.connect();
    await session.multi([
      { op: 'create', path: at('a'), data: '' },
      { op: 'create', path: at('a/b'), data: '' },
      { op: 'create', path: at('a/b/c'), data: '1' },
      { op: 'set', path: at('a/b/c'), data: '2', version: 0 },
      { op: 'remove', path: at('a/b/c'), version: 1 },
      { op: 'create', path: at('a/b/c'), data: '3' },
    ]);
    expect(await session.get(at('a/b/c'))).toMatchObject({ data: '3', version: 0 });
  });

  const refused: [string, Refusal, () => Op][] = [
    ['creates what exists', 'node-exists', () => ({ op: 'create', path: at('leaf'), data: '' })],
    ['creates under no parent', 'no-node', () => ({ op: 'create', path: at('none/child'), data: '' })],
    ['creates under an ephemeral', 'no-children-for-ephemerals', () => create(at('ephemeral/child'))],
    ['creates in sequence under no parent', 'no-node', () => create(at('none/s-'), 'sequential')],
    ['sets what is not there', 'no-node', () => ({ op: 'set', path: at('none'), data: '' })],
    ['sets an old version', 'bad-version', () => ({ op: 'set', path: at('leaf'), data: '', version: 1 })],
    ['sets version 0 of a newer node', 'bad-version', () => ({ op: 'set', path: at('leaf'), data: '', version: 0 })],
    ['sets a version to come', 'bad-version', () => ({ op: 'set', path: at('leaf'), data: '', version: 3 })],
    ['removes what is not there', 'no-node', () => ({ op: 'remove', path: at('none') })],
    ['removes version 0 of a newer node', 'bad-version', () => ({ op: 'remove', path: at('leaf'), version: 0 })],
    ['removes a parent', 'not-empty', () => ({ op: 'remove', path: at('parent') })],
    ['checks what is not there', 'no-node', () => ({ op: 'check', path: at('none') })],
    ['checks version 0 of a newer node', 'bad-version', () => ({ op: 'check', path: at('leaf'), version: 0 })],
    ['checks an old version', 'bad-version', () => ({ op: 'check', path: at('leaf'), version: 1 })],
  ];

  it.each(refused)('applies nothing when one operation %s (%s)', async (_, refusal, wrong) => {
    const session = await world.connect();
    await session.multi([
      { op: 'create', path: at('leaf'), data: 'old' },
      { op: 'set', path: at('leaf'), data: 'older' },
      { op: 'set', path: at('leaf'), data: 'kept' },
      { op: 'create', path: at('parent'), data: '' },
      { op: 'create', path: at('parent/child'), data: 'kept' },
      create(at('ephemeral'), 'ephemeral'),
    ]);
    const error = await failure(
      session.multi([
        { op: 'create', path: at('before'), data: '' },
        { op: 'set', path: at('parent/child'), data: 'lost' },
        { op: 'remove', path: at('parent/child') },
        { op: 'create', path: at('parent/child'), data: 'lost' },
        wrong(),
        { op: 'create', path: at('after'), data: '' },
      ]),
    );
    expect(error).toMatchObject({ code: 'conflict', refusal, opIndex: 4 });
    expect(isRefused(error, refusal)).toBe(true);
    const paths = [at('before'), at('after'), at('leaf'), at('parent/child')];
    const [before, after, leaf, child] = await session.getMany(paths);
    expect([before, after]).toEqual([undefined, undefined]);
    expect(leaf).toMatchObject({ data: 'kept', version: 2 });
    expect(child).toMatchObject({ data: 'kept', version: 0 });
  });

  it('takes the version 0 for 0 and no version for any', async () => {
    const session = await world.connect();
    const path = at('node');
    await session.multi([
      { op: 'create', path, data: '' },
      { op: 'check', path, version: 0 },
      { op: 'set', path, data: '', version: 0 },
      { op: 'check', path },
      { op: 'set', path, data: '' },
      { op: 'remove', path },
    ]);
    expect(await session.get(path)).toBeUndefined();
  });

  it('numbers sequential nodes upwards with ten digits, and never reuses a number', async () => {
    const session = await world.connect();
    const numbers: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const results = await session.multi([
        create(at('s-'), 'sequential'),
        create(at('other-'), 'ephemeral-sequential'),
      ]);
      for (const { path } of results) {
        expect(path).toMatch(/\/(s|other)-\d{10}$/);
        expect(await session.get(path)).toMatchObject({ version: 0 });
        numbers.push(path.slice(-10));
        await session.multi([{ op: 'remove', path }]);
      }
    }
    expect(numbers).toEqual([...new Set(numbers)].sort());
  });

  it('applies the multis of one session in the order of submission, awaited or not', async () => {
    const session = await world.connect();
    const path = at('node');
    const calls = [
      session.multi([{ op: 'create', path, data: '' }]),
      ...Array.from({ length: 50 }, (_, index) =>
        session.multi([{ op: 'set', path, data: `${index}`, version: index }]),
      ),
    ];
    const seen = session.get(path);
    const again = failure(session.multi([{ op: 'create', path, data: 'again' }]));
    const later = session.multi([{ op: 'set', path, data: 'last', version: 50 }]);
    expect((await Promise.all(calls)).map(([result]) => result?.version)).toEqual([0, ...range(1, 50)]);
    expect(await seen).toMatchObject({ data: '49', version: 50 });
    expect(await again).toMatchObject({ refusal: 'node-exists', opIndex: 0 });
    expect((await later)[0]?.version).toBe(51);
  });

  it('takes the operations as they are when it is called', async () => {
    const session = await world.connect();
    const ops: Op[] = [{ op: 'create', path: at('meant'), data: '' }];
    const call = session.multi(ops);
    ops[0] = { op: 'create', path: at('replaced'), data: '' };
    ops.push({ op: 'create', path: at('added'), data: '' });
    expect(await call).toHaveLength(1);
    expect(await session.children(at('').slice(0, -1))).toEqual(['meant']);
  });

  it('loses no update when two sessions compare and swap', async () => {
    const path = at('counter');
    const sessions = [await world.connect(), await world.connect()];
    await sessions[0]?.multi([{ op: 'create', path, data: '0' }]);
    await Promise.all(
      sessions.map(async (session) => {
        for (let done = 0; done < 20; ) {
          const node = await session.get(path);
          if (!node) continue;
          const { data, version } = node;
          const swap = session.multi([{ op: 'set', path, data: String(Number(data) + 1), version }]);
          done += await swap.then(
            () => 1,
            (error: unknown) => (isRefused(error, 'bad-version') ? 0 : Promise.reject(error)),
          );
        }
      }),
    );
    await eventually('both counted', async () => (await sessions[0]?.get(path))?.data === '40');
    expect(await sessions[0]?.get(path)).toMatchObject({ version: 40 });
  });

  it('gives one winner when two sessions swap the same version', async () => {
    const path = at('node');
    const [one, other] = [await world.connect(), await world.connect()];
    await one.multi([{ op: 'create', path, data: '' }]);
    const outcomes = await Promise.allSettled(
      [one, other].map((session) => session.multi([{ op: 'set', path, data: session.id, version: 0 }])),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'conflict', refusal: 'bad-version', opIndex: 0 });
  });
}

const create = (
  path: string,
  mode: 'persistent' | 'ephemeral' | 'sequential' | 'ephemeral-sequential' = 'persistent',
) => ({ op: 'create', path, data: '', mode }) as const;

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

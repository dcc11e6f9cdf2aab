import { expect, it } from '@jest/globals';
import { failure, type TestWorld } from './world.ts';

const CLOCKS_APART_MS = 60_000;

export function dataTests(world: TestWorld): void {
  it('counts versions from 0, one by one', async () => {
    const session = await world.connect();
    const path = world.at('node');
    await session.multi([{ op: 'create', path, data: 'a' }]);
    expect(await session.get(path)).toMatchObject({ data: 'a', version: 0 });
    await session.multi([{ op: 'set', path, data: 'b' }]);
    expect(await session.get(path)).toMatchObject({ data: 'b', version: 1 });
    await session.multi([{ op: 'set', path, data: 'b' }]);
    expect(await session.get(path)).toMatchObject({ data: 'b', version: 2 });
  });

  it.each([
    ['empty', ''],
    ['beyond ASCII', 'Grüße, 時計, 🕰️, e\u0301'],
    ['with control characters', 'a\0b\r\n\t\x1f\u2028'],
    ['as large as allowed', 'x'.repeat(200_000)],
  ])('gives back data that is %s as it was written', async (_, data) => {
    const session = await world.connect();
    const path = world.at('node');
    await session.multi([{ op: 'create', path, data }]);
    expect((await session.get(path))?.data).toBe(data);
    await session.multi([{ op: 'set', path, data: `${data}!` }]);
    await session.multi([{ op: 'set', path, data }]);
    expect((await session.getMany([path]))[0]?.data).toBe(data);
  });

  it('takes names beyond ASCII', async () => {
    const session = await world.connect();
    await session.multi([
      { op: 'create', path: world.at('Grüße 時計'), data: '1' },
      { op: 'create', path: world.at('Grüße 時計/%_"\''), data: '2' },
    ]);
    expect(await session.children(world.at('Grüße 時計'))).toEqual(['%_"\'']);
    expect(await session.get(world.at('Grüße 時計/%_"\''))).toMatchObject({ data: '2' });
  });

  it('tells when a node was last changed, by the coordinator’s clock', async () => {
    const session = await world.connect();
    const path = world.at('node');
    await session.multi([{ op: 'create', path, data: '' }]);
    const created = await session.get(path);
    expect(Math.abs((created?.modifiedMs ?? 0) - Date.now())).toBeLessThan(CLOCKS_APART_MS);
    const [set] = await session.multi([{ op: 'set', path, data: 'x' }]);
    const changed = await session.get(path);
    expect(changed?.modifiedMs).toBe(set?.modifiedMs);
    expect(changed?.modifiedMs).toBeGreaterThanOrEqual(created?.modifiedMs ?? Number.NaN);
  });

  it('has no owner on a node that nobody’s session holds', async () => {
    const session = await world.connect();
    await session.multi([{ op: 'create', path: world.at('node'), data: '' }]);
    expect((await session.get(world.at('node')))?.owner).toBeUndefined();
  });

  it('finds nothing where there is nothing', async () => {
    const session = await world.connect();
    expect(await session.get(world.at('missing'))).toBeUndefined();
    expect(await session.children(world.at('missing'))).toBeUndefined();
    expect(await session.getMany([world.at('missing'), world.at('missing/deeper')])).toEqual([undefined, undefined]);
    expect(await session.getMany([])).toEqual([]);
    expect(await session.childrenMany([world.at('missing'), world.at('missing/deeper')])).toEqual([
      undefined,
      undefined,
    ]);
    expect(await session.childrenMany([])).toEqual([]);
  });

  it('has a root', async () => {
    const session = await world.connect();
    expect(await session.get('/')).toMatchObject({ version: expect.any(Number) });
    expect((await session.children('/'))?.map((name) => `/${name}/`)).toContain(world.at(''));
    expect(await failure(session.multi([{ op: 'create', path: '/', data: '' }]))).toMatchObject({
      refusal: 'node-exists',
    });
  });

  it('lists the children only, not theirs', async () => {
    const session = await world.connect();
    const names = ['a', 'b', 'b2', 'c'];
    await session.multi([
      { op: 'create', path: world.at('p'), data: '' },
      ...names.map((name) => ({ op: 'create', path: world.at(`p/${name}`), data: name }) as const),
      { op: 'create', path: world.at('p/b/deeper'), data: '' },
      { op: 'create', path: world.at('p2'), data: '' },
    ]);
    expect((await session.children(world.at('p')))?.sort()).toEqual(names);
    expect(await session.children(world.at('p/a'))).toEqual([]);
    const some = await session.childrenMany(['p/a', 'none', 'p', 'p/b'].map((name) => world.at(name)));
    expect(some.map((found) => found?.sort())).toEqual([[], undefined, names, ['deeper']]);
    const many = await session.childrenMany(Array.from({ length: 100 }, (_, i) => world.at(i === 99 ? 'p/b' : 'p')));
    expect(many.map((found) => found?.length)).toEqual([...Array.from({ length: 99 }, () => 4), 1]);
  });

  it('reads a thousand nodes in order, the missing and the large ones among them', async () => {
    const session = await world.connect();
    const count = 1_000;
    const large = 'x'.repeat(4_000);
    const path = (index: number) => world.at(`node-${index}`);
    const isMissing = (index: number) => index % 10 === 3;
    const written = Array.from({ length: count }, (_, index) => index).filter((index) => !isMissing(index));
    for (let start = 0; start < written.length; start += 100) {
      const ops = written.slice(start, start + 100);
      await session.multi(ops.map((index) => ({ op: 'create', path: path(index), data: `${index} ${large}` })));
    }
    const nodes = await session.getMany(Array.from({ length: count }, (_, index) => path(index)));
    expect(nodes).toHaveLength(count);
    const wrong = nodes.filter((node, index) => node?.data !== (isMissing(index) ? undefined : `${index} ${large}`));
    expect(wrong).toEqual([]);
  });
}

import { afterEach, describe, expect, test } from '@jest/globals';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { openEmbedded } from '../../src/coordinator/embedded.ts';
import { type Coordinator, CoordinatorError, type Op, type Session } from '../../src/coordinator.ts';

const open: { keeper: Cronkeeper; coordinator: Coordinator }[] = [];

afterEach(async () => {
  for (const { keeper, coordinator } of open.splice(0)) {
    await keeper.close();
    await coordinator.close();
  }
});

/** A keeper whose next change is made, though its reply is lost and its session ends with it. */
async function keeperThatLoses(): Promise<{ keeper: Cronkeeper; loseNext(): void }> {
  const inner = openEmbedded({ path: undefined, sessionTimeoutMs: 10_000, clock: systemClock });
  let isNextLost = false;
  const lossy = (session: Session): Session => ({
    id: session.id,
    signal: session.signal,
    get: (path, onChange) => session.get(path, onChange),
    getMany: (paths) => session.getMany(paths),
    children: (path) => session.children(path),
    childrenMany: (paths) => session.childrenMany(paths),
    close: () => session.close(),
    async multi(ops: readonly Op[]) {
      const results = await session.multi(ops);
      if (!isNextLost || !ops.some(({ path }) => path.includes('/tasks/'))) return results;
      isNextLost = false;
      await session.close();
      throw new CoordinatorError('outcome-unknown', 'the link broke');
    },
  });
  const coordinator: Coordinator = {
    url: inner.url,
    connect: async (options) => lossy(await inner.connect(options)),
    close: () => inner.close(),
  };
  const keeper = await openCronkeeper({ url: 'embedded:', coordinator });
  open.push({ keeper, coordinator });
  return {
    keeper,
    loseNext: () => {
      isNextLost = true;
    },
  };
}

const document = { id: 'task', schedule: { every: '1d' }, code: '1' } as const;

describe('a session that ends with the reply to a change', () => {
  test('asks for one launch, not for two', async () => {
    const { keeper, loseNext } = await keeperThatLoses();
    await keeper.tasks.put(document);
    loseNext();
    const { launchId } = await keeper.tasks.run('task');
    expect(await keeper.tick()).toMatchObject({ due: 1, succeeded: 1 });
    expect((await keeper.tasks.runs('task')).items).toMatchObject([{ launchId, status: 'succeeded' }]);
  });

  test('does not tell a put with a precondition that somebody else was faster', async () => {
    const { keeper, loseNext } = await keeperThatLoses();
    await keeper.tasks.list();
    loseNext();
    await expect(keeper.tasks.put(document, { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'session-lost' });
    expect(await keeper.tasks.get('task')).toMatchObject({ revision: 1 });
  });

  test('stores a task once, and says so', async () => {
    const { keeper, loseNext } = await keeperThatLoses();
    loseNext();
    expect(await keeper.tasks.put(document)).toMatchObject({ id: 'task', revision: 1 });
  });
});

/** How soon an outage of real ZooKeeper servers is told, and that one bad server of several is no outage. */
import { expect, it, jest } from '@jest/globals';
import type { Op } from '../../src/coordinator.ts';
import { failure } from '../contract/coordinator/world.ts';
import type { FlakyProxy } from '../support/proxy.ts';
import { describeWithZooKeeper, sharedServer, startServers } from '../support/zookeeper.ts';
import { useStage } from '../support/zookeeper-stage.ts';

jest.setTimeout(30_000);

const create = (path: string): Op => ({ op: 'create', path, data: '' });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first server of the list is tried first. */
const inOrder = () => 0.999;

const swallow = (proxy: FlakyProxy) => {
  proxy.swallowToServer = proxy.swallowToClient = true;
};

/** Holds this process up, as a machine without time for it does. */
const holdUp = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describeWithZooKeeper('one ZooKeeper server of several that becomes a black hole', () => {
  const stage = useStage();

  // At 4 s, the least that servers grant by default, a call has hardly more time than a server may be silent.
  it.each([1500, 3000, 4000, 5000, 10_000, 30_000])(
    'fails no read that was asked of it (session time-out %d ms)',
    async (sessionTimeoutMs) => {
      const hole = await stage.proxy();
      const servers = [hole.address, sharedServer()];
      const session = await stage.coordinator({ servers, sessionTimeoutMs, random: inOrder }).connect();
      // Neither with the beat nor half-way between two: when the server was last heard must not matter.
      await pause(Math.min(1000, sessionTimeoutMs / 6) * 0.6);
      await session.get('/');
      swallow(hole);
      const write = failure(session.multi([create('/doubtful')]));
      expect(await Promise.all([session.get('/'), session.children('/'), session.getMany(['/'])])).toHaveLength(3);
      expect(await write).toMatchObject({ code: 'outcome-unknown' });
      expect(await session.get('/doubtful')).toBeUndefined();
      expect(await session.multi([create('/sure')])).toHaveLength(1);
      expect(session.signal.aborted).toBe(false);
    },
  );

  it.each([4000, 10_000, 40_000])(
    'does not keep anyone from the one that answers, nor do two (session time-out %d ms)',
    async (sessionTimeoutMs) => {
      const holes = [await stage.proxy(), await stage.proxy()];
      holes.forEach(swallow);
      const servers = [...holes.map(({ address }) => address), sharedServer()];
      const session = await stage.coordinator({ servers, sessionTimeoutMs, random: inOrder }).connect();
      expect(holes.map(({ accepted }) => accepted)).toEqual([1, 1]);
      expect(await session.get('/')).toMatchObject({ data: '' });
    },
  );
});

describeWithZooKeeper('a ZooKeeper server that greets and says nothing more', () => {
  const stage = useStage();

  it('does not hold up a connect beyond the time that it has as a whole', async () => {
    const proxy = await stage.proxy();
    let isGreeted = false;
    proxy.onServerBytes = (bytes) => {
      if (isGreeted) return Buffer.alloc(0);
      isGreeted = true;
      return bytes;
    };
    // Longer than the test may take: only the time for connecting can end it.
    const options = { servers: [proxy.address], sessionTimeoutMs: 40_000, opTimeoutMs: 60_000 };
    const connecting = stage.coordinator({ ...options, connectTimeoutMs: 500 }).connect();
    expect(await failure(connecting)).toMatchObject({ code: 'unavailable' });
    expect(isGreeted).toBe(true);
  });
});

describeWithZooKeeper('a process that was held up', () => {
  const stage = useStage();

  it('does not take for silence what it had no time to hear', async () => {
    const session = await stage.coordinator({ sessionTimeoutMs: 10_000, opTimeoutMs: 20_000 }).connect();
    const write = session.multi([create('/node')]);
    holdUp(4000);
    // A connection that was dropped would leave the outcome unknown.
    expect(await write).toHaveLength(1);
  });
});

describeWithZooKeeper('the only ZooKeeper server when it freezes', () => {
  const stage = useStage();

  /** Twice what is promised of a write, the look at what became of it and the good-bye together: machines are loaded. */
  const SOON_MS = 10_000;

  it('is told soon, by errors that say what is known, and lets go whoever leaves', async () => {
    const servers = await startServers(1);
    try {
      const session = await stage.coordinator({ servers: servers.addresses, sessionTimeoutMs: 10_000 }).connect();
      await session.multi([create('/node')]);
      const [server] = servers.members;
      server?.freeze();
      const beganMs = performance.now();
      expect(await failure(session.multi([{ op: 'set', path: '/node', data: 'x' }]))).toMatchObject({
        code: 'outcome-unknown',
      });
      expect(await failure(session.get('/node'))).toMatchObject({ code: 'unavailable' });
      await session.close();
      expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
      server?.thaw();
    } finally {
      await servers.stop();
    }
  });
});

/** The coordinator contract on real servers: one alone, and three that lose their leader. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Session } from '../../src/coordinator.ts';
import type { Member, Servers } from '../../tools/zookeeper-server.ts';
import { coordinatorContract, type World } from '../contract/coordinator.ts';
import { SessionEnder } from '../support/expiry.ts';
import { describeWithZooKeeper, sharedServer, startServers, testCoordinator } from '../support/zookeeper.ts';

const ENSEMBLE_TIMEOUT_MS = 120_000;
/** Longer than an election, so that sessions survive it. */
const ENSEMBLE_SESSION_MS = 8000;

async function openWorld(servers: readonly string[], sessionTimeoutMs: number): Promise<World> {
  const ender = await SessionEnder.before(servers);
  const coordinator = testCoordinator({ servers: ender.addresses, sessionTimeoutMs });
  return {
    coordinator,
    expire: (session) => ender.end(session.id),
    async dispose() {
      await coordinator.close();
      await ender[Symbol.asyncDispose]();
    },
  };
}

describeWithZooKeeper('one ZooKeeper server', () => {
  coordinatorContract('a standalone ZooKeeper', () => openWorld([sharedServer()], 2000));
});

describeWithZooKeeper('three ZooKeeper servers', () => {
  let servers: Servers;
  let killed: Member;

  beforeAll(async () => {
    servers = await startServers(3);
  }, ENSEMBLE_TIMEOUT_MS);

  afterAll(() => servers?.stop(), ENSEMBLE_TIMEOUT_MS);

  describe('while the leader is killed', () => {
    it(
      'keeps sessions, ephemerals and every confirmed write, and goes on',
      async () => {
        const coordinator = testCoordinator({
          servers: servers.addresses,
          sessionTimeoutMs: ENSEMBLE_SESSION_MS,
        });
        const sessions = await Promise.all([coordinator.connect(), coordinator.connect(), coordinator.connect()]);
        await Promise.all(
          sessions.map((session, index) =>
            session.multi([
              { op: 'create', path: `/lock-${index}`, data: '', mode: 'ephemeral' },
              { op: 'create', path: `/counter-${index}`, data: '' },
            ]),
          ),
        );
        killed = await servers.leader();
        const killing = kill(killed);
        const counted = await Promise.all(sessions.map((session, index) => countThrough(session, index, killing)));
        for (const [index, session] of sessions.entries()) {
          expect(session.signal.aborted).toBe(false);
          expect(await session.get(`/lock-${index}`)).toMatchObject({ owner: session.id });
          expect((await session.get(`/counter-${index}`))?.version).toBe(counted[index]);
        }
        await coordinator.close();
      },
      ENSEMBLE_TIMEOUT_MS,
    );
  });

  coordinatorContract('the two that are left', () => openWorld(servers.addresses, ENSEMBLE_SESSION_MS));

  describe('when the third comes back', () => {
    it(
      'serves what was written without it',
      async () => {
        const chroot = '/comes-back';
        const before = testCoordinator({ servers: servers.addresses, chroot });
        const writer = await before.connect();
        await writer.multi([{ op: 'create', path: '/node', data: 'written by two' }]);
        await writer.close();
        await killed.restart();
        const session = await testCoordinator({ servers: [killed.address], chroot }).connect();
        expect(await session.get('/node')).toMatchObject({ data: 'written by two' });
        await session.close();
      },
      ENSEMBLE_TIMEOUT_MS,
    );
  });
});

/** Kills `member` a little later and resolves when the rest has had the time to notice. */
async function kill(member: Member): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  await member.kill();
}

/**
 * Counts a node up, one multi after the other, until some were confirmed after the kill; returns the version that the
 * node must have. An unknown outcome is resolved by reading, never by doing it again.
 */
async function countThrough(session: Session, index: number, killing: Promise<void>): Promise<number> {
  const path = `/counter-${index}`;
  let isKilled = false;
  void killing.then(() => {
    isKilled = true;
  });
  let version = 0;
  for (let confirmedAfter = 0; confirmedAfter < 20; ) {
    try {
      const [result] = await session.multi([{ op: 'set', path, data: `${version + 1}`, version }]);
      expect(result?.version).toBe(version + 1);
      version++;
      if (isKilled) confirmedAfter++;
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(outcome-unknown|unavailable)$/) });
      const seen = (await readBack(session, path))?.version;
      expect([version, version + 1]).toContain(seen);
      version = seen ?? Number.NaN;
    }
  }
  return version;
}

async function readBack(session: Session, path: string) {
  for (;;) {
    try {
      return await session.get(path);
    } catch (error) {
      expect(error).toMatchObject({ code: 'unavailable' });
    }
  }
}

/** Real ZooKeeper servers for tests: one that all test files share, and groups that a test starts for itself. */
import { randomUUID } from 'node:crypto';
import { describe, it } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { openZooKeeper, type ZooKeeperOptions } from '../../src/coordinator/zookeeper.ts';
import type { Coordinator } from '../../src/coordinator.ts';
import { findZooKeeper, type Servers } from '../../tools/zookeeper-server.ts';
import { ADDRESS, MISSING, startTemporary } from './zookeeper-setup.ts';

export const SESSION_TIMEOUT_MS = 2000;

const isRequired = (): boolean => process.env.CI === 'true' || process.env.CRONKEEPER_REQUIRE_ZOOKEEPER === '1';

/** A `describe` for tests that need ZooKeeper: skipped, with the reason in its name, or failed where it is required. */
export function describeWithZooKeeper(name: string, declare: () => void): void {
  const missing = process.env[MISSING];
  if (missing === undefined) {
    describe(name, declare);
  } else if (isRequired()) {
    describe(name, () => {
      it('has a ZooKeeper to run on', () => {
        throw new Error(`${missing}, and CI or CRONKEEPER_REQUIRE_ZOOKEEPER demands it`);
      });
    });
  } else {
    describe.skip(`${name} (not run: ${missing})`, declare);
  }
}

/** `host:port` of the server that all test files share. */
export function sharedServer(): string {
  const address = process.env[ADDRESS];
  if (address === undefined) throw new Error('there is no shared ZooKeeper; is the suite declared with its describe?');
  return address;
}

/** A coordinator with a chroot that nobody else uses, on the shared server unless `servers` are given. */
export function testCoordinator(options: Partial<ZooKeeperOptions> = {}): Coordinator {
  return openZooKeeper({
    servers: options.servers ?? [sharedServer()],
    chroot: `/test-${randomUUID()}`,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    clock: systemClock,
    ...options,
  });
}

/** A group of servers for one test or suite, which must `stop()` it. */
export async function startServers(nodes: number): Promise<Servers> {
  const installation = await findZooKeeper();
  if (typeof installation === 'string') throw new Error(installation);
  return startTemporary(installation, nodes);
}

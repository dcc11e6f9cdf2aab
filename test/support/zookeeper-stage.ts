/** What most tests on a real server need: sessions, through a proxy that can fail them, all gone after the test. */
import { afterEach } from '@jest/globals';
import type { ZooKeeperOptions } from '../../src/coordinator/zookeeper.ts';
import type { Coordinator, Session } from '../../src/coordinator.ts';
import { FlakyProxy } from './proxy.ts';
import { sharedServer, testCoordinator } from './zookeeper.ts';

export interface Stage {
  coordinator(options?: Partial<ZooKeeperOptions>): Coordinator;
  proxy(target?: string): Promise<FlakyProxy>;
  /** A session through a proxy of its own to the shared server. */
  proxied(options?: Partial<ZooKeeperOptions>): Promise<{ proxy: FlakyProxy; session: Session; direct: Coordinator }>;
}

export function useStage(): Stage {
  const proxies: FlakyProxy[] = [];
  const coordinators: Coordinator[] = [];
  afterEach(async () => {
    await Promise.all(coordinators.splice(0).map((coordinator) => coordinator.close()));
    await Promise.all(proxies.splice(0).map((proxy) => proxy[Symbol.asyncDispose]()));
  });
  const coordinator = (options?: Partial<ZooKeeperOptions>) => {
    const made = testCoordinator(options);
    coordinators.push(made);
    return made;
  };
  const proxy = async (target = sharedServer()) => {
    const made = await FlakyProxy.to(target);
    proxies.push(made);
    return made;
  };
  return {
    coordinator,
    proxy,
    async proxied(options = {}) {
      const between = await proxy();
      const chroot = options.chroot ?? `/staged-${between.address.split(':')[1]}-${Date.now()}`;
      const session = await coordinator({ servers: [between.address], ...options, chroot }).connect();
      return { proxy: between, session, direct: coordinator({ ...options, chroot }) };
    },
  };
}

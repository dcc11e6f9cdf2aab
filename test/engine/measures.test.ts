/** What `npm run bench` measures, each once and small: the checks that come with every measurement hold. */
import { expect, test } from '@jest/globals';
import { drain } from '../../bench/own/drain.ts';
import { idle, register } from '../../bench/own/idle.ts';
import { oneshot } from '../../bench/own/oneshot.ts';
import { put } from '../../bench/own/put.ts';
import { repeat } from '../../bench/own/repeat.ts';
import { freshNamespace } from '../../bench/recovery/stage.ts';
import { namespaceRoot } from '../../src/layout.ts';
import { describeWithZooKeeper, sharedServer, testCoordinator } from '../support/zookeeper.ts';

const CHROOT = `/measures-${process.pid}`;
const place = () => ({ url: `zookeeper://${sharedServer()}${CHROOT}`, serverPids: [process.pid] });

async function idleBesideTwo() {
  const registry = { ...place(), namespace: freshNamespace() };
  await register({ ...registry, from: 0, count: 2 });
  return idle({ ...registry, times: 2 });
}

async function namespacesLeft(): Promise<string[] | undefined> {
  const coordinator = testCoordinator({ chroot: CHROOT });
  try {
    const session = await coordinator.connect();
    return await session.children(namespaceRoot);
  } finally {
    await coordinator.close();
  }
}

describeWithZooKeeper('what the benchmarks measure', () => {
  test('is what happened, and costs something', async () => {
    const [drained, stored, repeated, once, nothing] = await Promise.all([
      drain({ ...place(), launches: 10, warm: 2, sources: 3, history: 2 }),
      put({ ...place(), tasks: 5, warm: 1, inFlight: 2, within: 'an hour' }),
      repeat({ ...place(), tasks: 3, seconds: 1, warmMs: 3_000 }),
      oneshot({ ...place(), tasks: 5, spanMs: 100, leadMs: 3_000 }),
      idleBesideTwo(),
    ]);
    for (const costs of [drained, stored, repeated.costs, once.costs]) {
      expect(costs.mainUs).toBeGreaterThan(0);
      expect(costs.memory.peak).toBeGreaterThanOrEqual(costs.memory.rss);
    }
    const once3 = { starts: 3, doubled: 0, missed: 0, early: 0 };
    expect(repeated.punctuality).toMatchObject(once3);
    expect(once.punctuality).toMatchObject({ ...once3, starts: 5 });
    for (const number of Object.values(nothing)) expect(number).toBeGreaterThan(0);
    expect(await namespacesLeft()).toHaveLength(1); // of the registry that others would go on with
  }, 60_000);
});

/** What `npm run bench` measures, each once and small: the checks that come with every measurement hold. */
import { expect, test } from '@jest/globals';
import { drain } from '../../bench/own/drain.ts';
import { describeWithZooKeeper, sharedServer } from '../support/zookeeper.ts';

const place = () => ({ url: `zookeeper://${sharedServer()}`, serverPids: [process.pid] });

describeWithZooKeeper('what the benchmarks measure', () => {
  test('drain: with a history behind it, of different sources, and what each launch costs', async () => {
    const costs = await drain({ ...place(), launches: 10, warm: 2, sources: 3, history: 2 });
    expect(costs.mainUs).toBeGreaterThan(0);
    expect(costs.durationMs).toBeGreaterThan(0);
    expect(costs.memory.peak).toBeGreaterThanOrEqual(costs.memory.rss);
  }, 60_000);
});

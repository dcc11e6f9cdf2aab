/** Two processes, as two workers or functions are, on one real server: they share, and the records say that nothing is doubled. */
import { expect, test } from '@jest/globals';
import { drain, SHARDS } from '../../bench/scale/drain.ts';
import { describeWithZooKeeper, sharedServer } from '../support/zookeeper.ts';

const LAUNCHES = 200;
/** So long that neither is through before the other has begun. */
const WAIT_MS = 500;

describeWithZooKeeper('two processes that share the shards of a namespace', () => {
  test('have half of them each, and record each launch once between them', async () => {
    const { shares } = await drain(`zookeeper://${sharedServer()}`, 2, LAUNCHES, WAIT_MS);
    expect(shares.map(({ shards }) => shards)).toEqual([SHARDS / 2, SHARDS / 2]);
    expect(shares.reduce((sum, { launches }) => sum + launches, 0)).toBe(LAUNCHES);
    for (const { launches } of shares) expect(launches).toBeGreaterThan(LAUNCHES / 4);
  }, 60_000);
});

/** `npm run bench -- failover recovery` on servers of its own: every fault that it names is made, met and measured. */
import { expect, test } from '@jest/globals';
import { bench, measuredRows } from '../support/bench.ts';
import { describeWithZooKeeper } from '../support/zookeeper.ts';

const RECOVERY_ROWS = [
  ...['begins again, session of 1000 ms', '· beyond the session time-out'],
  ...['latest slot', '· before that', 'the tick ends with a typed error'],
];

describeWithZooKeeper('npm run bench -- failover recovery', () => {
  test('measures what a killed holder, a killed leader and a black hole cost', async () => {
    const { code, stdout, stderr } = await bench('failover', 'recovery', '--rounds', '1', '--quick');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'failover: round 1 of 1\nrecovery: round 1 of 1\n' });
    expect(measuredRows(stdout)).toEqual(RECOVERY_ROWS);
  }, 120_000);
});

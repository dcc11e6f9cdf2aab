/** `npm run bench -- recovery` on an ensemble of its own: every fault that it names is made, met and measured. */
import { expect, test } from '@jest/globals';
import { bench, measuredRows } from '../support/bench.ts';
import { describeWithZooKeeper } from '../support/zookeeper.ts';

const RECOVERY_ROWS = [
  ...['its launch begins again, session of 2000 ms', '· beyond the session time-out'],
  ...['latest slot', '· before that', 'the tick ends with a typed error'],
];

describeWithZooKeeper('npm run bench -- recovery', () => {
  test('measures what a killed holder, a killed leader and a black hole cost', async () => {
    const { code, stdout, stderr } = await bench('recovery', '--rounds', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'recovery: round 1 of 1\n' });
    expect(measuredRows(stdout)).toEqual(RECOVERY_ROWS);
  }, 120_000);
});

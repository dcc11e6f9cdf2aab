/** `npm run bench` as a child process: it measures everything that it names, and says what is wrong with an option. */
import { describe, expect, test } from '@jest/globals';
import { bench, measuredRows } from './support/bench.ts';

const CPU = ['· CPU, main thread', '· CPU, worker', "· CPU, V8's threads"];
const EVALUATOR_ROWS = [
  ...['module `export default () => {}`', ...CPU, 'script `({completed: false})`', ...CPU],
  ...['module of 10 kB, bytecode cached', ...CPU, '1000 different sources', ...CPU],
  ...['module with one host call', ...CPU],
  ...['node:vm, new context (no security)', 'node:vm, new context (no security), 10 kB'],
  'node:vm, new context (no security), 1000 sources',
  ...['module `export default () => {}`, p50', 'module `export default () => {}`, p99'],
  ...['module with one host call, p50', 'module with one host call, p99'],
  ...['node:vm, new context (no security), p50', 'node:vm, new context (no security), p99'],
  '60 runs, each 100 ms',
  ...['Node alone: first line', 'node:vm: first outcome'],
  ...['evaluator, bundled: first outcome', 'evaluator, source: first outcome'],
  ...['tick, bundled: first launch recorded', 'tick, source: first launch recorded'],
  ...['Node alone', 'evaluator at rest'],
  ...['evaluator, 60 runs asked to wait', '· that wait at the same time'],
  ...['evaluator, 500 runs asked to wait', '· that wait at the same time', 'one more run that waits'],
];

describe('npm run bench', () => {
  test('-- evaluator measures every row, and says what limits and on which machine', async () => {
    const { code, stdout, stderr } = await bench('evaluator', '--quick', '--rounds', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'evaluator: round 1 of 1\n' });
    const measured = measuredRows(stdout);
    // That peer is measured only where somebody has installed it.
    expect(measured.filter((name) => !name?.startsWith('isolated-vm'))).toEqual(EVALUATOR_ROWS);
    expect(stdout.match(/^isolated-vm/gm)).toHaveLength(5);
    expect(stdout).toMatch(/^What limits a no-op: the (worker|main thread), \d+ % busy/m);
    expect(stdout).toMatch(/^Median and range of 1 interleaved rounds\. QUICK: not for quoting\.$/m);
    expect(stdout).toMatch(/^Machine: \d+ × .*, Node 24\..*load average \d+\.\d\d at the start\.$/m);
  }, 120_000);

  test.each([
    [['evaluater'], 'suite "evaluater": allowed are drain, put, repeat, oneshot, idle, failover,'],
    [['--rounds', '0'], '--rounds "0": a whole number from 1 to 100 is allowed'],
    [['--rounds', '1e1'], '--rounds "1e1": a whole number from 1 to 100 is allowed'],
    [['--n', '0'], '--n "0": a whole number from 1 to 10000000 is allowed'],
    [['--peer', 'cron'], '--peer "cron": allowed are bullmq'],
    [['--nodes', 'all'], '--nodes "all": a whole number from 1 to 9 is allowed'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused before anything is measured', async (args, message) => {
    const { code, stdout, stderr } = await bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('npm run bench -- [suite…|all]');
  });

  test('--help shows the suites', async () => {
    const { code, stdout } = await bench('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}evaluator +runs per second/m);
  });
});

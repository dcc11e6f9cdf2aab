/** `npm run chaos` as a child process: the promises hold on real processes, and nothing is left of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { projectRoot } from '../../tools/imports.ts';
import { describeWithZooKeeper } from '../support/zookeeper.ts';

const SEED = '1';
const FAULTS_MIN = 5;
const TEST_TIMEOUT_MS = 8 * 60_000;

/** Of its own: what is left in it is ours. */
let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'cronkeeper-chaos-test-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

function chaos(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(projectRoot, 'test/chaos/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary, ...environment },
  });
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      child.stderr.on('data', (bytes) => pattern.test(String(bytes)) && resolve());
    });
  const ended = async () => {
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { stdout, stderr, code: code as unknown };
  };
  return { child, says, ended: ended() };
}

/** Processes that were given something of ours: servers their configuration, workers their bundle. */
async function leftovers(): Promise<string[]> {
  const ps = spawn('ps', ['-eo', 'args'], { stdio: ['ignore', 'pipe', 'ignore'] });
  return (await text(ps.stdout)).split('\n').filter((line) => line.includes(temporary));
}

describeWithZooKeeper('a minute of chaos', () => {
  test(
    'no slot is lost, none is doubled, and nothing is left behind',
    async () => {
      const { code, stdout, stderr } = await chaos(['--minutes', '1', '--seed', SEED, '--json']).ended;
      const result = stdout === '' ? { stderr } : JSON.parse(stdout);
      expect(result).toMatchObject({ violations: [], unproven: [], escaped: [], holds: true, seed: Number(SEED) });
      expect(result.counts).toMatchObject({ lost: 0, doubled: 0, 'started twice': 0, 'stale record': 0 });
      expect(result.faults).toBeGreaterThanOrEqual(FAULTS_MIN);
      expect(result.proven).toBeGreaterThan(0);
      expect(result.byStatus.succeeded).toBeGreaterThan(0);
      expect([code, await readdir(temporary), await leftovers()]).toEqual([0, [], []]);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    'a Ctrl-C in the middle leaves nothing behind',
    async () => {
      const { child, says, ended } = chaos(['--minutes', '1', '--seed', SEED]);
      // The first line of progress: by then the workers are at work.
      await says(/\d+ marks/);
      child.kill('SIGINT');
      const { code, stdout } = await ended;
      expect([code, stdout, await readdir(temporary), await leftovers()]).toEqual([130, '', [], []]);
    },
    TEST_TIMEOUT_MS,
  );
});

test.each([
  ['no time', ['--minutes', '0'], '--minutes: received "0"; allowed: a number from 0.1'],
  ['a seed in words', ['--seed', 'x'], '--seed: received "x"'],
  ['another option', ['--hours', '1'], "Unknown option '--hours'"],
])('%s is refused, and how to ask is said', async (_, args, message) => {
  const { code, stdout, stderr } = await chaos(args).ended;
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain('npm run chaos -- ');
});

test('without a ZooKeeper there is no chaos, and it does not pass for one', async () => {
  const { code, stderr } = await chaos([], { ZOOKEEPER_HOME: '/nowhere' }).ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining('ZOOKEEPER_HOME is /nowhere')]);
});

/** The ZooKeeper server that all test files share: found, or installed, and started once per run of jest. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findZooKeeper,
  type Installation,
  type Servers,
  SHORT_LIVED_JVM_FLAGS,
  startZooKeeper,
} from '../../tools/zookeeper-server.ts';

/** Set for the test files, which run in other processes: the server's address, or why there is none. */
export const ADDRESS = 'CRONKEEPER_TEST_ZOOKEEPER';
export const MISSING = 'CRONKEEPER_TEST_ZOOKEEPER_MISSING';

/** Sessions of one second need a short tick: the server wants at least two of them per session. */
const TICK_TIME_MS = 500;

export const startTemporary = (installation: Installation, nodes: number): Promise<Servers> =>
  startZooKeeper({
    installation,
    nodes,
    dataDir: join(tmpdir(), `cronkeeper-zookeeper-${randomUUID()}`),
    isTemporary: true,
    tickTimeMs: TICK_TIME_MS,
    jvmFlags: SHORT_LIVED_JVM_FLAGS,
  });

export async function startSharedServer(suites: readonly string[]): Promise<Servers | undefined> {
  let installation = await findZooKeeper();
  if (typeof installation === 'string' && (await installFromDebian())) installation = await findZooKeeper();
  if (typeof installation === 'string') {
    process.env[MISSING] = installation;
    process.stderr.write(
      `\nNot run on a real ZooKeeper: ${suites.join(', ')}. ${installation}. ` +
        'Get it with "apt-get install zookeeper", or set ZOOKEEPER_HOME to an unpacked release (and have Java).\n',
    );
    return undefined;
  }
  const servers = await startTemporary(installation, 1);
  process.env[ADDRESS] = servers.addresses[0];
  return servers;
}

/** Whether it could be; only as root on Debian and its kin, for who has not said where it is. One run at a time. */
async function installFromDebian(): Promise<boolean> {
  const { env } = process;
  if (process.getuid?.() !== 0 || env.ZOOKEEPER_HOME || env.JAVA_HOME) return false;
  process.stderr.write('\nInstalling ZooKeeper for the tests (apt-get install zookeeper) …\n');
  const install = 'apt-get update -q && apt-get install -q -y --no-install-recommends zookeeper default-jre-headless';
  const lock = join(tmpdir(), 'cronkeeper-apt.lock');
  const child = spawn('flock', [lock, 'sh', '-c', install], {
    stdio: 'ignore',
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return once(child, 'exit').then(
    ([code]) => code === 0,
    () => false,
  );
}

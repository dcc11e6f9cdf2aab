/** A ZooKeeper for measurements: real, and with fsync, as one is run in earnest; unlike those of the tests. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findZooKeeper, type Servers, startZooKeeper } from '../tools/zookeeper-server.ts';

/** ZooKeeper's own default. Sessions last at least two of them. */
const TICK_TIME_MS = 2_000;

/** On one machine. @throws Error that says what is missing. */
export async function startServers(nodes: number, tickTimeMs = TICK_TIME_MS): Promise<Servers> {
  const installation = await findZooKeeper();
  if (typeof installation === 'string') throw new Error(installation);
  const dataDir = join(tmpdir(), `cronkeeper-zookeeper-${randomUUID()}`);
  return startZooKeeper({ installation, nodes, dataDir, isTemporary: true, tickTimeMs });
}

const VERSIONS_MS_MAX = 10_000;

/** As both say themselves: `Java 17.0.15`, `ZooKeeper 3.8.0`; nothing where they are not installed. */
export async function zooKeeperVersions(): Promise<string[]> {
  const installation = await findZooKeeper();
  if (typeof installation === 'string') return [];
  const { java, classPath } = installation;
  const args = ['-showversion', '-cp', classPath, 'org.apache.zookeeper.version.VersionInfoMain'];
  const { stdout, stderr } = await promisify(execFile)(java, args, { timeout: VERSIONS_MS_MAX });
  const versions = { Java: /version "([^"]+)"/.exec(stderr)?.[1], ZooKeeper: /version ([\d.]+)/.exec(stdout)?.[1] };
  return Object.entries(versions).map(([name, version]) => `${name} ${version ?? 'of unknown version'}`);
}

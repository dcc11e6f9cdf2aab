/** A ZooKeeper for measurements: real, and with fsync, as one is run in earnest; unlike those of the tests. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findZooKeeper, type Servers, startZooKeeper } from '../tools/zookeeper-server.ts';
import { versionsOf } from './java.ts';

/** ZooKeeper's own default. Sessions last at least two of them. */
const TICK_TIME_MS = 2_000;

/** What `zkServer.sh` gives a server (`ZK_SERVER_HEAP`). Without it, as in Debian's package, a JVM takes a quarter of the memory. */
export const SERVER_HEAP_MB = 1_000;

export interface ServerSettings {
  readonly tickTimeMs?: number;
  readonly heapMb?: number;
}

/** On one machine. @throws Error that says what is missing. */
export async function startServers(nodes: number, settings: ServerSettings = {}): Promise<Servers> {
  const { tickTimeMs = TICK_TIME_MS, heapMb = SERVER_HEAP_MB } = settings;
  const installation = await findZooKeeper();
  if (typeof installation === 'string') throw new Error(installation);
  const dataDir = join(tmpdir(), `cronkeeper-zookeeper-${randomUUID()}`);
  const jvmFlags = [`-Xmx${heapMb}m`];
  return startZooKeeper({ installation, nodes, dataDir, isTemporary: true, tickTimeMs, jvmFlags });
}

/** Nothing where it is not installed. */
export async function zooKeeperVersions(): Promise<string[]> {
  const installation = await findZooKeeper();
  return typeof installation === 'string' ? [] : versionsOf(installation);
}

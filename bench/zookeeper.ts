/** A ZooKeeper for measurements: real, and with fsync, as one is run in earnest; unlike those of the tests. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** `npm run zk`: real ZooKeeper servers for development, until Ctrl-C. Their data stay for the next time. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findZooKeeper, type Servers, startZooKeeper } from './zookeeper-server.ts';

const USAGE = `npm run zk                    one ZooKeeper server on 127.0.0.1:2181
npm run zk -- --nodes 3       an ensemble, on ports 2181 to 2183
       [--port 2181]          the first node's port
       [--data DIR]           default: .cronkeeper/zookeeper`;

const NODES_MAX = 9;
const TICK_TIME_MS = 1000;

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { nodes, port, data, help } = readArguments();
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const installation = await findZooKeeper();
  if (typeof installation === 'string') {
    throw new Error(
      `${installation}. Get it with "apt-get install zookeeper", or unpack a release and set ZOOKEEPER_HOME.`,
    );
  }
  const servers = await startZooKeeper({
    installation,
    nodes,
    dataDir: resolve(data, `${nodes}-node${nodes === 1 ? '' : 's'}`),
    isTemporary: false,
    firstPort: port,
    tickTimeMs: TICK_TIME_MS,
    jvmFlags: ['-Xmx512m'],
  });
  process.stdout.write(
    `ZooKeeper is running, ${nodes === 1 ? 'one server' : `${nodes} servers`}. Data in ${data}.\n\n` +
      `  CRONKEEPER_URL=zookeeper://${servers.addresses.join(',')}\n\n` +
      'Stop it with Ctrl-C.\n',
  );
  await untilSignalled(servers);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1' },
      port: { type: 'string', default: '2181' },
      data: { type: 'string', default: '.cronkeeper/zookeeper' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    nodes: integer('--nodes', values.nodes, NODES_MAX),
    port: integer('--port', values.port, 65535 - NODES_MAX),
    data: values.data,
    help: values.help,
  };
}

function integer(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${flag} ${JSON.stringify(text)}: a number from 1 to ${max} is allowed\n\n${USAGE}`);
}

async function untilSignalled(servers: Servers): Promise<void> {
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop());
  // Signal handlers alone do not keep the process alive.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  await promise;
  clearInterval(keepAlive);
  await servers.stop();
}

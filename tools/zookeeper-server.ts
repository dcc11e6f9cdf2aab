/**
 * Real ZooKeeper servers as child processes, for development and for tests: found, configured, started until they
 * serve, killed, frozen, restarted, and gone with us however we end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Guardian } from './guardian.ts';

export interface Installation {
  readonly java: string;
  readonly classPath: string;
}

/** Its manifest names every jar that it needs. */
const DEBIAN_JAR = '/usr/share/java/zookeeper.jar';
const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 25;
const STATUS_TIMEOUT_MS = 1000;

/** How to start ZooKeeper here, or a sentence that says what is missing. */
export async function findZooKeeper(env = process.env): Promise<Installation | string> {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  const classPath = env.ZOOKEEPER_HOME ? await tarballClassPath(env.ZOOKEEPER_HOME) : DEBIAN_JAR;
  if (classPath === undefined) return `ZOOKEEPER_HOME is ${env.ZOOKEEPER_HOME}, which has no lib/zookeeper-*.jar`;
  if (classPath === DEBIAN_JAR && !(await exists(DEBIAN_JAR))) return `ZooKeeper is not installed (no ${DEBIAN_JAR})`;
  if (!(await runs(java))) return 'Java is not installed';
  return { java, classPath };
}

export interface ServersOptions {
  readonly installation: Installation;
  /** 1 is a standalone server, more an ensemble. */
  readonly nodes: number;
  /** Made when missing. */
  readonly dataDir: string;
  /** Whether `dataDir` is deleted in the end. */
  readonly isTemporary: boolean;
  /** Client port of the first node, the next ones follow. Default: free ports. */
  readonly firstPort?: number;
  /** Sessions last at least two ticks. */
  readonly tickTimeMs: number;
  readonly jvmFlags?: readonly string[];
}

/** One server of a group. */
export interface Member {
  /** `host:port` for clients. */
  readonly address: string;
  readonly pid: number;
  /** As the server says; undefined when it does not answer or does not serve. */
  mode(): Promise<'standalone' | 'leader' | 'follower' | undefined>;
  /** Clients that are connected now, the one that asks left out. */
  connections(): Promise<number>;
  /** SIGKILL: no good-bye to anyone. */
  kill(): Promise<void>;
  /** After {@link kill}, on the same data and ports. Resolves when the server serves. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing is answered. */
  freeze(): void;
  thaw(): void;
}

export interface Servers extends AsyncDisposable {
  readonly members: readonly Member[];
  /** `host:port` of each member. */
  readonly addresses: readonly string[];
  leader(): Promise<Member>;
  /** Never rejects; afterwards no process is left, nor data if temporary. */
  stop(): Promise<void>;
}

/** Resolves when all of them serve. */
export async function startZooKeeper(options: ServersOptions): Promise<Servers> {
  const { dataDir, isTemporary, nodes } = options;
  await mkdir(dataDir, { recursive: true });
  const guardian = new Guardian(isTemporary ? dataDir : undefined);
  const members: MemberProcess[] = [];
  const stop = async () => {
    await Promise.all(members.map((member) => member.kill()));
    await guardian.end();
  };
  try {
    const ports = await choosePorts(options);
    const quorum = ports.map((port, index) => `server.${index + 1}=${HOST}:${port.quorum}:${port.election}`);
    for (const [index, { client }] of ports.entries()) {
      const member = new MemberProcess(`${HOST}:${client}`, client, options, guardian);
      await member.configure(join(dataDir, `node-${index + 1}`), index + 1, nodes > 1 ? quorum : []);
      members.push(member);
    }
    await Promise.all(members.map((member) => member.restart()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    members,
    addresses: members.map(({ address }) => address),
    leader: () => findLeader(members),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

class MemberProcess implements Member {
  readonly address: string;
  readonly #port: number;
  readonly #options: ServersOptions;
  readonly #guardian: Guardian;
  #configFile = '';
  #process: ChildProcess | undefined;

  constructor(address: string, port: number, options: ServersOptions, guardian: Guardian) {
    this.address = address;
    this.#port = port;
    this.#options = options;
    this.#guardian = guardian;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`ZooKeeper ${this.address} is not running`);
    return pid;
  }

  async configure(directory: string, id: number, quorum: readonly string[]): Promise<void> {
    const dataDir = join(directory, 'data');
    await mkdir(dataDir, { recursive: true });
    this.#configFile = join(directory, 'zoo.cfg');
    const lines = [
      `tickTime=${this.#options.tickTimeMs}`,
      `dataDir=${dataDir}`,
      `clientPort=${this.#port}`,
      `clientPortAddress=${HOST}`,
      'initLimit=20',
      'syncLimit=10',
      'maxSessionTimeout=60000',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      '4lw.commands.whitelist=srvr',
      'enforceQuota=true',
      ...quorum,
    ];
    await writeFile(this.#configFile, `${lines.join('\n')}\n`);
    await writeFile(join(dataDir, 'myid'), `${id}\n`);
  }

  async restart(): Promise<void> {
    if (this.#process !== undefined) throw new Error(`ZooKeeper ${this.address} is running already`);
    const { installation, jvmFlags = [] } = this.#options;
    const mainClass = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const args = [...jvmFlags, '-cp', installation.classPath, mainClass, this.#configFile];
    // In a process group of its own: a Ctrl-C in the terminal is for us, and we stop it in order.
    const child = spawn(installation.java, args, { stdio: 'ignore', detached: true });
    child.once('exit', () => {
      this.#process = undefined;
      this.#guardian.forget(child.pid as number);
    });
    await once(child, 'spawn');
    this.#process = child;
    this.#guardian.watch(child.pid as number);
    await this.#serving();
  }

  async mode(): ReturnType<Member['mode']> {
    const mode = /^Mode: (standalone|leader|follower)$/m.exec(await fourLetterWord(this.#port, 'srvr'))?.[1];
    return mode as Awaited<ReturnType<Member['mode']>>;
  }

  async connections(): Promise<number> {
    return Number(/^Connections: (\d+)$/m.exec(await fourLetterWord(this.#port, 'srvr'))?.[1]) - 1;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** `ruok` would be answered while the data are still being loaded; only a server that serves has a mode. */
  async #serving(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while ((await this.mode()) === undefined) {
      if (this.#process === undefined) throw new Error(`ZooKeeper ${this.address} ended at once (${this.#configFile})`);
      if (Date.now() > deadline) throw new Error(`ZooKeeper ${this.address} does not serve`);
      await delay(POLL_MS);
    }
  }
}

async function findLeader(members: readonly Member[]): Promise<Member> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    for (const member of members) {
      const mode = await member.mode();
      if (mode === 'leader' || mode === 'standalone') return member;
    }
    await delay(POLL_MS);
  }
  throw new Error('the ensemble has no leader');
}

/** What the server at `port` says; empty when it does not. */
async function fourLetterWord(port: number, word: string): Promise<string> {
  const socket = connect({ host: HOST, port, timeout: STATUS_TIMEOUT_MS });
  socket.on('timeout', () => socket.destroy());
  try {
    socket.end(word);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer;
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}

interface Ports {
  readonly client: number;
  readonly quorum: number;
  readonly election: number;
}

async function choosePorts({ firstPort, nodes }: ServersOptions): Promise<Ports[]> {
  if (firstPort !== undefined) {
    await Promise.all(Array.from({ length: nodes }, (_, index) => requireFree(firstPort + index)));
  }
  const free = await freePorts(nodes * 3);
  return Array.from({ length: nodes }, (_, index) => ({
    client: firstPort === undefined ? (free[index * 3] as number) : firstPort + index,
    quorum: free[index * 3 + 1] as number,
    election: free[index * 3 + 2] as number,
  }));
}

/** Another server's answer on the same port would be taken for ours. */
async function requireFree(port: number): Promise<void> {
  const server = createServer().listen(port, HOST);
  await once(server, 'listening').catch(() => {
    throw new Error(`port ${port} on ${HOST} is in use`);
  });
  await new Promise((resolve) => server.close(resolve));
}

/** Ports that were free a moment ago, all held at once so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function tarballClassPath(home: string): Promise<string | undefined> {
  const jars = await readdir(join(home, 'lib')).catch(() => []);
  return jars.some((name) => /^zookeeper-\d.*\.jar$/.test(name)) ? join(home, 'lib', '*') : undefined;
}

async function runs(java: string): Promise<boolean> {
  const child = spawn(java, ['-version'], { stdio: 'ignore' });
  return once(child, 'exit').then(
    ([code]) => code === 0,
    () => false,
  );
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * For servers that live for seconds: a third of the start-up time, and no waiting for the disk. The heap must hold the
 * last 500 writes, which the server keeps for its followers, at up to 512 KiB each.
 */
export const SHORT_LIVED_JVM_FLAGS = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xmx512m',
  '-Dzookeeper.forceSync=no',
] as const;

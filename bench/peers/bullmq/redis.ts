/** A Redis for measurements, on a free port and a directory of its own, and gone with us however we end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Guardian } from '../../../tools/guardian.ts';

/** How far a write has come before it is confirmed: as far as the kernel, synced each second; or to the disk. */
export type Fsync = 'everysec' | 'always';

const HOST = '127.0.0.1';
const PROGRAM = 'redis-server';
const START_MS_MAX = 10_000;
const POLL_MS = 25;

export interface Redis extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** @throws Error that says what is missing. */
export async function redisVersion(): Promise<string> {
  const child = spawn(PROGRAM, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]).catch(() => ['']);
  const version = /v=([\d.]+)/.exec(said)?.[1];
  if (version !== undefined) return version;
  throw new Error(`BullMQ needs Redis, and ${PROGRAM} cannot be started: get it with "apt-get install redis-server"`);
}

export async function startRedis(fsync: Fsync): Promise<Redis> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'cronkeeper-redis-'));
  const guardian = new Guardian(directory);
  const settings = { port, bind: HOST, dir: directory, save: '', appendonly: 'yes', appendfsync: fsync };
  const args = Object.entries({ ...settings, 'maxmemory-policy': 'noeviction' }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const child = spawn(PROGRAM, args, { stdio: 'ignore', detached: true });
  await once(child, 'spawn');
  const pid = child.pid as number;
  guardian.watch(pid);
  const stop = async () => {
    await end(child);
    guardian.forget(pid);
    await guardian.end();
  };
  try {
    await serving(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid, [Symbol.asyncDispose]: stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function serving(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_MS_MAX;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${PROGRAM} ended at once, with ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error(`${PROGRAM} does not serve`);
    await delay(POLL_MS);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: HOST, port });
  const answer = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answer;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Everything that takes part, on 127.0.0.1 and gone in the end: servers, proxies, workers, listener. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import { bundleFunctions } from '../../tools/bundle.ts';
import { Guardian } from '../../tools/guardian.ts';
import type { Installation, Servers } from '../../tools/zookeeper-server.ts';
import { startTemporary } from '../support/zookeeper-setup.ts';
import { Worker } from './crew.ts';
import { clockTime, type Fault } from './evidence.ts';
import { Listener } from './listener.ts';
import { Network } from './network.ts';
import type { Said } from './protocol.ts';

export const WORKERS = 4;
export const SHARDS = 8;
export const SESSION_TIMEOUT_MS = 2_000;
export const PERIOD_MS = 5_000;
const LINGER_MS = 5_000;
export const FUNCTION_TIMEOUT_MS = 30_000;
const SERVERS = 3;
const CHROOT = '/chaos';

/** Looks at our own event loop: all proxies are in it, so when it stands still, so do all networks. */
const BEAT_MS = 200;
const STALL_MS = 600;

/** What the workers said of themselves. */
export interface Heard {
  invocations: number;
  /** Messages of invocations that failed, and how often. */
  readonly failures: Map<string, number>;
  /** Errors that nobody caught, and processes that ended of them. */
  readonly escaped: string[];
  /** Processes that stood still, by a fault or because the machine was busy. */
  readonly stalls: Fault[];
  last: { readonly worker: number; readonly atMs: number } | undefined;
}

export class Arena implements AsyncDisposable {
  readonly servers: Servers;
  readonly listener: Listener;
  readonly networks: readonly Network[];
  readonly workers: readonly Worker[];
  /** On a connection that nobody harms. */
  readonly keeper: Cronkeeper;
  readonly heard: Heard;
  readonly #stack: AsyncDisposableStack;

  /** `tell` is told of invocations that failed. */
  static async open(installation: Installation, tell: (line: string) => void): Promise<Arena> {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'cronkeeper-chaos-'));
    const guardian = new Guardian(directory);
    stack.defer(() => guardian.end());
    await bundleFunctions(['tick'], directory);
    const servers = stack.use(await startTemporary(installation, SERVERS));
    const listener = stack.use(await Listener.open());
    const heard: Heard = { invocations: 0, failures: new Map(), escaped: [], stalls: [], last: undefined };
    const networks: Network[] = [];
    const workers: Worker[] = [];
    for (let index = 0; index < WORKERS; index++) {
      const network = stack.use(await Network.to(servers.addresses));
      networks.push(network);
      const worker = new Worker({
        ...{ index, guardian, bundle: join(directory, 'tick.js') },
        environment: environmentOf(network.addresses),
        settings: {
          listenerPort: listener.port,
          ...{ periodMs: PERIOD_MS, lingerMs: LINGER_MS, functionTimeoutMs: FUNCTION_TIMEOUT_MS },
          phaseMs: (index * PERIOD_MS) / WORKERS,
        },
        onDied: (from, why) => heard.escaped.push(`worker ${from}: ${why}`),
        onSaid: (from, said) => {
          note(heard, listener, from, said);
          if (said.kind === 'invoked' && said.error !== undefined) tell(failureLine(from, said, said.error));
        },
      });
      stack.defer(() => worker.kill());
      workers.push(worker);
    }
    const url = `zookeeper://${servers.addresses.join(',')}${CHROOT}`;
    const keeper = await openCronkeeper({ url, shards: SHARDS });
    stack.defer(() => keeper.close());
    stack.defer(watchOurselves(heard));
    return new Arena({ servers, listener, networks, workers, keeper, heard }, stack.move());
  }

  private constructor(
    parts: Pick<Arena, 'servers' | 'listener' | 'networks' | 'workers' | 'keeper' | 'heard'>,
    stack: AsyncDisposableStack,
  ) {
    this.servers = parts.servers;
    this.listener = parts.listener;
    this.networks = parts.networks;
    this.workers = parts.workers;
    this.keeper = parts.keeper;
    this.heard = parts.heard;
    this.#stack = stack;
  }

  async startWorkers(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.start()));
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop(FUNCTION_TIMEOUT_MS)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** All that a worker's environment holds. */
const environmentOf = (addresses: readonly string[]): Record<string, string> => ({
  CRONKEEPER_URL: `zookeeper://${addresses.join(',')}${CHROOT}`,
  CRONKEEPER_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
  CRONKEEPER_SHARDS: String(SHARDS),
  CRONKEEPER_FETCH_ALLOW_ADDRESSES: '127.0.0.1/32',
});

function note(heard: Heard, listener: Listener, worker: number, said: Said): void {
  switch (said.kind) {
    case 'dialled':
      listener.dialled(worker, said.port);
      heard.last = { worker, atMs: Date.now() };
      break;
    case 'invoked':
      heard.invocations++;
      if (said.error !== undefined) heard.failures.set(said.error, (heard.failures.get(said.error) ?? 0) + 1);
      break;
    case 'stalled':
      heard.stalls.push({ kind: 'stall', worker, fromMs: said.fromMs, untilMs: said.untilMs, excuses: 'runs' });
      break;
    case 'escaped':
      heard.escaped.push(`worker ${worker}: ${said.error}`);
  }
}

function failureLine(
  worker: number,
  { startedMs, endedMs }: Extract<Said, { kind: 'invoked' }>,
  error: string,
): string {
  return `${clockTime(startedMs)} to ${clockTime(endedMs)}  worker ${worker}: ${error}`;
}

function watchOurselves({ stalls }: Heard): () => void {
  let beatMs = Date.now();
  const timer = setInterval(() => {
    const nowMs = Date.now();
    if (nowMs - beatMs > STALL_MS) stalls.push({ kind: 'stall', fromMs: beatMs, untilMs: nowMs, excuses: 'runs' });
    beatMs = nowMs;
  }, BEAT_MS);
  return () => clearInterval(timer);
}

/** BullMQ, installed, with a Redis of each kind: what a suite asks its measurements of. */
import { fileURLToPath } from 'node:url';
import { Subject } from '../../subject.ts';
import { installBullMq } from './install.ts';
import type { Place } from './place.ts';
import { type Fsync, type Redis, redisVersion, startRedis } from './redis.ts';

const SCRIPT = fileURLToPath(new URL('./process.ts', import.meta.url));

export class BullMqPeer implements AsyncDisposable {
  /** `BullMQ 1.2.3, Redis 4.5.6`. */
  readonly versions: string;
  readonly #directory: string;
  readonly #redis: Readonly<Record<Fsync, Redis>>;

  private constructor(versions: string, directory: string, redis: Readonly<Record<Fsync, Redis>>) {
    this.versions = versions;
    this.#directory = directory;
    this.#redis = redis;
  }

  /** Whatever is not there yet. @throws Error that says what is missing. */
  static async install(
    tell: (line: string) => void,
  ): Promise<{ readonly directory: string; readonly versions: string }> {
    const redis = await redisVersion();
    const { directory, version } = await installBullMq(tell);
    return { directory, versions: `BullMQ ${version}, Redis ${redis}` };
  }

  /** @throws Error that says what is missing. */
  static async start(tell: (line: string) => void): Promise<BullMqPeer> {
    const { directory, versions } = await BullMqPeer.install(tell);
    const [everysec, always] = await Promise.all([startRedis('everysec'), startRedis('always')]);
    return new BullMqPeer(versions, directory, { everysec, always });
  }

  /** Of a process of its own. */
  async ask<T>(what: string, fsync: Fsync, request: object): Promise<T> {
    await using subject = this.open(fsync);
    return await subject.ask<T>(what, request);
  }

  /** A process that can be asked more than once. */
  open(fsync: Fsync): Subject {
    const { port, pid } = this.#redis[fsync];
    const place: Place = { directory: this.#directory, redisPort: port, redisPid: pid };
    return new Subject(SCRIPT, place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#redis).map((redis) => redis[Symbol.asyncDispose]()));
  }
}

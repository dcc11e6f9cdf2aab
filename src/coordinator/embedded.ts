/**
 * The coordinator without a server: ZooKeeper's semantics in memory, or on SQLite in a file. It is what a laptop uses,
 * and the world that tests and simulations run in.
 *
 * A file may be used by several processes of one machine at a time. What is acknowledged is on the disk. A process
 * that is gone loses its sessions as soon as another one looks; one that is frozen, when their time-out has passed.
 */
import { resolve } from 'node:path';
import { type Clock, sleep } from '../clock.ts';
import {
  type ConnectOptions,
  type Coordinator,
  CoordinatorError,
  type Node,
  type Op,
  type OpResult,
  type Session,
} from '../coordinator.ts';
import { received } from '../errors.ts';
import { openMemory } from './embedded/memory.ts';
import { Server } from './embedded/server.ts';
import { thisProcess } from './embedded/sessions.ts';
import { isBusy } from './embedded/sql-database.ts';
import { openFile } from './embedded/sql-storage.ts';
import { type SessionId, sessionName } from './embedded/tree.ts';
import { assertMulti, assertPath } from './limits.ts';

export interface EmbeddedOptions {
  /** The file, made with its directory when it is not there; undefined keeps everything in memory. */
  readonly path: string | undefined;
  /** Default for sessions. From 500 ms to 40 s; what is outside is moved to the nearest of them, as ZooKeeper does. */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  /** How often to look for changes that other processes made, while there are watches. Default: 100. */
  readonly pollIntervalMs?: number;
  /** How long a call may wait for another process that holds the file. Default: 5,000. */
  readonly operationTimeoutMs?: number;
}

/** What tests and simulations may do to sessions besides. Sessions go by their `id`. */
export interface EmbeddedCoordinator extends Coordinator {
  /** Ends a session, of any process, as if its time-out had passed. */
  expire(sessionId: string): Promise<void>;
  /**
   * Freezes the heartbeat of a session of this coordinator: it expires when its time-out has passed, unless the
   * function that is returned lets it be heard again before that.
   */
  silence(sessionId: string): () => void;
}

const SESSION_TIMEOUT_MS = { min: 500, max: 40_000 } as const;

const POLL_INTERVAL_MS = 100;

const OPERATION_TIMEOUT_MS = 5_000;

const OPEN_RETRY_MS = 20;

/**
 * Nothing is opened before the first `connect`, which rejects with `corrupt` for a file that is not ours, `invalid` or
 * `forbidden` for a path that cannot be used, and `unavailable` when another process holds the file for too long.
 */
export const openEmbedded = (options: EmbeddedOptions): EmbeddedCoordinator => new Embedded(options);

class Embedded implements EmbeddedCoordinator {
  readonly url: string;
  readonly #options: EmbeddedOptions;
  #opening: Promise<Server> | undefined;
  #server: Server | undefined;
  #isClosed = false;

  constructor(options: EmbeddedOptions) {
    this.url = `embedded:${options.path ?? ''}`;
    this.#options = options;
  }

  async connect({ sessionTimeoutMs = this.#options.sessionTimeoutMs }: ConnectOptions = {}): Promise<Session> {
    if (!(sessionTimeoutMs > 0)) {
      const allowed = 'a positive number of milliseconds is allowed';
      throw new CoordinatorError('invalid', `a session time-out of ${received(sessionTimeoutMs)}: ${allowed}`);
    }
    const timeoutMs = Math.min(Math.max(sessionTimeoutMs, SESSION_TIMEOUT_MS.min), SESSION_TIMEOUT_MS.max);
    const server = await this.#opened();
    const end = new AbortController();
    const id = await server.connect(timeoutMs, (reason) => end.abort(reason));
    return new EmbeddedSession(server, id, end.signal);
  }

  async expire(sessionId: string): Promise<void> {
    const server = await this.#opened();
    await server.end(Number(sessionId), 'it was made to expire');
  }

  silence(sessionId: string): () => void {
    return this.#server?.silence(Number(sessionId)) ?? (() => {});
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#opening?.catch(() => {});
    await this.#server?.close();
  }

  #opened(): Promise<Server> {
    if (this.#isClosed) return Promise.reject(new CoordinatorError('unavailable', `${this.url} was closed`));
    this.#opening ??= this.#open().then(
      (server) => {
        this.#server = server;
        return server;
      },
      (error: unknown) => {
        // Whatever was wrong may be put right: the next connect tries again.
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  async #open(): Promise<Server> {
    const { clock, pollIntervalMs = POLL_INTERVAL_MS, operationTimeoutMs = OPERATION_TIMEOUT_MS } = this.#options;
    const path = this.#options.path === undefined ? undefined : resolve(this.#options.path);
    const endMs = clock.elapsed() + operationTimeoutMs;
    for (;;) {
      try {
        const storage = path === undefined ? openMemory() : openFile(path);
        return new Server({ storage, path, home: thisProcess(), clock, pollIntervalMs, operationTimeoutMs });
      } catch (error) {
        if (!isBusy(error) || clock.elapsed() > endMs) throw error;
        await sleep(clock, OPEN_RETRY_MS);
      }
    }
  }
}

class EmbeddedSession implements Session {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly #server: Server;
  readonly #session: SessionId;

  constructor(server: Server, session: SessionId, signal: AbortSignal) {
    this.id = sessionName(session);
    this.signal = signal;
    this.#server = server;
    this.#session = session;
  }

  async get(path: string, onChange?: () => void): Promise<Node | undefined> {
    assertPath(path);
    this.signal.throwIfAborted();
    return this.#server.get(this.#session, path, onChange);
  }

  async getMany(paths: readonly string[]): Promise<(Node | undefined)[]> {
    for (const path of paths) assertPath(path);
    this.signal.throwIfAborted();
    return this.#server.getMany(this.#session, paths);
  }

  async children(path: string): Promise<string[] | undefined> {
    assertPath(path);
    this.signal.throwIfAborted();
    return this.#server.children(this.#session, path);
  }

  async childrenMany(paths: readonly string[]): Promise<(string[] | undefined)[]> {
    for (const path of paths) assertPath(path);
    this.signal.throwIfAborted();
    return this.#server.childrenMany(this.#session, paths);
  }

  async multi(ops: readonly Op[]): Promise<OpResult[]> {
    assertMulti(ops);
    this.signal.throwIfAborted();
    // A copy: the caller may go on with the list, and the transaction begins only when this turn has ended.
    return this.#server.multi(this.#session, [...ops]);
  }

  async close(): Promise<void> {
    if (!this.signal.aborted) await this.#server.leave(this.#session);
  }
}

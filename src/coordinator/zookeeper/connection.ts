/**
 * node-zookeeper-client 1.1.3 with a guard at each of its traps. The client keeps the socket, the handshake, the
 * session, authentication and watches across reconnects; this file decides which server is tried when, cuts the frames,
 * answers our own requests, and lets nothing that a server sends throw in a socket handler.
 *
 * It reaches into the client's `connectionManager`, which is why the version is pinned.
 */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { createClient } from 'node-zookeeper-client';
import type { Cancel, Clock, EpochMs, Random } from '../../clock.ts';
import { CoordinatorError } from '../../coordinator.ts';
import { messageOf } from '../../errors.ts';
import { Framer } from './framer.ts';
import { REPLY_HEADER_BYTES, replyXid, sessionName } from './reply.ts';
import { pingRequest, Request } from './request.ts';
import { type Server, shuffled } from './servers.ts';
import type { Watches } from './watches.ts';

declare module 'node-zookeeper-client' {
  interface Client {
    readonly connectionManager: ConnectionManager;
  }
}

/** What a request is to the client's queue: one of ours, or one of its own (authentication, watches, pings). */
type Queued = Request | { readonly header: { readonly type: number; xid: number } };

/** The part of the client's inside that is used here. */
interface ConnectionManager extends EventEmitter {
  readonly state: number;
  readonly socket: Socket | undefined;
  readonly zxid: Buffer;
  readonly pendingQueue: { readonly request: Queued }[];
  readonly packetQueue: { readonly queue: unknown[] };
  servers: readonly Server[];
  xid: number;
  watcherManager: Watches;
  connect(): void;
  findNextServer(found: (server: Server) => void): void;
  onSocketData(chunk: Buffer): void;
  onSocketError(error: Error): void;
  queue(request: Queued, callback?: (error: unknown) => void): void;
  getSessionId(): Buffer;
  getSessionTimeout(): number;
}

/** Source: `STATES` in the client's ConnectionManager. */
const STATE = { disconnected: 0, connecting: 1, connected: 2, expired: -3, authenticationFailed: -4 } as const;

const RECONNECT_DELAY_MIN_MS = 50;
const RECONNECT_DELAY_MAX_MS = 1000;

export interface ConnectionOptions {
  readonly servers: readonly Server[];
  /** `user:password`, sent before any request on each connection. */
  readonly auth?: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly watches: Watches;
  readonly clock: Clock;
  readonly random: Random;
}

export interface ConnectionEvents {
  /** The session is established, anew or again: requests may be sent. */
  onUp(): void;
  onExpired(): void;
  onAuthenticationFailed(): void;
}

export class Connection {
  /** When a server was last heard, and when the present attempt to reach one began: monotonic ms. */
  heardMs: EpochMs;
  attemptMs: EpochMs;
  /** Why the last attempt failed, for messages. */
  lastError: string | undefined;
  readonly #manager: ConnectionManager;
  readonly #library: Pick<ConnectionManager, 'connect' | 'onSocketData' | 'onSocketError'>;
  readonly #framer = new Framer();
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  #nextServer = 0;
  /** Attempts since a server last answered more than the greeting. */
  #failures = 0;
  /** From the attempt to connect until the socket has said that it is closed, which is after it is destroyed. */
  #hasSocket = false;
  #stopped = false;
  readonly #closed = Promise.withResolvers<void>();
  #cancelReconnect: Cancel = () => {};

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.heardMs = this.attemptMs = options.clock.elapsed();
    // The address is not used, see findNextServer; nor are the operations of its own, which may repeat what was done.
    const client = createClient('127.0.0.1', { sessionTimeout: options.sessionTimeoutMs, retries: 0 });
    if (options.auth !== undefined) client.addAuthInfo('digest', Buffer.from(options.auth));
    const manager = client.connectionManager;
    this.#manager = manager;
    this.#library = {
      connect: manager.connect.bind(manager),
      onSocketData: manager.onSocketData.bind(manager),
      onSocketError: manager.onSocketError.bind(manager),
    };
    manager.servers = shuffled(options.servers, options.random);
    manager.watcherManager = options.watches;
    // 0 is what throttling servers before 3.9 count wrongly.
    manager.xid = 1;
    manager.connect = () => this.connect();
    manager.findNextServer = (found) => this.#findNextServer(found);
    manager.onSocketData = (chunk) => this.#onData(chunk);
    manager.onSocketError = (error) => {
      this.lastError = messageOf(error);
      this.#library.onSocketError(error);
    };
    manager.on('state', (state: number) => this.#onState(state));
  }

  get sessionId(): string {
    return sessionName(this.#manager.getSessionId());
  }

  /** As asked for; once connected, as the server has granted it. */
  get sessionTimeoutMs(): number {
    return this.#manager.getSessionTimeout();
  }

  /** Whether requests can be sent now. A socket that is being torn down would only swallow them. */
  get isUp(): boolean {
    return this.#manager.state === STATE.connected && this.#manager.socket?.writable === true;
  }

  /** Also called by the client whenever a socket has closed. */
  connect(): void {
    if (this.#stopped) return;
    this.#framer.reset();
    this.#library.connect();
  }

  /** Writes now, in order: the client pauses for a busy socket only after it has written the latest. While {@link isUp}. */
  send(request: Request): void {
    this.#manager.queue(request, (error) => {
      if (error) request.onFail(new CoordinatorError('outcome-unknown', 'the connection broke before the reply'));
    });
  }

  ping(): void {
    this.#manager.queue(pingRequest());
  }

  /** Ends this connection, not the session: the next server is tried. */
  drop(reason: string): void {
    // With an error, or the client forgets to stop the timer that later destroys whatever socket there is by then.
    this.#manager.socket?.destroy(new Error(reason));
  }

  /** No socket and no timer are left when this resolves. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelReconnect();
    if (this.#hasSocket) this.drop('the session has ended');
    else this.#closed.resolve();
    return this.#closed.promise;
  }

  /** In turn, from the one after the last; after each round through all of them a pause that doubles, with jitter. */
  #findNextServer(found: (server: Server) => void): void {
    const { clock, random, sessionTimeoutMs, servers } = this.#options;
    const round = Math.floor(this.#failures / servers.length);
    const isRoundComplete = this.#failures % servers.length === 0;
    this.#failures++;
    const tryNext = () => {
      this.attemptMs = clock.elapsed();
      this.#hasSocket = true;
      found(this.#manager.servers[this.#nextServer++ % servers.length] as Server);
    };
    if (round === 0 || !isRoundComplete) {
      tryNext();
      return;
    }
    const delayMaxMs = Math.min(RECONNECT_DELAY_MAX_MS, sessionTimeoutMs / 10);
    const delayMs = Math.min(delayMaxMs, RECONNECT_DELAY_MIN_MS * 2 ** Math.min(round - 1, 10));
    this.#cancelReconnect = clock.after(delayMs * (0.5 + random() / 2), tryNext);
  }

  #onData(chunk: Buffer): void {
    this.heardMs = this.#options.clock.elapsed();
    try {
      this.#framer.push(chunk, (frame) => this.#onFrame(frame));
    } catch (error) {
      // Neither we nor the client can make sense of it; what was pending is told that the connection was lost.
      this.drop(messageOf(error));
    }
  }

  #onFrame(frame: Buffer): void {
    const manager = this.#manager;
    if (manager.state === STATE.connected) this.#failures = 0;
    const request = manager.pendingQueue[0]?.request;
    const isOurs =
      manager.state === STATE.connected &&
      request instanceof Request &&
      frame.length >= REPLY_HEADER_BYTES &&
      replyXid(frame) === request.header.xid;
    if (!isOurs) {
      this.#library.onSocketData(frame);
      return;
    }
    manager.pendingQueue.shift();
    // The last transaction seen, which the next server must have reached too.
    frame.copy(manager.zxid, 0, 8, 16);
    request.onReply(frame);
  }

  #onState(state: number): void {
    switch (state) {
      case STATE.connected:
        this.#events.onUp();
        break;
      case STATE.disconnected:
        this.#hasSocket = false;
        if (this.#stopped) this.#closed.resolve();
        // Authentication and watches for a greeting that never came; the next connection brings its own.
        this.#manager.packetQueue.queue.length = 0;
        break;
      case STATE.expired:
        this.#events.onExpired();
        break;
      case STATE.authenticationFailed:
        this.#events.onAuthenticationFailed();
        break;
    }
  }
}

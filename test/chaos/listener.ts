/** Hears, outside of ZooKeeper, when runs start and end. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EpochMs } from '../../src/clock.ts';
import type { Mark } from './evidence.ts';

const HOST = '127.0.0.1';

interface Heard extends Omit<Mark, 'worker'> {
  /** Of the other end. */
  readonly port: number;
}

interface Dialled {
  readonly worker: number;
  readonly atMs: EpochMs;
}

export class Listener implements AsyncDisposable {
  readonly #server: Server;
  readonly #heard: Heard[] = [];
  readonly #dialled = new Map<number, Dialled[]>();

  static async open(): Promise<Listener> {
    const listener = new Listener();
    listener.#server.listen(0, HOST);
    await once(listener.#server, 'listening');
    return listener;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      const mark = this.#markOf(request);
      if (mark !== undefined) this.#heard.push(mark);
      response.writeHead(mark === undefined ? 400 : 204).end();
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://${HOST}:${this.port}`;
  }

  /** A worker has opened a connection from `port`. */
  dialled(worker: number, port: number): void {
    this.#dialled.set(port, [...(this.#dialled.get(port) ?? []), { worker, atMs: Date.now() }]);
  }

  /** In the order in which they came. */
  get marks(): Mark[] {
    return this.#heard.map(({ port, ...mark }) => {
      const worker = this.#workerAt(port, mark.atMs);
      return { ...mark, ...(worker !== undefined && { worker }) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #markOf({ url = '', socket }: IncomingMessage): Heard | undefined {
    const { pathname, searchParams } = new URL(url, this.origin);
    const kind = pathname.slice(1);
    const [taskId = '', slot] = (searchParams.get('launch') ?? '').split('@');
    const [slotMs, attempt, fence] = [slot, searchParams.get('attempt'), searchParams.get('fence')].map(Number);
    if ((kind !== 'start' && kind !== 'end') || taskId === '') return undefined;
    if (slotMs === undefined || attempt === undefined || fence === undefined) return undefined;
    return { kind, taskId, slotMs, attempt, fence, atMs: Date.now(), port: socket.remotePort ?? 0 };
  }

  /** Ports are used again: it is the one who dialled closest to the mark. */
  #workerAt(port: number, atMs: EpochMs): number | undefined {
    const dials = this.#dialled.get(port) ?? [];
    const distance = (dialled: Dialled) => Math.abs(dialled.atMs - atMs);
    return dials.toSorted((one, other) => distance(one) - distance(other))[0]?.worker;
  }
}

/** A TCP proxy that does to connections what networks do to them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Link {
  readonly client: Socket;
  readonly server: Socket;
  isHalfOpen: boolean;
  /** What the server said and the client has not heard yet, oldest first. */
  readonly onTheWay: { readonly bytes: Buffer; readonly arrivesMs: number }[];
}

/** Looks at bytes on their way; what it returns is sent on in their place. */
export type Tap = (bytes: Buffer, link: Link) => Buffer;

const HOST = '127.0.0.1';

export class FlakyProxy implements AsyncDisposable {
  /** Bytes are read and lost, and nobody is told. */
  swallowToServer = false;
  swallowToClient = false;
  /** New connections are closed at once. */
  refuse = false;
  /** Added to everything that the server says. */
  delayMs = 0;
  onClientBytes: Tap = (bytes) => bytes;
  onServerBytes: Tap = (bytes) => bytes;
  /** Connections accepted so far. */
  accepted = 0;
  readonly #links = new Set<Link>();
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  #bytesUntilCut: number | undefined;

  /** `target` is `host:port`. */
  static async to(target: string): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(target);
    proxy.#server.listen(0, HOST);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: string) {
    const [host = '', port] = target.split(':');
    this.#target = { host, port: Number(port) };
    this.#server = createServer((client) => this.#join(client));
  }

  /** `host:port`, for the client. */
  get address(): string {
    return `${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Lets `bytes` more bytes through to the client, then resets its connection. */
  cutReplyAfter(bytes: number): void {
    this.#bytesUntilCut = bytes;
  }

  /** The connections that there are stay open and carry nothing any more; new ones are not concerned. */
  halfOpenAll(): void {
    for (const link of this.#links) link.isHalfOpen = true;
  }

  /** Connections open at this moment. */
  get open(): number {
    return this.#links.size;
  }

  /**
   * Closes every connection there is. Not by a reset: Node never ends a process in which a socket was reset while it was
   * being shut down.
   */
  cutAll(): void {
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.refuse = true;
    this.cutAll();
    await closed;
  }

  #join(client: Socket): void {
    this.accepted++;
    client.on('error', () => {});
    if (this.refuse) {
      client.destroy();
      return;
    }
    const server = connect(this.#target);
    server.on('error', () => {});
    const link: Link = { client, server, isHalfOpen: false, onTheWay: [] };
    this.#links.add(link);
    client.on('data', (bytes) => {
      const sent = this.onClientBytes(bytes, link);
      if (!this.swallowToServer && !link.isHalfOpen && !server.destroyed) server.write(sent);
    });
    server.on('data', (bytes) => {
      const sent = this.onServerBytes(bytes, link);
      if (this.swallowToClient || link.isHalfOpen) return;
      if (this.delayMs > 0 || link.onTheWay.length > 0) this.#toClientLater(link, sent);
      else this.#toClient(link, sent);
    });
    client.on('close', () => {
      this.#links.delete(link);
      server.destroy();
    });
    server.on('close', () => {
      // A half-open link does not learn that the other end has gone.
      if (!this.swallowToClient && !link.isHalfOpen) client.destroySoon();
    });
  }

  /** Nothing overtakes what was said before, though the delay has become shorter since. */
  #toClientLater(link: Link, bytes: Buffer): void {
    link.onTheWay.push({ bytes, arrivesMs: performance.now() + this.delayMs });
    if (link.onTheWay.length > 1) return;
    const deliver = () => {
      const [next] = link.onTheWay;
      if (next === undefined) return;
      const waitMs = next.arrivesMs - performance.now();
      if (waitMs <= 0) {
        link.onTheWay.shift();
        this.#toClient(link, next.bytes);
      }
      setTimeout(deliver, Math.max(0, waitMs));
    };
    setTimeout(deliver, this.delayMs);
  }

  #toClient({ client, server }: Link, bytes: Buffer): void {
    if (client.destroyed) return;
    if (this.#bytesUntilCut === undefined || bytes.length < this.#bytesUntilCut) {
      if (this.#bytesUntilCut !== undefined) this.#bytesUntilCut -= bytes.length;
      client.write(bytes);
      return;
    }
    const last = bytes.subarray(0, this.#bytesUntilCut);
    this.#bytesUntilCut = undefined;
    // Closed in order, not reset: a reset would discard what has not been read, and the cut would not be in the middle.
    client.end(last);
    server.destroy();
  }
}

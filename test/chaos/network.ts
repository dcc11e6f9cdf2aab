/** One worker's ways to ZooKeeper: a proxy per server, all broken alike. */
import { FlakyProxy } from '../support/proxy.ts';

export class Network implements AsyncDisposable {
  readonly #proxies: readonly FlakyProxy[];

  static async to(servers: readonly string[]): Promise<Network> {
    return new Network(await Promise.all(servers.map((server) => FlakyProxy.to(server))));
  }

  private constructor(proxies: readonly FlakyProxy[]) {
    this.#proxies = proxies;
  }

  /** `host:port` in place of each server's. */
  get addresses(): string[] {
    return this.#proxies.map(({ address }) => address);
  }

  /** Connections end, and none is made. */
  cut(): void {
    this.#each((proxy) => {
      proxy.refuse = true;
      proxy.cutAll();
    });
  }

  /** Nothing gets through, and nobody is told. */
  blackHole(): void {
    this.#each((proxy) => {
      proxy.swallowToServer = true;
      proxy.swallowToClient = true;
    });
  }

  /** As {@link blackHole}, for the connections that there are. */
  halfOpen(): void {
    this.#each((proxy) => proxy.halfOpenAll());
  }

  /** Requests arrive, answers do not. */
  dropReplies(): void {
    this.#each((proxy) => {
      proxy.swallowToClient = true;
    });
  }

  slowDown(delayMs: number): void {
    this.#each((proxy) => {
      proxy.delayMs = delayMs;
    });
  }

  /** All is well. Connections in which something was lost end: what came next would not follow what came before. */
  heal(): void {
    this.#each((proxy) => {
      const isTorn = proxy.swallowToServer || proxy.swallowToClient || proxy.refuse;
      proxy.refuse = false;
      proxy.swallowToServer = false;
      proxy.swallowToClient = false;
      proxy.delayMs = 0;
      if (isTorn) proxy.cutAll();
    });
  }

  /** Ends connections that carry nothing any more. */
  cutNow(): void {
    this.#each((proxy) => proxy.cutAll());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  }

  #each(change: (proxy: FlakyProxy) => void): void {
    for (const proxy of this.#proxies) change(proxy);
  }
}

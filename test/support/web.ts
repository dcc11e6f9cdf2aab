/** Servers for requests to arrive at, and what arrived. */
import { once } from 'node:events';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { type OutboundOptions, openOutbound } from '../../src/outbound/undici.ts';
import type { Fetch, FetchRequest, FetchResponse, Grant, Outbound } from '../../src/outbound.ts';

export interface Web extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Connections so far. */
  readonly hits: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
}

export const serve = (listener: RequestListener, host?: string, port?: number): Promise<Web> =>
  watch(createServer(listener), host, port);

/** Takes connections, and leaves them to `onSocket`. */
export const serveTcp = (onSocket: (socket: Socket) => void, host?: string, port?: number): Promise<Web> =>
  watch(createTcpServer(onSocket), host, port);

export async function watch(server: Server | HttpServer, host = '127.0.0.1', port = 0): Promise<Web> {
  const sockets = new Set<Socket>();
  let hits = 0;
  server.on('connection', (socket: Socket) => {
    hits++;
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
        server.emit('left');
      });
  });
  server.listen(port, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    get hits() {
      return hits;
    },
    get open() {
      return sockets.size;
    },
    async idle() {
      while (sockets.size > 0) await once(server, 'left');
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface TestOutbound extends Outbound, AsyncDisposable {
  /** One request of a run that may reach `origins`. */
  fetch(url: string, origins: readonly string[], request?: Partial<FetchRequest>): Promise<FetchResponse>;
}

export const never: AbortSignal = new AbortController().signal;

export const granted = (outbound: Outbound, origins: readonly string[], grant: Partial<Grant> = {}): Fetch =>
  outbound.grant({ origins, idempotencyKey: 'task@1', fence: 7, ...grant });

/** As the program opens it, and closed at the end of the test; loopback is not permitted unless the options say so. */
export function openTestOutbound(options: Partial<OutboundOptions> = {}): TestOutbound {
  const outbound = openOutbound({ clock: systemClock, userAgent: 'cronkeeper/test', ...options });
  return {
    grant: (grant) => outbound.grant(grant),
    close: () => outbound.close(),
    fetch: (url, origins, request) =>
      granted(outbound, origins)({ url, method: 'GET', headers: [], ...request }, never),
    [Symbol.asyncDispose]: () => outbound.close(),
  };
}

export const textOf = ({ body }: FetchResponse): string => Buffer.from(body).toString();

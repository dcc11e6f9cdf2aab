/** The API on a port of this machine. */
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type AuthMode, isLoopbackHost } from './api/access.ts';
import type { Api } from './api.ts';
import { type Clock, systemClock } from './clock.ts';
import { CronkeeperError, messageOf, received } from './errors.ts';

const LOOPBACK = '127.0.0.1';
const EVERYWHERE = '0.0.0.0';

/** How long a client may take over its headers, and over its whole request. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Bytes of a request's line and headers; more is answered by 431. */
export const HEADER_BYTES_MAX = 16 * 1024;

/** How long answers under way may take when the server closes. */
const CLOSING_MS = 2_000;

export interface ServeOptions {
  readonly app: Api;
  /** See {@link listenOn}. */
  readonly hostname: string;
  /** 0: any free one. */
  readonly port: number;
  readonly clock?: Clock;
}

export interface Served {
  /** Where it can be reached from this machine, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Stops listening, lets answers under way end for two seconds, and closes what is left. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Only `token`: on this machine nobody is in front. */
  readonly auth?: AuthMode | undefined;
  readonly apiToken?: string | undefined;
  /** Default: 127.0.0.1 without a token, every interface with one. */
  readonly hostname?: string | undefined;
}

/**
 * Where to listen, and what to tell the user about it. Pure.
 * @throws CronkeeperError `invalid`: without a token, anybody who reaches the port could run code; and so they could
 * where a header is believed that an authorizer should have set.
 */
export function listenOn({ auth = 'token', apiToken, hostname }: ListenOptions): { hostname: string; message: string } {
  if (auth !== 'token') {
    const message = `received ${received(auth)}; allowed here: "token", since nobody is in front of this server who authenticates`;
    const problems = [{ field: 'CRONKEEPER_AUTH', message }];
    throw new CronkeeperError('invalid', `CRONKEEPER_AUTH: ${message}`, { problems });
  }
  if (apiToken !== undefined) {
    const open = hostname ?? EVERYWHERE;
    return {
      hostname: open,
      message: `listening on ${open}; the API asks for a token, in clear text: put TLS before it`,
    };
  }
  const asked = hostname ?? LOOPBACK;
  if (!isLoopbackHost(asked === '::1' ? '[::1]' : asked)) {
    const message = `hostname: received ${received(asked)} without CRONKEEPER_API_TOKEN; allowed then: 127.0.0.1, localhost, ::1`;
    throw new CronkeeperError('invalid', message, { problems: [{ field: 'hostname', message }] });
  }
  return { hostname: asked, message: 'no CRONKEEPER_API_TOKEN: listening on this machine only, for anyone on it' };
}

/** @throws CronkeeperError `unavailable` when the port is taken or may not be used. */
export async function serve({ app, hostname, port, clock = systemClock }: ServeOptions): Promise<Served> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    hostname,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(
        new CronkeeperError('unavailable', `cannot listen on ${hostname}:${port}: ${messageOf(cause)}`, { cause }),
      );
    server.once('error', failed);
    server.listen(port, hostname, () => {
      server.off('error', failed);
      resolve();
    });
  });
  const close = () =>
    new Promise<void>((resolve) => {
      const cancel = clock.after(CLOSING_MS, () => 'closeAllConnections' in server && server.closeAllConnections());
      server.close(() => {
        cancel();
        resolve();
      });
    });
  return { url: urlOf(server.address() as AddressInfo), close };
}

/** An address that can be called: where it listens on every interface, the loopback one. */
function urlOf({ address, port }: AddressInfo): string {
  const host = address === EVERYWHERE || address === '::' ? LOOPBACK : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

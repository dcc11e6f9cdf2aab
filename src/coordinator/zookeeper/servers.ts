/** The servers of an ensemble. The client's own parser cuts at every colon, and so cannot read IPv6 addresses. */
import type { Random } from '../../clock.ts';
import { CoordinatorError } from '../../coordinator.ts';
import { received } from '../../errors.ts';

export interface Server {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 2181;
const SERVERS_MAX = 64;

/** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
const SERVER = /^(?:\[(?<v6>[0-9a-fA-F:.]+(?:%\w+)?)\]|(?<name>[^\s:/[\]@,]+))(?::(?<port>\d{1,5}))?$/;

/** @throws CoordinatorError `invalid`. */
export function parseServers(texts: readonly string[]): Server[] {
  if (texts.length === 0 || texts.length > SERVERS_MAX) {
    throw new CoordinatorError('invalid', `${texts.length} ZooKeeper servers given; 1 to ${SERVERS_MAX} are allowed`);
  }
  return texts.map((text) => {
    const parts = SERVER.exec(text)?.groups;
    const host = parts?.v6 ?? parts?.name;
    const port = Number(parts?.port ?? DEFAULT_PORT);
    if (host === undefined || port < 1 || port > 65535) {
      throw new CoordinatorError('invalid', `server ${received(text)} is not host:port (an IPv6 address in brackets)`);
    }
    return { host, port };
  });
}

/** A fair order (Fisher-Yates), so that many clients spread over the ensemble. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}

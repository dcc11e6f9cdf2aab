/** The coordinator port on an Apache ZooKeeper ensemble, 3.5 or later (3.6 for reads in bulk). */
import { type Clock, type Random, systemRandom } from '../clock.ts';
import { type Coordinator, CoordinatorError, type Session } from '../coordinator.ts';
import { received } from '../errors.ts';
import { assertPath } from './limits.ts';
import { ACL_CREATOR, ACL_OPEN } from './zookeeper/request.ts';
import { parseServers } from './zookeeper/servers.ts';
import { type Ensemble, openSession } from './zookeeper/session.ts';
import { Watches } from './zookeeper/watches.ts';

const CONNECT_TIMEOUT_MS = 4_000;

export interface ZooKeeperOptions {
  /** `host:port`; an IPv6 address in brackets: `[::1]:2181`. The port is 2181 when left out. */
  readonly servers: readonly string[];
  /** The node under which everything happens, such as `/cron`. Made when it is missing. Default: the top. */
  readonly chroot?: string;
  /** `user:password` for digest authentication. With it, only the creator may touch what is created. */
  readonly auth?: string;
  /** How long a session outlives its last sign of life. Servers clamp it, by default to 2 to 20 ticks (4 to 40 s). */
  readonly sessionTimeoutMs: number;
  /** For `connect` as a whole, through all servers and with making the chroot. Default 4 s. */
  readonly connectTimeoutMs?: number;
  /**
   * For every other call. Default: two thirds of the session time-out that was granted, at least 2 s and at most 3.5 s;
   * of several calls in one outage together, with 750 ms for each.
   */
  readonly opTimeoutMs?: number;
  readonly clock: Clock;
  /** Spreads the clients over the servers, and their reconnects over time. */
  readonly random?: Random;
}

/**
 * Nothing is contacted before `connect`.
 *
 * @throws CoordinatorError `invalid` for an option that cannot be.
 */
export function openZooKeeper(options: ZooKeeperOptions): Coordinator {
  const { auth, clock, connectTimeoutMs = CONNECT_TIMEOUT_MS, opTimeoutMs, random = systemRandom } = options;
  const servers = parseServers(options.servers);
  const root = rootOf(options.chroot);
  const url = `zookeeper://${options.servers.join(',')}${root}`;
  if (auth !== undefined) requireAuth(auth);
  const ensemble: Ensemble = { hasMultiRead: true };
  const sessions = new Set<Session>();

  return {
    url,
    async connect({ sessionTimeoutMs = options.sessionTimeoutMs } = {}) {
      const session = await openSession({
        url,
        servers,
        auth,
        sessionTimeoutMs,
        connectTimeoutMs,
        opTimeoutMs,
        clock,
        random,
        ensemble,
        tree: { root, acl: auth === undefined ? ACL_OPEN : ACL_CREATOR },
        watches: new Watches(),
      });
      sessions.add(session);
      session.signal.addEventListener('abort', () => sessions.delete(session), { once: true });
      return session;
    },
    /** Closes what its users have left open. */
    async close() {
      await Promise.all([...sessions].map((session) => session.close()));
    },
  };
}

function rootOf(chroot = '/'): string {
  assertPath(chroot);
  return chroot === '/' ? '' : chroot;
}

/** Never shows the password. */
function requireAuth(auth: string): void {
  const colon = auth.indexOf(':');
  if (colon > 0 && colon < auth.length - 1) return;
  const user = colon < 0 ? 'a text without a colon' : `user ${received(auth.slice(0, colon))} and no password`;
  throw new CoordinatorError(
    'invalid',
    `ZooKeeper auth must be user:password; received ${colon === 0 ? 'no user' : user}`,
  );
}

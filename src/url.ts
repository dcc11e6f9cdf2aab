/** The coordinator's address, as users write it: pure. */
import { CronkeeperError, received } from './errors.ts';

export type CoordinatorUrl =
  | { readonly kind: 'zookeeper'; readonly servers: readonly string[]; readonly chroot?: string }
  /** Without a path: in memory. */
  | { readonly kind: 'embedded'; readonly path?: string };

/** Where local commands keep their tasks unless they are told otherwise. */
export const LOCAL_URL = 'embedded:./.cronkeeper/cronkeeper.db';

const ALLOWED = '"zookeeper://host:2181,host:2181/chroot", "embedded:" (memory) or "embedded:./path/file.db"';

/** `host`, `host:port`, and an IPv6 address in brackets. */
const SERVER = /^(?:\[[^\]]+\]|[^:[\]]+)(?::\d{1,5})?$/;

/** @throws CronkeeperError `invalid` */
export function parseCoordinatorUrl(url: string): CoordinatorUrl {
  if (url.startsWith('embedded:')) {
    const path = url.slice('embedded:'.length);
    if (!path.includes('\0') && !path.startsWith('//'))
      return path === '' ? { kind: 'embedded' } : { kind: 'embedded', path };
  }
  const match = /^zookeeper:\/\/([^/\s@]+)(\/.*)?$/.exec(url);
  if (match === null) throw invalidUrl(url);
  const servers = (match[1] as string).split(',');
  if (!servers.every((server) => SERVER.test(server))) throw invalidUrl(url);
  const chroot = match[2];
  return chroot === undefined || chroot === '/'
    ? { kind: 'zookeeper', servers }
    : { kind: 'zookeeper', servers, chroot: chroot.replace(/\/$/, '') };
}

/** Who writes a password into the URL, where it does not belong, does not find it in a log. */
export const shownUrl = (url: string): string => url.replace(/\/\/.*@/s, '//…@');

function invalidUrl(url: string): CronkeeperError {
  const message = `coordinator URL: received ${received(shownUrl(url))}; allowed: ${ALLOWED}`;
  return new CronkeeperError('invalid', message, { problems: [{ field: 'url', message }] });
}

/** From a host to the addresses that may be connected to: looked up once, and each one checked. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { CIDR_ALLOWED, isCidr } from '../cidr.ts';
import { CronkeeperError, received } from '../errors.ts';
import { FetchDenied, type FetchPermissions } from '../outbound.ts';
import { AddressRules } from './addresses.ts';
import { FETCH_LIMITS } from './limits.ts';
import { Places } from './places.ts';

/** All addresses of a host name, in the order in which they should be tried. Rejects if there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** As every program of this machine sees it, `/etc/hosts` included. */
const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

export interface Endpoint {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ReachOptions extends FetchPermissions {
  /** More of `denyEndpoints`: where the tasks are kept. */
  readonly off?: readonly Endpoint[];
  /** Default: the machine's own. */
  readonly resolve?: Resolve;
}

/** Permissions of one kind: more of them is a mistake, or should be wider blocks. */
const PERMISSIONS_MAX = 64;

/** `host:port`, with an IPv6 address in brackets. */
const ENDPOINT = /^(?:\[([\da-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i;

export class Reach {
  readonly #rules: AddressRules;
  readonly #off: readonly Endpoint[];
  readonly #resolve: Resolve;
  readonly #lookups = new Places(FETCH_LIMITS.lookups);

  /** @throws CronkeeperError `invalid` */
  constructor({ allowAddresses = [], denyEndpoints = [], off = [], resolve = systemResolve }: ReachOptions) {
    assertList('allowAddresses', allowAddresses, CIDR_ALLOWED, isCidr);
    assertList('denyEndpoints', denyEndpoints, 'host:port', (text) => ENDPOINT.test(text));
    this.#rules = new AddressRules(allowAddresses);
    this.#off = [...off, ...denyEndpoints.map(endpointOf)];
    this.#resolve = resolve;
  }

  /**
   * Those that may be connected to: at least one. `places` are the run's own for look-ups.
   * @throws FetchDenied when there are addresses, and none of them may be reached.
   */
  async addresses(url: URL, places: Places, signal: AbortSignal): Promise<readonly string[]> {
    const found = await this.#lookup(bare(url.hostname), places, signal);
    const off = await this.#offAt(portOf(url), places, signal);
    const refusals = found.map((address) => {
      if (holds(off, address)) return `${url.host} is never open to tasks: it serves Cronkeeper itself`;
      const block = this.#rules.refusal(address);
      return block && `${url.host} is in ${block}, which the operator does not allow`;
    });
    const allowed = found.filter((_, i) => refusals[i] === undefined);
    if (allowed.length === 0) throw new FetchDenied(refusals[0] ?? `${url.host} has no address`);
    return allowed.slice(0, FETCH_LIMITS.addresses);
  }

  /** What the names of the coordinator's servers mean now; asked only for their ports. */
  async #offAt(port: number, places: Places, signal: AbortSignal): Promise<BlockList> {
    const hosts = this.#off.filter((endpoint) => endpoint.port === port).map(({ host }) => host);
    const found: string[] = [];
    for (const host of hosts) found.push(...(await this.#lookup(host, places, signal)));
    const here = found.length === 0 ? new BlockList() : thisMachine();
    return found.some((address) => holds(here, address)) ? listOf(found, here) : listOf(found);
  }

  async #lookup(host: string, places: Places, signal: AbortSignal): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const own = await places.take(signal);
    const common = await this.#lookups.take(signal).catch((error: unknown) => {
      own[Symbol.dispose]();
      throw error;
    });
    // A look-up cannot be stopped: it keeps its places until it is through, even if the fetch is over before.
    const found = this.#resolve(host).finally(() => {
      common[Symbol.dispose]();
      own[Symbol.dispose]();
    });
    return unlessAborted(found, signal);
  }
}

function assertList(field: string, list: unknown, allowed: string, isRight: (text: string) => boolean): void {
  const refuse = (value: unknown, what: string) =>
    new CronkeeperError('invalid', `fetch.${field}: received ${received(value)}; allowed: ${what}`);
  if (!Array.isArray(list) || list.length > PERMISSIONS_MAX) throw refuse(list, `a list of at most ${PERMISSIONS_MAX}`);
  for (const each of list as unknown[]) {
    if (typeof each !== 'string' || !isRight(each)) throw refuse(each, allowed);
  }
}

function endpointOf(text: string): Endpoint {
  const [, v6, name = '', port] = ENDPOINT.exec(text) ?? [];
  return { host: v6 ?? name, port: Number(port) };
}

/** Whether it is one of them, however it is written. */
export const isAmong = (addresses: readonly string[], address: string): boolean => holds(listOf(addresses), address);

/**
 * All addresses of this machine. Who listens here listens on all of them as a rule: what is off as 127.0.0.1 is off as
 * 127.0.0.2, as ::1, and as what the network calls this machine.
 */
function thisMachine(): BlockList {
  const own = Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address));
  const list = listOf(['::1', ...own]);
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  return list;
}

function listOf(addresses: readonly string[], list = new BlockList()): BlockList {
  for (const each of addresses) list.addAddress(each, familyOf(each));
  return list;
}

const holds = (list: BlockList, address: string): boolean =>
  isIP(address) !== 0 && list.check(address, familyOf(address));

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** The host of a URL as a resolver knows it: IPv6 without brackets. */
const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

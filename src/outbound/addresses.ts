/**
 * Which addresses tasks may reach: public ones, and those that the operator permits. What is not public is in IANA's
 * registries of special-purpose addresses, https://www.iana.org/assignments/iana-ipv4-special-registry and
 * https://www.iana.org/assignments/iana-ipv6-special-registry (RFC 6890); multicast is in registries of its own.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { parseCidr } from '../cidr.ts';

type Row = readonly [block: string, what: string];

const NEVER_OPEN: readonly Row[] = [
  ['0.0.0.0/8', '“this network”, which means this host'],
  ['169.254.0.0/16', 'link-local; clouds serve credentials there'],
  ['168.63.129.16/32', 'Azure’s host agent'],
  ['100.100.100.200/32', 'Alibaba Cloud’s metadata service'],
  ['192.0.0.192/32', 'Oracle Cloud’s metadata service'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['::/128', 'unspecified, which means this host'],
  ['::ffff:0:0/96', 'an IPv4 address in IPv6 clothes'],
  ['::ffff:0:0:0/96', 'an IPv4 address, translated'],
  ['2001::/32', 'Teredo'],
  ['2002::/16', '6to4'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['fd00:ec2::/32', 'AWS’s instance services; credentials are served there'],
  ['fd20:ce::254/128', 'Google Cloud’s metadata service'],
  ['ff00::/8', 'multicast'],
];

const OPEN_ON_REQUEST: readonly Row[] = [
  ['10.0.0.0/8', 'private use'],
  ['100.64.0.0/10', 'shared by carriers'],
  ['127.0.0.0/8', 'loopback'],
  ['172.16.0.0/12', 'private use'],
  ['192.0.0.0/24', 'IETF protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'multicast tunnels'],
  ['192.88.99.0/24', '6to4 relays'],
  ['192.168.0.0/16', 'private use'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'benchmarks'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['240.0.0.0/4', 'reserved'],
  ['::1/128', 'loopback'],
  ['64:ff9b::/96', 'IPv4 through NAT64'],
  ['64:ff9b:1::/48', 'IPv4 through NAT64'],
  ['100::/64', 'discarded'],
  ['100:0:0:1::/64', 'dummy addresses'],
  ['2001::/23', 'IETF protocol assignments'],
  ['2001:db8::/32', 'documentation'],
  ['2620:4f:8000::/48', 'AS112'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'private use'],
  // Global unicast is 2000::/3. The rest is not assigned, or was IPv4 in some form.
  ['::/3', 'not global unicast'],
  ['4000::/2', 'not global unicast'],
  ['8000::/1', 'not global unicast'],
];

/** Whoever permits NAT64 means the public addresses behind it: all that a network of IPv6 alone has of IPv4. */
const behindNat64 = (): Row[] =>
  [...NEVER_OPEN, ...OPEN_ON_REQUEST].flatMap(([block, what]): Row[] => {
    const [first = '', prefix] = block.split('/');
    return isIPv4(first) ? [[`64:ff9b::${first}/${96 + Number(prefix)}`, `${what}, through NAT64`]] : [];
  });

interface Range {
  readonly block: string;
  readonly what: string;
  readonly contains: (address: string) => boolean;
}

interface Closed {
  /** Not even the operator's permission opens these: no service is there, or one that hands out the host's credentials. */
  readonly never: readonly Range[];
  readonly notPublic: readonly Range[];
}

let made: Closed | undefined;

/** Made when the first address is asked about: ten milliseconds, and most processes never ask. */
function closed(): Closed {
  made ??= { never: ranges([...NEVER_OPEN, ...behindNat64()]), notPublic: ranges(OPEN_ON_REQUEST) };
  return made;
}

/** Says of each address why a task may not reach it, if so. */
export class AddressRules {
  readonly #allowed: readonly Range[];

  /** @throws CronkeeperError `invalid` for what is not a block of addresses. */
  constructor(allow: readonly string[] = []) {
    this.#allowed = ranges(allow.map((block) => [block, 'permitted']));
  }

  /** Names the block, and not the address: whoever wrote the task need not learn what a name means inside. */
  refusal(address: string): string | undefined {
    const within = ({ contains }: Range) => contains(address);
    // A zone (`fe80::1%eth0`) is of no use to a task, and lists of blocks do not understand it.
    if (isIP(address) === 0 || address.includes('%')) return 'what is no address';
    const { never: neverOpen, notPublic } = closed();
    const never = neverOpen.find(within);
    if (never === undefined && this.#allowed.some(within)) return undefined;
    const range = never ?? notPublic.find(within);
    return range && `${range.block} (${range.what})`;
  }
}

/** Each family has lists of its own: Node takes 1.2.3.4 for ::ffff:1.2.3.4, and so for a part of ::/3. */
function ranges(rows: readonly Row[]): Range[] {
  return rows.map(([block, what]) => {
    const { address: first, prefix, family } = parseCidr(block);
    const list = new BlockList();
    list.addSubnet(first, prefix, family);
    const version = family === 'ipv4' ? 4 : 6;
    return { block, what, contains: (address) => isIP(address) === version && list.check(address, family) };
  });
}

/** An address that is not public passes for one that is. */
import { describe, expect, test } from '@jest/globals';
import { AddressRules } from '../../src/outbound/addresses.ts';

/** The first and the last address of each block, and a neighbour where it is public. */
const BLOCKS: readonly (readonly [block: string, first: string, last: string, ...neighbours: string[]])[] = [
  ['0.0.0.0/8', '0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['10.0.0.0/8', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['100.64.0.0/10', '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['127.0.0.0/8', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['169.254.0.0/16', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['172.16.0.0/12', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['192.0.0.0/24', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['192.0.2.0/24', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['192.88.99.0/24', '192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['192.168.0.0/16', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['198.18.0.0/15', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['198.51.100.0/24', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['203.0.113.0/24', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['224.0.0.0/4', '224.0.0.0', '239.255.255.255', '223.255.255.255'],
  ['240.0.0.0/4', '240.0.0.0', '255.255.255.254'],
  ['255.255.255.255/32', '255.255.255.255', '255.255.255.255'],
  ['168.63.129.16/32', '168.63.129.16', '168.63.129.16', '168.63.129.15', '168.63.129.17'],
  ['::/128', '::', '::'],
  ['::1/128', '::1', '0:0:0:0:0:0:0:1'],
  ['::/3', '::2', '1fff:ffff::', '2000::'],
  ['::/3', '::7f00:1', '::127.0.0.1'],
  ['::ffff:0:0/96', '::ffff:0.0.0.0', '::ffff:8.8.8.8'],
  ['::ffff:0:0:0/96', '::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
  ['64:ff9b::/96', '64:ff9b::1.0.0.0', '64:ff9b::223.255.255.255'],
  ['64:ff9b:1::/48', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
  ['100::/64', '100::', '100::ffff:ffff:ffff:ffff'],
  ['2001::/32', '2001::', '2001:0:ffff::'],
  ['2001::/23', '2001:1::', '2001:1ff:ffff::', '2001:200::'],
  ['2001:db8::/32', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db7::', '2001:db9::'],
  ['2002::/16', '2002::', '2002:ffff::', '2003::'],
  ['3fff::/20', '3fff::', '3fff:fff:ffff::', '3ffe::', '3fff:1000::'],
  ['4000::/2', '4000::', '7fff::', '3fff:ffff::'],
  ['5f00::/16', '5f00::', '5f00:ffff::'],
  ['8000::/1', '8000::', 'fbff::'],
  ['fc00::/7', 'fc00::', 'fdff::'],
  ['fd00:ec2::/32', 'fd00:ec2::254', 'fd00:ec2::23'],
  ['fe80::/10', 'fe80::', 'febf::'],
  ['fec0::/10', 'fec0::', 'feff::'],
  ['ff00::/8', 'ff00::', 'ffff::'],
];

const standard = new AddressRules();

describe('without permissions', () => {
  test.each(BLOCKS)('%s is refused from its first address to its last, and no further', (block, ...addresses) => {
    const [first, last, ...neighbours] = addresses;
    for (const address of [first, last]) expect(standard.refusal(address as string)).toContain(`${block} (`);
    for (const address of neighbours) expect([address, standard.refusal(address)]).toEqual([address, undefined]);
  });

  test.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '2a00:1450:4001:81b::200e'])(
    '%s is public',
    (address) => expect(standard.refusal(address)).toBeUndefined(),
  );

  test.each(['', 'localhost', '127.1', '0x7f.0.0.1', '::1%lo', 'fe80::1%eth0', '2606:4700::1%1', '8.8.8.8 ', '[::1]'])(
    '%j is no address, so it is refused',
    (text) => expect(standard.refusal(text)).toBeDefined(),
  );
});

describe('a permission', () => {
  test('opens its block, and not a bit more', () => {
    const rules = new AddressRules(['10.1.2.0/30', '::1/128']);
    for (const address of ['10.1.2.0', '10.1.2.3', '::1', '8.8.8.8']) expect(rules.refusal(address)).toBeUndefined();
    for (const address of ['10.1.1.255', '10.1.2.4', '127.0.0.1', '::2']) expect(rules.refusal(address)).toBeDefined();
  });

  test('for IPv4 says nothing of IPv6 that means the same, and the other way round', () => {
    const four = new AddressRules(['0.0.0.0/0']);
    const six = new AddressRules(['::/0']);
    expect(four.refusal('127.0.0.1')).toBeUndefined();
    expect(six.refusal('::1')).toBeUndefined();
    for (const address of ['::1', '::127.0.0.1', '::ffff:127.0.0.1']) expect(four.refusal(address)).toBeDefined();
    for (const address of ['127.0.0.1', '10.0.0.1', '::ffff:127.0.0.1']) expect(six.refusal(address)).toBeDefined();
  });

  test('for NAT64 opens what is public behind it, and nothing that is not', () => {
    const rules = new AddressRules(['64:ff9b::/96', '10.0.0.0/8']);
    expect(rules.refusal('64:ff9b::8.8.8.8')).toBeUndefined();
    expect(rules.refusal('64:ff9b::a9fe:a9fe')).toBe(
      '64:ff9b::169.254.0.0/112 (link-local; clouds serve credentials there, through NAT64)',
    );
    for (const inside of ['127.0.0.1', '10.0.0.1', '100.100.100.200', '192.168.0.0', '192.168.255.255']) {
      expect([inside, rules.refusal(`64:ff9b::${inside}`)]).toEqual([inside, expect.stringContaining('through NAT64')]);
    }
  });

  test.each([
    ...['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'],
    ...['fd20:ce::254', 'fe80::a9fe:a9fe', '0.0.0.0', '::', '255.255.255.255', '224.0.0.1', 'ff02::1', '2002:7f00:1::'],
  ])('does not open %s: a cloud’s credentials, or nothing that serves', (address) => {
    expect(new AddressRules(['0.0.0.0/0', '::/0']).refusal(address)).toBeDefined();
  });
});

/** An operator opens more, or something else, than was meant. */
import { expect, test } from '@jest/globals';
import { isCidr, parseCidr } from '../../src/cidr.ts';
import { errorOf } from '../support/error-of.ts';

test.each([
  ['10.0.0.0/8', { address: '10.0.0.0', prefix: 8, family: 'ipv4' }],
  ['127.0.0.1/32', { address: '127.0.0.1', prefix: 32, family: 'ipv4' }],
  ['0.0.0.0/0', { address: '0.0.0.0', prefix: 0, family: 'ipv4' }],
  ['::1/128', { address: '::1', prefix: 128, family: 'ipv6' }],
  ['FD00::/8', { address: 'FD00::', prefix: 8, family: 'ipv6' }],
  ['::ffff:10.0.0.0/104', { address: '::ffff:10.0.0.0', prefix: 104, family: 'ipv6' }],
] as const)('%s', (text, block) => expect(parseCidr(text)).toEqual(block));

test.each([
  ...[
    '',
    '/',
    '10.0.0.0',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
    '10.0.0.0/8/8',
  ],
  ...[
    '10.0.0/8',
    '10/8',
    '0x0a.0.0.0/8',
    '010.0.0.0/8',
    '256.0.0.0/8',
    '*',
    '10.0.0.*',
    '10.0.0.0-10.0.0.9',
    'localhost/32',
  ],
  ...['::1', '::1/129', '[::1]/128', 'fe80::1%eth0/64', 'gggg::/16', '1:2:3/48', '::1/0128'],
])('%j is refused, with what is allowed', (text) => {
  expect(isCidr(text)).toBe(false);
  const error = errorOf(() => parseCidr(text));
  expect(error.code).toBe('invalid');
  expect(error.message).toBe(
    `received ${JSON.stringify(text)}; allowed: ${'a block of addresses, such as 10.1.0.0/16, 127.0.0.1/32 or ::1/128'}`,
  );
});

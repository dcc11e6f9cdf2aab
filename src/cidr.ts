/** Blocks of addresses, as operators write them. Pure. */
import { isIPv4, isIPv6 } from 'node:net';
import { CronkeeperError, received } from './errors.ts';

export interface AddressBlock {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

export const CIDR_ALLOWED = 'a block of addresses, such as 10.1.0.0/16, 127.0.0.1/32 or ::1/128';

/** @throws CronkeeperError `invalid` */
export function parseCidr(text: string): AddressBlock {
  const block = readCidr(text);
  if (block !== undefined) return block;
  throw new CronkeeperError('invalid', `received ${received(text)}; allowed: ${CIDR_ALLOWED}`);
}

export const isCidr = (text: string): boolean => readCidr(text) !== undefined;

function readCidr(text: string): AddressBlock | undefined {
  const [, address = '', digits = ''] = /^([\d.]+|[\da-f:.]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const prefix = Number(digits);
  if (isIPv4(address) && prefix <= 32) return { address, prefix, family: 'ipv4' };
  return isIPv6(address) && prefix <= 128 ? { address, prefix, family: 'ipv6' } : undefined;
}

/** Bodies that come compressed. The bound holds for what comes out, so that a bomb is cut and not unpacked. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { received } from '../errors.ts';
import type { Reply } from './exchange.ts';
import { FetchFailed } from './failure.ts';
import { headerOf } from './headers.ts';
import { FETCH_LIMITS } from './limits.ts';

type Unpack = (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

const zlib = promisify(inflate);
const raw = promisify(inflateRaw);

/** `deflate` is a zlib stream (RFC 9110), but some servers leave its header out; its first byte tells. */
const unpackDeflate: Unpack = (body, options) => ((body[0] ?? 0) % 16 === 8 ? zlib : raw)(body, options);

const UNPACK: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', unpackDeflate],
  ['br', promisify(brotliDecompress)],
]);

/** @throws what says that it cannot be read. */
export async function decoded({ headers, body }: Reply): Promise<Uint8Array> {
  const coding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (body.byteLength === 0 || coding === 'identity' || coding === '') return body;
  const unpack = UNPACK.get(coding);
  if (unpack === undefined)
    throw new FetchFailed(`its content-encoding ${received(coding)} is none of gzip, deflate, br`);
  return unpack(body, { maxOutputLength: FETCH_LIMITS.responseBodyBytes });
}

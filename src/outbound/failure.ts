/** What a task is told when its request failed: which host, and what went wrong; no address, no path, no stack. */
import { FetchDenied } from '../outbound.ts';
import { FETCH_LIMITS } from './limits.ts';

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'its name cannot be looked up now'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection closed by the other side'],
  ['UND_ERR_SOCKET', 'connection closed by the other side'],
  ['EPIPE', 'connection closed by the other side'],
  ['ETIMEDOUT', 'no connection in time'],
  ['EHOSTUNREACH', 'no way to this host'],
  ['ENETUNREACH', 'no way to this network'],
  ['UND_ERR_HEADERS_OVERFLOW', `more than ${FETCH_LIMITS.responseHeaderBytes} bytes of response headers`],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', `a response of more than ${FETCH_LIMITS.responseBodyBytes} bytes`],
  ['ERR_BUFFER_TOO_LARGE', `a response of more than ${FETCH_LIMITS.responseBodyBytes} bytes, decompressed`],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
]);

const FAMILIES: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/CERT|ISSUER|SIGNATURE/, 'its certificate is not trusted'],
  [/^(?:ERR_SSL|ERR_TLS|EPROTO)/, 'no TLS with it'],
  [/^HPE_|^HTTPParserError$|^UND_ERR_(?:RESPONSE|REQ|RES_)/, 'its response is not HTTP'],
  [/^(?:Z_|ERR__|ERR_BROTLI)/, 'its response cannot be decompressed'],
];

/** A failure that says itself what went wrong. */
export class FetchFailed extends Error {
  override readonly name = 'FetchFailed';
}

/** Our own messages are kept; of all other errors, only the code is shown. */
export function failure(host: string, error: unknown): Error {
  if (error instanceof FetchDenied) return error;
  if (error instanceof FetchFailed) return new FetchFailed(`${host}: ${error.message}`);
  const code = codeOf(error);
  const meaning = MEANINGS.get(code) ?? FAMILIES.find(([pattern]) => pattern.test(code))?.[1] ?? 'the request failed';
  return new FetchFailed(`${host}: ${meaning} (${code})`);
}

/** Its code; errors of undici's parser may have none, so then its name. */
function codeOf(error: unknown): string {
  const { code, name }: { code?: unknown; name?: unknown } = Object(error);
  return typeof code === 'string' ? code : String(name ?? 'unknown');
}

/** The headers of a request: what the task may say, and what is said of it. */
import { received } from '../errors.ts';
import type { Grant, HeaderList } from '../outbound.ts';
import { FetchFailed } from './failure.ts';
import { FETCH_LIMITS } from './limits.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** No CR, no LF, no NUL: they would make another header of it, or another request. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What belongs to the connection, and what would say that somebody else is asking. Nothing keeps cookies. */
const REFUSED =
  /^(?:host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect|keep-alive|cookie2?|http2-settings|(?:proxy|cronkeeper)-.*)$/;

/** What may follow a redirect to another origin. The rest may be a credential, under whatever name. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['accept', 'accept-encoding', 'accept-language', 'user-agent', 'content-type', 'content-language'],
  ...['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
  ...['idempotency-key', 'cronkeeper-fence'],
]);

/**
 * The task's headers, with those that are missing.
 * @throws FetchFailed that says which header is wrong.
 */
export function requestHeaders(given: HeaderList, { idempotencyKey, fence }: Grant, userAgent: string): HeaderList {
  const headers = given.map(([name, value]) => checked(name.toLowerCase(), trimmed(value)));
  if (headers.length > FETCH_LIMITS.requestHeaders) {
    throw new FetchFailed(`${headers.length} request headers; ${FETCH_LIMITS.requestHeaders} are allowed`);
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > FETCH_LIMITS.requestHeaderBytes) {
    throw new FetchFailed(`${bytes} bytes of request headers; ${FETCH_LIMITS.requestHeaderBytes} are allowed`);
  }
  const standard: HeaderList = [
    ['accept', '*/*'],
    ['accept-encoding', 'gzip, deflate, br'],
    ['user-agent', userAgent],
    ['idempotency-key', visible(idempotencyKey)],
  ];
  const names = new Set(headers.map(([name]) => name));
  return [...headers, ...standard.filter(([name]) => !names.has(name)), ['cronkeeper-fence', `${fence}`]];
}

export const crossOrigin = (headers: HeaderList): HeaderList => headers.filter(([name]) => HARMLESS.has(name));

/** For a request that has lost its body. */
export const withoutContent = (headers: HeaderList): HeaderList =>
  headers.filter(([name]) => !name.startsWith('content-'));

/** What the task gets to see. */
export const responseHeaders = (headers: HeaderList): HeaderList =>
  headers.filter(([name]) => name !== 'set-cookie' && name !== 'set-cookie2');

/** All values of a header, as one. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  const values = headers.filter(([each]) => each === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

function checked(name: string, value: string): readonly [string, string] {
  if (!TOKEN.test(name)) throw new FetchFailed(`${received(name)} is no name of a header`);
  if (REFUSED.test(name)) throw new FetchFailed(`the header ${name} is not the task's to set`);
  if (!VALUE.test(value)) throw new FetchFailed(`the header ${name} has a value with characters that are not allowed`);
  return [name, value];
}

const trimmed = (value: string): string => value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');

/** Launch ids are visible ASCII; where somebody else's key is not, it is made so. */
const visible = (key: string): string => key.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);

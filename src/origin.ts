/** What a task may fetch from, as its manifest says it: scheme, host and port, exactly. Pure. */
import { received } from './errors.ts';

export const ORIGIN_ALLOWED = 'an origin of http or https without path, such as "https://api.example.com"';

/** A host name has at most 253 characters. */
const ORIGIN_CHARS_MAX = 300;

/**
 * The normal form, as URLs have it: `HTTPS://Bücher.example:443/` is `https://xn--bcher-kva.example`, and
 * `http://0x7f.1` is `http://127.0.0.1`. There are no patterns: `https://*.example.com` would be every host that
 * anybody can make in that zone.
 * @throws Error that says what was received and what is allowed.
 */
export function parseOrigin(text: string): string {
  const refuse = (allowed: string) => new Error(`received ${received(text)}; allowed: ${allowed}`);
  if (text.length > ORIGIN_CHARS_MAX || !URL.canParse(text)) throw refuse(ORIGIN_ALLOWED);
  if (text.includes('*')) throw refuse(`${ORIGIN_ALLOWED}; there are no wildcards, so name each host`);
  const url = new URL(text);
  const isOrigin = (url.protocol === 'http:' || url.protocol === 'https:') && url.href === `${url.origin}/`;
  if (!isOrigin) throw refuse(ORIGIN_ALLOWED);
  return url.origin;
}

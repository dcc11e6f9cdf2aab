/** Where a redirect leads, and what is sent there: as the Fetch standard has it, and stricter with headers. Pure. */
import type { Head, Hop } from './exchange.ts';
import { FetchFailed } from './failure.ts';
import { crossOrigin, headerOf, withoutContent } from './headers.ts';

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export const isRedirect = ({ status, headers }: Head): boolean =>
  STATUSES.has(status) && headerOf(headers, 'location') !== undefined;

/** @throws FetchFailed when it leads nowhere. Whether it may be followed is for others to say. */
export function redirected(hop: Hop, { status, headers }: Head): Hop {
  const location = headerOf(headers, 'location') ?? '';
  if (!URL.canParse(location, hop.url.href)) throw new FetchFailed(`${hop.url.host} redirects to what is no URL`);
  const url = new URL(location, hop.url);
  const sent = url.origin === hop.url.origin ? hop.headers : crossOrigin(hop.headers);
  const becomesGet = status === 303 ? !['GET', 'HEAD'].includes(hop.method) : status <= 302 && hop.method === 'POST';
  if (becomesGet) return { url, method: 'GET', headers: withoutContent(sent) };
  return { ...hop, url, headers: sent };
}

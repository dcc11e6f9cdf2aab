/** Who may do what: two bearer tokens, or, on the machine itself, anyone. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { CronkeeperError } from '../errors.ts';
import { HttpProblem } from './problem.ts';

/** `open`: no credentials asked for. */
export type Access = 'open' | 'read' | 'write';

export interface AccessOptions {
  readonly apiToken?: string | undefined;
  readonly readToken?: string | undefined;
  /** Counts only while there is no token. */
  readonly allowAnonymous?: boolean;
}

/** Throws when a request may not do what it asks for. */
export type Guard = (access: Access, request: Request) => void;

/** @throws CronkeeperError `invalid` when nobody could use the API, or anybody. */
export function createGuard({ apiToken, readToken, allowAnonymous = false }: AccessOptions): Guard {
  if (apiToken !== undefined || readToken !== undefined) return tokenGuard(apiToken, readToken);
  if (allowAnonymous) return loopbackGuard;
  const message = 'an API without a token would let anybody run code; set CRONKEEPER_API_TOKEN';
  throw new CronkeeperError('invalid', message, { problems: [{ field: 'apiToken', message }] });
}

function tokenGuard(apiToken: string | undefined, readToken: string | undefined): Guard {
  const isApiToken = tokenTest(apiToken);
  const isReadToken = tokenTest(readToken);
  return (access, request) => {
    if (access === 'open') return;
    const token = bearerToken(request.headers.get('authorization'));
    if (token === undefined) throw unauthenticated('Bearer realm="cronkeeper"', 'a bearer token is needed');
    // Both are compared, always: the time it takes tells nothing.
    const [mayWrite, mayRead] = [isApiToken(token), isReadToken(token)];
    if (mayWrite || (mayRead && access === 'read')) return;
    if (mayRead) throw new HttpProblem(403, 'forbidden', 'this token may read, not change');
    throw unauthenticated('Bearer realm="cronkeeper", error="invalid_token"', 'this token is not known');
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares digests: they are of one length, and `timingSafeEqual` stops at no difference. */
function tokenTest(expected: string | undefined): (token: string) => boolean {
  if (expected === undefined) return () => false;
  const wanted = digest(expected);
  return (token) => timingSafeEqual(digest(token), wanted);
}

const bearerToken = (header: string | null): string | undefined => /^Bearer +([\x21-\x7e]+)$/i.exec(header ?? '')?.[1];

const unauthenticated = (challenge: string, detail: string): HttpProblem =>
  new HttpProblem(401, 'unauthenticated', detail, { headers: { 'www-authenticate': challenge } });

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export const isLoopbackHost = (hostname: string): boolean => LOOPBACK_HOST.test(hostname);

/**
 * Without tokens the browser of whoever works on this machine is the danger: any page it shows can send requests here.
 * A page elsewhere gives itself away by its Origin; one that made its own name point here, by the Host it asks for.
 */
const loopbackGuard: Guard = (access, request) => {
  if (access === 'open') return;
  const { host, hostname } = new URL(request.url);
  if (!isLoopbackHost(hostname)) {
    throw new HttpProblem(403, 'forbidden', 'without an API token, only localhost, 127.0.0.1 and [::1] are answered');
  }
  const origin = request.headers.get('origin');
  if (origin === null || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new HttpProblem(403, 'forbidden', 'without an API token, pages of other origins are not answered');
};

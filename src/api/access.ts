/** Who may do what: two bearer tokens, whoever an authorizer in front has let through, or, on the machine itself, anyone. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { CronkeeperError } from '../errors.ts';
import { HttpProblem } from './problem.ts';

/** `open`: no credentials asked for. */
export type Access = 'open' | 'read' | 'write';

/** Who is in front and authenticates: nobody (`token`), IAM, or an authorizer for JSON web tokens. */
export const AUTH_MODES = ['token', 'iam', 'jwt'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** Who sends a request, as the authorizer in front says. */
export interface Caller {
  /** For the audit trail. */
  readonly principal: string;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

export interface AccessOptions {
  readonly apiToken?: string | undefined;
  readonly readToken?: string | undefined;
  /** Counts only while there is no token. */
  readonly allowAnonymous?: boolean;
  /** Default `token`. With another one, a request needs what the authorizer says, or one of the tokens. */
  readonly auth?: AuthMode | undefined;
}

/** In whose name a request is made. Throws when it may not do what it asks for. */
export type Guard = (access: Access, request: Request, caller: Caller | undefined) => string;

const ANONYMOUS = 'anonymous';

/** @throws CronkeeperError `invalid` when nobody could use the API, or anybody. */
export function createGuard({ apiToken, readToken, allowAnonymous = false, auth = 'token' }: AccessOptions): Guard {
  assertTokens(apiToken, readToken);
  if (apiToken !== undefined || readToken !== undefined || auth !== 'token') return tokenGuard(apiToken, readToken);
  if (allowAnonymous) return loopbackGuard;
  const message = 'an API without a token would let anybody run code; set CRONKEEPER_API_TOKEN';
  throw new CronkeeperError('invalid', message, { problems: [{ field: 'apiToken', message }] });
}

/** What no client can send is no token, and two roles need two of them. None of them is shown. */
function assertTokens(apiToken: string | undefined, readToken: string | undefined): void {
  const refuse = (field: string, message: string) => {
    throw new CronkeeperError('invalid', `${field}: ${message}`, { problems: [{ field, message }] });
  };
  for (const [field, token] of Object.entries({ apiToken, readToken })) {
    if (token === undefined || TOKEN_PATTERN.test(token)) continue;
    refuse(field, `received ${token.length} characters; allowed: 1 to 1,024 visible ASCII characters`);
  }
  if (apiToken !== undefined && apiToken === readToken) {
    refuse('readToken', 'received the API token; allowed: another one, since whoever has it may only read');
  }
}

const TOKEN_PATTERN = /^[\x21-\x7e]{1,1024}$/;

function tokenGuard(apiToken: string | undefined, readToken: string | undefined): Guard {
  const isApiToken = tokenTest(apiToken);
  const isReadToken = tokenTest(readToken);
  return (access, request, caller) => {
    if (access === 'open') return ANONYMOUS;
    if (caller !== undefined) return allowed(access, caller, `the scope cronkeeper:${access} is needed`);
    const token = bearerToken(request.headers.get('authorization'));
    if (token === undefined) throw unauthenticated('Bearer realm="cronkeeper"', 'a bearer token is needed');
    // Both are compared, always: the time it takes tells nothing.
    const [mayWrite, isReader] = [isApiToken(token), isReadToken(token)];
    if (!mayWrite && !isReader) {
      throw unauthenticated('Bearer realm="cronkeeper", error="invalid_token"', 'this token is not known');
    }
    const principal = `token:${mayWrite ? 'write' : 'read'}:${digest(token).toString('hex', 0, FINGERPRINT_BYTES)}`;
    return allowed(access, { principal, mayRead: true, mayWrite }, 'this token may read, not change');
  };
}

function allowed(access: Access, { principal, mayRead, mayWrite }: Caller, otherwise: string): string {
  if (mayWrite || (mayRead && access === 'read')) return principal;
  throw new HttpProblem(403, 'forbidden', otherwise);
}

/** Tells one token from its successor, and far too little to guess either. */
const FINGERPRINT_BYTES = 3;

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
  if (access === 'open') return ANONYMOUS;
  const { host, hostname } = new URL(request.url);
  if (!isLoopbackHost(hostname)) {
    throw new HttpProblem(403, 'forbidden', 'without an API token, only localhost, 127.0.0.1 and [::1] are answered');
  }
  const origin = request.headers.get('origin');
  if (origin === null || (URL.canParse(origin) && new URL(origin).host === host)) return ANONYMOUS;
  throw new HttpProblem(403, 'forbidden', 'without an API token, pages of other origins are not answered');
};

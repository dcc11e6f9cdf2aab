/**
 * Who sends a request, by what the authorizer in front of the function found out: API Gateway or a function URL put it
 * into the event's `requestContext`, where no header of the client reaches. Pure.
 *
 * Shapes: "Working with Lambda proxy integrations for HTTP APIs" (payload 2.0: `authorizer.iam`, `authorizer.jwt`),
 * "Input format of a Lambda function for proxy integration" (REST API: `identity.userArn`, `authorizer.claims`),
 * "Lambda function URLs, request payload format" (`authorizer.iam`).
 */
import type { AuthMode, Caller } from '../api/access.ts';
import { principalOf } from '../audit.ts';
import { isObject } from '../trigger.ts';

/** Scopes of a token that give the two roles. */
export const READ_SCOPE = 'cronkeeper:read';
export const WRITE_SCOPE = 'cronkeeper:write';

/** @param mode what is in front, as the operator says: nothing else is looked at. Undefined: nobody has said who it is. */
export function callerOf(event: unknown, mode: AuthMode): Caller | undefined {
  const context = isObject(event) && isObject(event.requestContext) ? event.requestContext : {};
  if (mode === 'iam') return iamCaller(context);
  return mode === 'jwt' ? jwtCaller(context) : undefined;
}

type Context = Readonly<Record<string, unknown>>;

/** IAM decides who may invoke a route, so whoever got through may do what it offers. */
function iamCaller({ authorizer, identity }: Context): Caller | undefined {
  const iam = isObject(authorizer) && isObject(authorizer.iam) ? authorizer.iam : {};
  const name = text(iam.userArn) ?? text(iam.userId) ?? (isObject(identity) ? text(identity.userArn) : undefined);
  return name === undefined ? undefined : { principal: principalOf('iam', name), mayRead: true, mayWrite: true };
}

function jwtCaller({ authorizer }: Context): Caller | undefined {
  if (!isObject(authorizer)) return undefined;
  const { jwt, claims: restClaims } = authorizer;
  const claims = isObject(jwt) ? jwt.claims : restClaims;
  if (!isObject(claims)) return undefined;
  // A token of a machine names its client, where one of a person names the person.
  const name = text(claims.sub) ?? text(claims.client_id);
  if (name === undefined) return undefined;
  const scopes = new Set([claims.scope, claims.scp].flatMap(scopesIn));
  const mayWrite = scopes.has(WRITE_SCOPE);
  return { principal: principalOf('jwt', name), mayRead: mayWrite || scopes.has(READ_SCOPE), mayWrite };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A text with blanks, as OAuth has it; a list; or a list as API Gateway writes one into a text: `[a b]`. */
function scopesIn(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((each) => typeof each === 'string');
  return typeof claim === 'string' ? claim.split(/[\s,[\]]+/) : [];
}

/** Whom an event of each kind names: what the authorizer in front has found out, and nothing that a client can write. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { callerOf } from '../../src/trigger/caller.ts';

const event = (requestContext: object, rest: object = {}) => ({ ...rest, requestContext });
const arn = 'arn:aws:sts::123456789012:assumed-role/deployer/ada';
const full = { mayRead: true, mayWrite: true };

describe('behind IAM', () => {
  test.each([
    ['an HTTP API, or a function URL', { authorizer: { iam: { userArn: arn, userId: 'AROA:ada' } } }, `iam:${arn}`],
    ['one that names no ARN', { authorizer: { iam: { userId: 'AROA:ada' } } }, 'iam:AROA:ada'],
    ['a REST API', { identity: { userArn: arn, sourceIp: '192.0.2.1' } }, `iam:${arn}`],
  ])('%s: whoever IAM has let through may do everything', (_, context, principal) => {
    expect(callerOf(event(context), 'iam')).toEqual({ principal, ...full });
  });

  test.each([
    ['a route without authorizer', event({ http: { method: 'GET' } })],
    ['a REST API without one', event({ identity: { userArn: null, sourceIp: '192.0.2.1' } })],
    ['a load balancer', event({ elb: { targetGroupArn: 'arn:…' } })],
    ['an empty name', event({ authorizer: { iam: { userArn: '' } } })],
    ['a name that is no text', event({ authorizer: { iam: { userArn: [arn] } } })],
    ['a web token, which is another mode', event({ authorizer: { jwt: { claims: { sub: 'ada' } } } })],
    ['headers of a client', event({}, { headers: { 'x-forwarded-user': 'ada', 'x-amzn-iam': arn } })],
    [
      'a body of a client',
      event({}, { body: JSON.stringify({ requestContext: { authorizer: { iam: { userArn: arn } } } }) }),
    ],
    ['no event at all', undefined],
  ])('%s names nobody', (_, given) => {
    expect(callerOf(given, 'iam')).toBeUndefined();
  });
});

describe('behind an authorizer for JSON web tokens', () => {
  const roles = (claims: object) =>
    callerOf(event({ authorizer: { jwt: { claims: { sub: 'ada', ...claims } } } }), 'jwt');

  test.each([
    ['none of our scopes', { scope: 'openid cronkeeper:reader xcronkeeper:write' }, false, false],
    ['no scope', {}, false, false],
    ['read', { scope: 'openid cronkeeper:read' }, true, false],
    ['write, which includes it', { scope: 'cronkeeper:write' }, true, true],
    ['a list', { scope: ['cronkeeper:read'] }, true, false],
    ['a list, as API Gateway writes one', { scp: '[cronkeeper:read cronkeeper:write]' }, true, true],
    ['something else than text', { scope: { 'cronkeeper:write': true } }, false, false],
  ])('%s', (_, claims, mayRead, mayWrite) => {
    expect(roles(claims)).toEqual({ principal: 'jwt:ada', mayRead, mayWrite });
  });

  test('a machine is named by its client, a REST API has its claims elsewhere', () => {
    const claims = { client_id: 'robot', scope: 'cronkeeper:read' };
    expect(callerOf(event({ authorizer: { claims } }), 'jwt')).toMatchObject({ principal: 'jwt:robot', mayRead: true });
    expect(callerOf(event({ authorizer: { claims: { scope: 'cronkeeper:write' } } }), 'jwt')).toBeUndefined();
    expect(callerOf(event({ authorizer: { iam: { userArn: arn } } }), 'jwt')).toBeUndefined();
    expect(callerOf(event({ authorizer: { claims: 'sub' } }), 'jwt')).toBeUndefined();
  });

  test.each([
    ['a\nb\u001b[31m"} c', 'jwt:a%0Ab%1B%5B31m%22%7D%20c'],
    ['Zoë\ud800', 'jwt:Zo%C3%AB%EF%BF%BD'],
    ['x'.repeat(1_000), `jwt:${'x'.repeat(252)}`],
  ])('a name such as %j cannot break a line of the trail', (sub, principal) => {
    expect(callerOf(event({ authorizer: { jwt: { claims: { sub } } } }), 'jwt')?.principal).toBe(principal);
  });
});

test('without an authorizer in front, nothing in an event names anybody', () => {
  const text = readFileSync(new URL('../events/function-url.json', import.meta.url), 'utf8');
  expect(callerOf(JSON.parse(text), 'token')).toBeUndefined();
  expect(callerOf(event({ authorizer: { iam: { userArn: arn } } }), 'token')).toBeUndefined();
});

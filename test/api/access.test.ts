/** What is behind the table of authorization.test.ts: no request gets in by another way, and none tells a secret. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as schemas from '../../src/api/schemas.ts';
import { createApi } from '../../src/api.ts';
import {
  API_TOKEN,
  type Api,
  type Ask,
  askApp,
  keeperWith,
  openApi,
  READ_TOKEN,
  SAFE_HEADERS,
  undocumented,
} from '../support/api.ts';
import { errorOf } from '../support/error-of.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi({ apiToken: API_TOKEN, readToken: READ_TOKEN });
});
afterAll(() => api.close());

const askWith = (authorization: string | undefined, method: string, path: string, ask: Ask = {}) =>
  api.ask(method, path.replace('{id}', 'locked'), {
    ...ask,
    headers: authorization === undefined ? {} : { authorization },
  });

test('a refused request changes nothing and is not read', async () => {
  const body = '{"not even": json';
  expect((await askWith(undefined, 'PUT', '/v1/tasks/never', { body })).status).toBe(401);
  expect((await askWith(`Bearer ${READ_TOKEN}`, 'PUT', '/v1/tasks/never', { body })).status).toBe(403);
  expect(await api.keeper.tasks.get('never')).toBeUndefined();
});

test('with a read token alone, nobody writes', async () => {
  const app = createApi({ keeper: api.keeper, readToken: READ_TOKEN, allowAnonymous: true });
  const headers = { authorization: `Bearer ${READ_TOKEN}` };
  expect((await askApp(app, 'GET', '/v1/tasks', { headers })).status).toBe(200);
  expect((await askApp(app, 'POST', '/v1/tasks/locked/run', { headers })).status).toBe(403);
  expect((await askApp(app, 'GET', '/v1/tasks')).status).toBe(401);
});

test('there is no API without a token, unless one says so or somebody else authenticates', async () => {
  expect(() => createApi({ keeper: api.keeper })).toThrow('CRONKEEPER_API_TOKEN');
  const app = createApi({ keeper: api.keeper, auth: 'iam' });
  // Whom nobody has authenticated is nobody, whatever a header says of it.
  const headers = { 'x-forwarded-user': 'ada', 'x-amzn-oidc-identity': 'ada', authorization: 'Bearer x' };
  expect((await askApp(app, 'GET', '/v1/tasks', { headers })).status).toBe(401);
});

test.each([
  ['an empty token', { apiToken: '' }, 'apiToken'],
  ['an empty token for reading', { apiToken: API_TOKEN, readToken: '' }, 'readToken'],
  ['a token with a line feed', { apiToken: `${API_TOKEN}\n` }, 'apiToken'],
  ['one token for both roles', { apiToken: API_TOKEN, readToken: API_TOKEN }, 'readToken'],
])('%s is refused at once, and not shown', (_, tokens, field) => {
  const error = errorOf(() => createApi({ keeper: api.keeper, ...tokens }));
  expect([error.code, error.problems[0]?.field]).toEqual(['invalid', field]);
  expect(error.message).not.toContain(API_TOKEN);
});

test('no answer and no line of the log has a token in it, whatever goes wrong', async () => {
  const said: string[] = [];
  const list = () => Promise.reject(new Error('the coordinator is gone'));
  const app = createApi({
    keeper: keeperWith(api.keeper, { tasks: { list } }),
    ...{ apiToken: API_TOKEN, readToken: READ_TOKEN },
    log: (...entry) => said.push(JSON.stringify(entry)),
  });
  const tries: readonly (readonly [string, string, object?])[] = [
    ['GET', '/v1/tasks'],
    ['GET', '/v1/status'],
    ['PUT', '/v1/tasks/locked', { body: { schedule: API_TOKEN } }],
    ['POST', '/v1/tasks/none/run', { body: '{' }],
    ['GET', '/nowhere'],
    ['PATCH', '/v1/tasks'],
    ['GET', '/v1/audit'],
  ];
  for (const token of [API_TOKEN, READ_TOKEN, `${API_TOKEN}x`]) {
    for (const [method, path, ask] of tries) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await askApp(app, method, path, { ...ask, headers });
      // What a caller writes into a document is the caller's to see again.
      if (method !== 'PUT') said.push(answer.text);
      said.push(JSON.stringify([...answer.headers]));
    }
  }
  expect(said.join('\n')).toContain('the coordinator is gone');
  for (const token of [API_TOKEN, READ_TOKEN]) expect(said.join('\n')).not.toContain(token);
});

test('a change is noted under the token that made it, by its mark', async () => {
  const write = { headers: { authorization: `Bearer ${API_TOKEN}` }, body: { schedule: { every: '1h' }, code: '1' } };
  await api.ask('PUT', '/v1/tasks/noted', write);
  const { body, text } = await api.ask('GET', '/v1/audit?taskId=noted', {
    headers: { authorization: `Bearer ${READ_TOKEN}` },
  });
  expect(body.items).toMatchObject([
    { taskId: 'noted', action: 'put', principal: expect.stringMatching(/^token:write:[0-9a-f]{6}$/) },
  ]);
  expect(undocumented(body.items[0], schemas.auditPage.shape.items.element)).toEqual([]);
  expect(text).not.toContain(API_TOKEN);
  expect((await api.ask('GET', '/v1/audit?from=today', { headers: write.headers })).status).toBe(422);
});

describe('without tokens, a page in the browser of whoever works here', () => {
  const ask = (url: string, headers = {}) =>
    askApp(createApi({ keeper: api.keeper, allowAnonymous: true }), 'POST', url, { headers });
  const run = 'http://127.0.0.1:8080/v1/tasks/locked/run';

  beforeAll(() => api.keeper.tasks.put({ id: 'locked', schedule: { every: '1h' }, code: '1' }));

  test.each(['http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080'])(
    'may be our own, at %s',
    async (origin) => {
      expect((await ask(`${origin}/v1/tasks/locked/run`, { origin })).status).toBe(202);
    },
  );

  test.each(['https://evil.example', 'http://127.0.0.1:3000', 'null', 'http://localhost.evil.example:8080'])(
    'cannot start a task from %s',
    async (origin) => {
      const { status, body } = await ask(run, { origin });
      expect([status, body.code]).toEqual([403, 'forbidden']);
    },
  );

  test.each([
    'http://rebound.example:8080',
    'http://localhost.evil.example',
    'http://10.0.0.1',
    'http://127.0.0.1.evil.example',
  ])('cannot make its own name, as in %s, point here', async (url) => {
    expect((await ask(`${url}/v1/tasks/locked/run`, { origin: url })).status).toBe(403);
  });
});

describe('every answer', () => {
  test.each([
    ['GET', '/', 200],
    ['GET', '/healthz', 200],
    ['GET', '/v1/tasks', 401],
    ['GET', '/nowhere', 404],
    ['PATCH', '/v1/tasks', 405],
    ['OPTIONS', '/v1/tasks', 405],
    ['PUT', '/v1/tasks/large', 413],
  ])(
    '%s %s (%i) is not stored, not guessed at, loads nothing, and is for no page elsewhere',
    async (method, path, status) => {
      const large = { body: 'x'.repeat(256 * 1024 + 1), headers: { authorization: `Bearer ${API_TOKEN}` } };
      const answer = await api.ask(
        method,
        path,
        status === 413 ? large : { headers: { origin: 'https://evil.example' } },
      );
      expect(answer.status).toBe(status);
      expect(Object.fromEntries(answer.headers)).toMatchObject(SAFE_HEADERS);
      const policy = answer.headers.get('content-security-policy');
      expect(policy).toMatch(path === '/' ? /^default-src 'none'; / : /^default-src 'none'; frame-ancestors 'none'$/);
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    },
  );
});

/** Who may do what: nobody gets in without a token, a reader changes nothing, and a web page cannot borrow a developer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApi } from '../../src/api.ts';
import { API_TOKEN, type Api, type Ask, askApp, openApi, READ_TOKEN } from '../support/api.ts';

/** Written down a second time, so that a route cannot lose its lock by a slip in the table. */
const ROUTES: readonly (readonly [access: 'open' | 'read' | 'write', method: string, path: string, ask?: Ask])[] = [
  ['open', 'GET', '/'],
  ['open', 'GET', '/healthz'],
  ['open', 'GET', '/openapi.json'],
  ['read', 'GET', '/v1/tasks'],
  ['read', 'GET', '/v1/tasks/{id}'],
  ['read', 'GET', '/v1/tasks/{id}/runs'],
  ['read', 'GET', '/v1/dead-letters'],
  ['read', 'GET', '/v1/status'],
  ['read', 'POST', '/v1/schedule/preview', { body: { schedule: '@daily' } }],
  ['write', 'PUT', '/v1/tasks/{id}', { body: { schedule: { every: '1h' }, code: '1' } }],
  ['write', 'POST', '/v1/tasks/{id}/run'],
  ['write', 'POST', '/v1/tasks/{id}/redrive'],
  [
    'write',
    'POST',
    '/v1/tasks/{id}/backfill',
    { body: { from: '2026-01-01T00:00:00Z', to: '2026-01-01T03:00:00Z', key: 'k' } },
  ],
  ['write', 'POST', '/v1/tasks/{id}/pause'],
  ['write', 'POST', '/v1/tasks/{id}/resume'],
  ['write', 'DELETE', '/v1/tasks/{id}'],
];

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

test('the matrix below knows every route', async () => {
  const { body } = await api.ask('GET', '/openapi.json');
  const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(ROUTES.map(([, method, path]) => `${method} ${path}`).sort()).toEqual(routes.sort());
});

describe.each(ROUTES.map(([access, method, path, ask]) => ({ access, method, path, ask })))(
  '$method $path ($access)',
  ({ access, method, path, ask }) => {
    const isOpen = access === 'open';

    test.each([
      ['no token', undefined],
      ['an unknown token', 'Bearer not-the-token-0123456789'],
      ['the token in another scheme', `Basic ${API_TOKEN}`],
      ['half of the token', `Bearer ${API_TOKEN.slice(0, -1)}`],
      ['the token and more', `Bearer ${API_TOKEN}x`],
      ['both tokens at once', `Bearer ${API_TOKEN} ${READ_TOKEN}`],
      ['an empty token', 'Bearer '],
    ])('%s', async (_, authorization) => {
      const { status, headers, body } = await askWith(authorization, method, path, ask);
      expect(status === 401).toBe(!isOpen);
      if (isOpen) return;
      expect(body.code).toBe('unauthenticated');
      expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="cronkeeper"/);
    });

    test('the read token', async () => {
      await api.keeper.tasks.put({ id: 'locked', schedule: { every: '1h' }, code: '1' });
      const { status, body } = await askWith(`Bearer ${READ_TOKEN}`, method, path, ask);
      if (access === 'write') expect([status, body.code]).toEqual([403, 'forbidden']);
      else expect(status).toBe(200);
    });

    test('the API token', async () => {
      await api.keeper.tasks.put({ id: 'locked', schedule: { every: '1h' }, code: '1' });
      expect((await askWith(`bearer ${API_TOKEN}`, method, path, ask)).status).toBeLessThan(300);
    });
  },
);

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

test('there is no API without a token, unless one says so', () => {
  expect(() => createApi({ keeper: api.keeper })).toThrow('CRONKEEPER_API_TOKEN');
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
    ['GET', '/'],
    ['GET', '/healthz'],
    ['GET', '/v1/tasks'],
    ['GET', '/nowhere'],
    ['PATCH', '/v1/tasks'],
  ])('%s %s is not stored, not guessed at, and loads nothing', async (method, path) => {
    const { headers } = await askWith(undefined, method, path);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

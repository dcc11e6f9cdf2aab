/** Who may do what, in one table: every route there is, with every kind of credentials. docs/ACCESS.md shows it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Caller } from '../../src/api/access.ts';
import { createApi } from '../../src/api.ts';
import { callerOf } from '../../src/trigger/caller.ts';
import {
  type Answer,
  API_TOKEN,
  type Api,
  type Ask,
  askApp,
  openApi,
  READ_TOKEN,
  SAFE_HEADERS,
} from '../support/api.ts';

const TABLE = `
| route | no token | wrong token | read token | write token | JWT without scope | JWT, read | JWT, write | IAM |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| \`DELETE /v1/tasks/{id}\` | 401 | 401 | 403 | 204 | 403 | 403 | 204 | 204 |
| \`GET /\` | 200 | 200 | 200 | 200 | 200 | 200 | 200 | 200 |
| \`GET /healthz\` | 200 | 200 | 200 | 200 | 200 | 200 | 200 | 200 |
| \`GET /openapi.json\` | 200 | 200 | 200 | 200 | 200 | 200 | 200 | 200 |
| \`GET /v1/audit\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`GET /v1/dead-letters\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`GET /v1/status\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`GET /v1/tasks\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`GET /v1/tasks/{id}\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`GET /v1/tasks/{id}/runs\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`GET /v1/undelivered\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`POST /v1/events\` | 401 | 401 | 403 | 202 | 403 | 403 | 202 | 202 |
| \`POST /v1/schedule/preview\` | 401 | 401 | 200 | 200 | 403 | 200 | 200 | 200 |
| \`POST /v1/tasks/{id}/backfill\` | 401 | 401 | 403 | 202 | 403 | 403 | 202 | 202 |
| \`POST /v1/tasks/{id}/pause\` | 401 | 401 | 403 | 200 | 403 | 403 | 200 | 200 |
| \`POST /v1/tasks/{id}/redrive\` | 401 | 401 | 403 | 202 | 403 | 403 | 202 | 202 |
| \`POST /v1/tasks/{id}/resume\` | 401 | 401 | 403 | 200 | 403 | 403 | 200 | 200 |
| \`POST /v1/tasks/{id}/run\` | 401 | 401 | 403 | 202 | 403 | 403 | 202 | 202 |
| \`PUT /v1/tasks/{id}\` | 401 | 401 | 403 | 200 | 403 | 403 | 200 | 200 |
`.trim();

const [head = '', rule = ''] = TABLE.split('\n');

/** What routes need beside credentials, to answer as they do in use. */
const ASKS: Readonly<Record<string, Ask>> = {
  'POST /v1/schedule/preview': { body: { schedule: '@daily' } },
  'POST /v1/events': { body: { source: 'shop', 'detail-type': 'Shipped' } },
  'PUT /v1/tasks/{id}': { body: { schedule: { every: '2h' }, code: '1' } },
  'POST /v1/tasks/{id}/backfill': {
    body: { from: '2026-01-01T00:00:00Z', to: '2026-01-01T03:00:00Z', key: 'k' },
  },
};

const jwt = (scope?: string): Caller | undefined =>
  callerOf({ requestContext: { authorizer: { jwt: { claims: { sub: 'ada', scope } } } } }, 'jwt');
const iam = callerOf({ requestContext: { authorizer: { iam: { userArn: 'arn:aws:iam::1:user/ada' } } } }, 'iam');

let api: Api;
beforeAll(async () => {
  api = await openApi({ apiToken: API_TOKEN, readToken: READ_TOKEN });
});
afterAll(() => api.close());

/** Each answer is that of a task which is there, and to which nobody has done anything. */
async function askAs(route: string, authorization: string | undefined, caller?: Caller): Promise<Answer> {
  if (route.includes('{id}')) await api.keeper.tasks.put({ id: 'locked', schedule: { every: '1h' }, code: '1' });
  const [method = '', path = ''] = route.split(' ');
  const app = createApi({ keeper: api.keeper, apiToken: API_TOKEN, readToken: READ_TOKEN, caller: () => caller });
  const headers = authorization === undefined ? {} : { authorization };
  return askApp(app, method, path.replace('{id}', 'locked'), { ...ASKS[route], headers });
}

/** Taken from the page that is made of the table of routes: one that is added there is asked here. */
async function routes(): Promise<string[]> {
  const { body } = await api.ask('GET', '/openapi.json');
  return Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

test('the table says what every route answers to whom', async () => {
  const callers: readonly (readonly [authorization: string | undefined, caller?: Caller | undefined])[] = [
    [undefined],
    ['Bearer not-the-token-0123456789'],
    [`Bearer ${READ_TOKEN}`],
    [`Bearer ${API_TOKEN}`],
    [undefined, jwt('other:read')],
    [undefined, jwt('openid cronkeeper:read')],
    [undefined, jwt('cronkeeper:write')],
    [undefined, iam],
  ];
  const rows = [head, rule];
  for (const route of (await routes()).sort()) {
    const statuses: string[] = [];
    for (const [authorization, caller] of callers) {
      const { status, headers, body } = await askAs(route, authorization, caller);
      statuses.push(String(status));
      expect(Object.fromEntries(headers)).toMatchObject(SAFE_HEADERS);
      if (status === 401)
        expect([body.code, headers.get('www-authenticate')]).toEqual([
          'unauthenticated',
          expect.stringMatching(/^Bearer realm="cronkeeper"/),
        ]);
      if (status === 403) expect(body.code).toBe('forbidden');
    }
    rows.push(`| \`${route}\` | ${statuses.join(' | ')} |`);
  }
  expect(rows.join('\n')).toBe(TABLE);
});

test('docs/ACCESS.md shows the same table', () => {
  expect(readFileSync(new URL('../../docs/ACCESS.md', import.meta.url), 'utf8')).toContain(`\n\n${TABLE}\n\n`);
});

describe('the Authorization header', () => {
  test.each([
    ['another scheme', `Basic ${API_TOKEN}`, 401],
    ['no scheme', API_TOKEN, 401],
    ['a scheme and nothing else', 'Bearer ', 401],
    ['half of the token', `Bearer ${API_TOKEN.slice(0, -1)}`, 401],
    ['the token and more', `Bearer ${API_TOKEN}x`, 401],
    ['both tokens in one header', `Bearer ${API_TOKEN} ${READ_TOKEN}`, 401],
    ['two headers, as they are joined', `Bearer ${READ_TOKEN}, Bearer ${API_TOKEN}`, 401],
    ['the token behind a tab', `Bearer\t${API_TOKEN}`, 401],
    ['the token in quotes', `Bearer "${API_TOKEN}"`, 401],
    ['a scheme in lower case, which is the same', `bearer ${API_TOKEN}`, 200],
    ['blanks around the token, which count for nothing', `Bearer   ${API_TOKEN}  `, 200],
  ])('%s', async (_, authorization, status) => {
    expect((await askAs('POST /v1/tasks/{id}/pause', authorization)).status).toBe(status);
    expect((await askAs('GET /v1/tasks', authorization)).status).toBe(status);
  });
});

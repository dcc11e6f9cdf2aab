/** Requests that must be refused: each with its status, its code, and the field that is wrong. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as schemas from '../../src/api/schemas.ts';
import { type Api, type Ask, openApi, SAFE_HEADERS, undocumented } from '../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const document = { schedule: { every: '1h' }, code: "({ output: 'done' })" };

const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

const tooLargeCode = 'x'.repeat(64 * 1024 + 1);

/** Method, path, what is sent; status, code, and where errors are named, the first field. */
const REFUSED: readonly (readonly [
  name: string,
  method: string,
  path: string,
  ask: Ask,
  status: number,
  code: string,
  field?: string,
])[] = [
  ['JSON that ends early', 'PUT', '/v1/tasks/a', { body: '{"schedule":' }, 400, 'invalid'],
  [
    'YAML that is none',
    'PUT',
    '/v1/tasks/a',
    { body: 'a: [', headers: { 'content-type': 'text/yaml' } },
    400,
    'invalid',
  ],
  [
    'a YAML bomb',
    'PUT',
    '/v1/tasks/a',
    { body: yamlBomb(), headers: { 'content-type': 'application/yaml' } },
    400,
    'invalid',
  ],
  [
    'two YAML documents',
    'PUT',
    '/v1/tasks/a',
    { body: 'a: 1\n---\na: 2\n', headers: { 'content-type': 'application/yaml' } },
    400,
    'invalid',
  ],
  [
    'a YAML text that contains itself',
    'PUT',
    '/v1/tasks/a',
    { body: 'input: &a [*a]', headers: { 'content-type': 'application/yaml' } },
    400,
    'invalid',
  ],
  [
    'a YAML tag that nobody knows',
    'PUT',
    '/v1/tasks/a',
    { body: 'code: !js 1', headers: { 'content-type': 'application/yaml' } },
    400,
    'invalid',
  ],
  ['bytes that are no text', 'PUT', '/v1/tasks/a', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'invalid'],
  ['lists in lists in lists', 'PUT', '/v1/tasks/a', { body: `{"input":${deep}}` }, 422, 'invalid', ''],
  ['lists in lists, to be run with', 'POST', '/v1/tasks/x/run', { body: `{"input":${deep}}` }, 422, 'invalid', ''],
  ['nothing but null to be run with', 'POST', '/v1/tasks/x/run', { body: 'null' }, 422, 'invalid', ''],
  [
    'a form',
    'PUT',
    '/v1/tasks/a',
    { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'invalid',
  ],
  ['no body', 'PUT', '/v1/tasks/a', {}, 422, 'invalid', ''],
  ['a list', 'PUT', '/v1/tasks/a', { body: [] }, 422, 'invalid', ''],
  [
    'a body too large',
    'PUT',
    '/v1/tasks/a',
    { body: JSON.stringify({ code: 'x'.repeat(256 * 1024) }) },
    413,
    'too-large',
  ],
  ['code too large', 'PUT', '/v1/tasks/a', { body: { ...document, code: tooLargeCode } }, 422, 'invalid', 'code'],
  [
    'code that does not parse',
    'PUT',
    '/v1/tasks/a',
    { body: { ...document, code: 'export default (' } },
    422,
    'invalid',
    'code',
  ],
  ['an unknown key', 'PUT', '/v1/tasks/a', { body: { ...document, retries: 3 } }, 422, 'invalid', 'retries'],
  [
    'a wrong schedule',
    'PUT',
    '/v1/tasks/a',
    { body: { ...document, schedule: { cron: '61 * * * *' } } },
    422,
    'invalid',
    'schedule.cron',
  ],
  [
    'a wrong nested field',
    'PUT',
    '/v1/tasks/a',
    { body: { ...document, retry: { attempts: 0 } } },
    422,
    'invalid',
    'retry.attempts',
  ],
  ['another id than in the path', 'PUT', '/v1/tasks/a', { body: { ...document, id: 'b' } }, 422, 'invalid', 'id'],
  ['an id that cannot be', 'PUT', '/v1/tasks/a%20b', { body: document }, 422, 'invalid', 'id'],
  ['a slash in the id', 'PUT', '/v1/tasks/a%2Fb', { body: document }, 422, 'invalid', 'id'],
  ['a percent sign that means nothing', 'GET', '/v1/tasks/%ZZ', {}, 422, 'invalid', 'id'],
  ['an ETag without quotes', 'PUT', '/v1/tasks/a', { body: document, headers: { 'if-match': '1' } }, 400, 'invalid'],
  [
    'If-None-Match with an ETag',
    'PUT',
    '/v1/tasks/a',
    { body: document, headers: { 'if-none-match': '"1"' } },
    400,
    'invalid',
  ],
  ['a missing task', 'GET', '/v1/tasks/missing', {}, 404, 'not-found'],
  ['the runs of a missing task', 'GET', '/v1/tasks/missing/runs', {}, 404, 'not-found'],
  ['a run of a missing task', 'POST', '/v1/tasks/missing/run', {}, 404, 'not-found'],
  ['a pause of a missing task', 'POST', '/v1/tasks/missing/pause', {}, 404, 'not-found'],
  ['a run with an unknown field', 'POST', '/v1/tasks/x/run', { body: { inputs: 1 } }, 422, 'invalid', 'inputs'],
  [
    'a run with two keys',
    'POST',
    '/v1/tasks/x/run',
    { body: { key: 'a' }, headers: { 'idempotency-key': 'b' } },
    422,
    'invalid',
    'key',
  ],
  [
    'a key too long',
    'POST',
    '/v1/tasks/x/run',
    { headers: { 'idempotency-key': 'k'.repeat(129) } },
    422,
    'invalid',
    'key',
  ],
  [
    'an input too large',
    'POST',
    '/v1/tasks/x/run',
    { body: { input: 'x'.repeat(33 * 1024) } },
    422,
    'invalid',
    'input',
  ],
  ['a limit of nothing', 'GET', '/v1/tasks?limit=0', {}, 422, 'invalid', 'limit'],
  ['a limit beyond the largest', 'GET', '/v1/tasks/x/runs?limit=1001', {}, 422, 'invalid', 'limit'],
  ['a limit that is no number', 'GET', '/v1/dead-letters?limit=ten', {}, 422, 'invalid', 'limit'],
  ['a status that is none', 'GET', '/v1/tasks?status=running', {}, 422, 'invalid', 'status'],
  ['a cursor that is none', 'GET', '/v1/tasks?cursor=nonsense', {}, 422, 'invalid', 'cursor'],
  ['a misspelt parameter', 'GET', '/v1/tasks?lable=a', {}, 422, 'invalid', 'lable'],
  ['a parameter twice', 'GET', '/v1/tasks?limit=1&limit=2', {}, 422, 'invalid', 'limit'],
  ['a preview of nothing', 'POST', '/v1/schedule/preview', { body: {} }, 422, 'invalid', 'schedule'],
  [
    'a preview that never fires',
    'POST',
    '/v1/schedule/preview',
    { body: { schedule: '0 0 30 2 *' } },
    422,
    'invalid',
    'schedule.cron',
  ],
  [
    'a preview too long',
    'POST',
    '/v1/schedule/preview',
    { body: { schedule: '@daily', count: 1001 } },
    422,
    'invalid',
    'count',
  ],
  [
    'a preview from a local time',
    'POST',
    '/v1/schedule/preview',
    { body: { schedule: '@daily', from: '2026-01-01T00:00' } },
    422,
    'invalid',
    'from',
  ],
  ['an unknown route', 'GET', '/v1/nothing', {}, 404, 'unknown-route'],
  ['an empty id', 'GET', '/v1/tasks/', {}, 404, 'unknown-route'],
  ['a wrong method', 'PATCH', '/v1/tasks/a', { body: {} }, 405, 'method-not-allowed'],
];

function yamlBomb(): string {
  const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
  return `a0: &a0 x\n${levels.join('\n')}\n`;
}

describe('what is wrong with a request is said as a problem document', () => {
  beforeAll(async () => {
    await api.ask('PUT', '/v1/tasks/x', { body: document });
  });

  test.each(REFUSED.map(([name, ...rest]) => ({ name, rest })))('$name', async ({ rest }) => {
    const [method, path, ask, status, code, field] = rest;
    const answer = await api.ask(method, path, ask);
    expect([answer.status, answer.body?.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(Object.fromEntries(answer.headers)).toMatchObject(SAFE_HEADERS);
    expect(schemas.problem.safeParse(answer.body).success).toBe(true);
    expect(undocumented(answer.body, schemas.problem)).toEqual([]);
    expect(answer.body.errors?.[0]?.field).toBe(field);
    expect(answer.text).not.toMatch(/\bat (?!task\.js).*\.[jt]s:\d|node_modules|\/src\//);
  });

  test('every wrong field is named, not only the first', async () => {
    const { body } = await api.ask('PUT', '/v1/tasks/a', {
      body: { schedule: { every: 'never' }, timeout: '1h', surprise: 1 },
    });
    const fields = body.errors.map(({ field }: { field: string }) => field).sort();
    expect(fields).toEqual(['code', 'schedule.every', 'surprise', 'timeout']);
  });

  test('a wrong method learns the right ones', async () => {
    const { headers } = await api.ask('DELETE', '/v1/tasks');
    expect(headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD']);
  });
});

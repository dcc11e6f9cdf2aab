/** The API as a function, behind everything that AWS puts in front of one. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import { createApiHandler } from '../../src/lambda.ts';
import { API_TOKEN, keeperWith, SAFE_HEADERS } from '../support/api.ts';
import { errorOf } from '../support/error-of.ts';
import { context, fixture, memoryLines } from '../support/lambda.ts';

describe('the API handler', () => {
  let keeper: Cronkeeper;
  let released: number;
  const spied = () => ({
    ...keeperWith(keeper, {}),
    release: async () => {
      released++;
      await keeper.release();
    },
  });
  beforeEach(async () => {
    keeper = await openCronkeeper({ url: 'embedded:' });
    released = 0;
  });
  afterEach(() => keeper.close());

  const open = () =>
    createApiHandler({ keeper: spied(), environment: { CRONKEEPER_API_TOKEN: API_TOKEN }, write: () => {} });

  test('answers whatever AWS puts in front, and leaves no session open behind', async () => {
    const handler = open();
    const fronts = [
      ['http-api-v2', 'from-gateway'],
      ['function-url', 'from-url'],
      ['rest-api', 'from-rest'],
      ['alb', 'from-alb'],
      ['alb-multi-value', 'from-alb-multi'],
    ] as const;
    for (const [name, id] of fronts) {
      const created = await handler(fixture(name), context());
      expect(created).toMatchObject({ statusCode: 201, isBase64Encoded: false });
      // A front that sends every value of a header reads every value of ours, and nothing else.
      const [etag, type] =
        'multiValueHeaders' in fixture(name) ? [['"1"'], ['application/json']] : ['"1"', 'application/json'];
      expect(created.multiValueHeaders ?? created.headers).toMatchObject({ etag, 'content-type': type });
      expect(JSON.parse(created.body).id).toBe(id);
      expect((await handler(fixture(name), context())).statusCode).toBe(200);
    }
    expect(released).toBe(2 * fronts.length);
    expect(await keeper.tasks.get('from-url')).toMatchObject({ code: "({ output: 'from url' })\n" });
  });

  test('reads the query behind the name of a stage, cookies and an authorizer notwithstanding', async () => {
    const handler = open();
    await handler(fixture('http-api-v2'), context());
    const { statusCode, body } = await handler(fixture('http-api-jwt'), context());
    expect([statusCode, JSON.parse(body).items.map(({ id }: { id: string }) => id)]).toEqual([200, ['from-gateway']]);
    const { status } = JSON.parse((await handler({ ...fixture('http-api-jwt'), body: 'of a GET' }, context())).body);
    expect(status).toBeUndefined();
  });

  test('tells a load balancer that it is well, without a token or a host', async () => {
    expect((await open()(fixture('alb-health-check'), context())).statusCode).toBe(200);
  });

  test('answers a request with a problem document though no keeper can be had', async () => {
    const lines = memoryLines();
    const broken = {
      url: 'embedded:',
      namespace: 'no/where',
      apiToken: API_TOKEN,
      environment: {},
      write: lines.write,
    };
    for (const name of ['http-api-v2', 'alb-multi-value']) {
      const result = await createApiHandler(broken)(fixture(name), context());
      expect(result.headers).toMatchObject({ 'content-type': 'application/problem+json' });
      expect(result.statusCode).toBeGreaterThanOrEqual(500);
      expect(result.body).not.toContain('no/where');
    }
    expect(lines.log().every(({ level }) => level === 'ERROR')).toBe(true);
  });

  test('opens a keeper by itself, once', async () => {
    const evaluator = { run: async () => {}, check: async () => undefined, close: async () => {} };
    const environment = { CRONKEEPER_URL: 'embedded:', CRONKEEPER_API_TOKEN: API_TOKEN };
    const handler = createApiHandler({ environment, evaluator, write: () => {} });
    // In memory: what the second invocation finds, the first one left in the same keeper.
    expect((await handler(fixture('http-api-v2'), context())).statusCode).toBe(201);
    expect((await handler(fixture('http-api-v2'), context())).statusCode).toBe(200);
  });

  test('releases the session when the request is refused, too', async () => {
    const handler = open();
    const event = fixture('http-api-v2');
    const { statusCode, body } = await handler({ ...event, headers: { host: 'x' } }, context());
    expect([statusCode, JSON.parse(body).code, released]).toEqual([401, 'unauthenticated', 1]);
    await handler({ ...event, body: '{' }, context());
    expect(released).toBe(2);
  });

  test('answers with the whole query and with the page', async () => {
    const handler = open();
    await handler(fixture('http-api-v2'), context());
    const get = (rawPath: string, rawQueryString: string) => {
      const event = fixture('http-api-v2') as { requestContext: { http: object } };
      const requestContext = { ...event.requestContext, http: { ...event.requestContext.http, method: 'GET' } };
      return handler({ ...event, rawPath, rawQueryString, requestContext, body: undefined }, context());
    };
    const list = await get('/v1/tasks', 'prefix=from-&limit=5');
    expect(JSON.parse(list.body).items.map(({ id }: { id: string }) => id)).toEqual(['from-gateway']);
    const page = await get('/', '');
    expect([page.statusCode, page.isBase64Encoded]).toEqual([200, false]);
    expect(page.body).toMatch(/^<!doctype html>/);
  });

  test('says so when the answer would come too late', async () => {
    const handler = createApiHandler({
      keeper: { ...spied(), ...keeperWith(keeper, { tasks: { put: () => new Promise<never>(() => {}) } }) },
      apiToken: API_TOKEN,
      environment: {},
      write: () => {},
    });
    const { statusCode, body, headers } = await handler(fixture('http-api-v2'), context(520));
    expect([statusCode, JSON.parse(body).code]).toEqual([504, 'outcome-unknown']);
    expect(headers).toMatchObject(SAFE_HEADERS);
  });

  test('behind IAM, notes whom IAM has let through, and refuses what has passed it by', async () => {
    const environment = { CRONKEEPER_AUTH: 'iam' };
    const handler = createApiHandler({ keeper: spied(), environment, write: () => {} });
    const event = fixture('function-url') as { headers: object; requestContext: object };
    const unsigned = { ...event, headers: { ...event.headers, authorization: 'AWS4-HMAC-SHA256 Credential=…' } };
    const userArn = 'arn:aws:iam::123456789012:user/ada';
    const authorizer = { iam: { userArn, userId: 'AIDA' } };
    const signed = { ...unsigned, requestContext: { ...event.requestContext, authorizer } };
    expect((await handler(unsigned, context())).statusCode).toBe(401);
    expect((await handler(signed, context())).statusCode).toBe(201);
    expect((await keeper.audit()).items).toMatchObject([{ taskId: 'from-url', principal: `iam:${userArn}` }]);
  });

  test.each([
    [fixture('scheduler'), '"Scheduled Event" from "aws.scheduler"'],
    [fixture('sqs'), 'records from "aws:sqs"'],
    [null, 'received null'],
    [[], 'a list of 0'],
    [{ requestContext: null, rawPath: '/' }, 'an HTTP request'],
  ])('names an event that is no request: %#', async (event, message) => {
    await expect(open()(event, context())).rejects.toThrow(message);
  });

  test('fails at once without a coordinator, or without a token', () => {
    expect(errorOf(() => createApiHandler({ environment: {} })).problems[0]?.field).toBe('CRONKEEPER_URL');
    const open = { CRONKEEPER_URL: 'embedded:' };
    expect(errorOf(() => createApiHandler({ environment: open })).message).toContain('CRONKEEPER_API_TOKEN');
  });
});

/** From a task's `ctx.fetch` to a server and back, through the whole program. */

import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Cronkeeper, type CronkeeperOptions, openCronkeeper } from '../../src/app.ts';
import type { StandaloneEvaluator } from '../../src/evaluator/face.ts';
import { warm } from '../../src/lambda/warm.ts';
import { createEvaluator } from '../../src/sandbox.ts';
import { serve, serveTcp, type Web } from '../support/web.ts';

const FETCH = 'export default async (ctx) => (await ctx.fetch(ctx.input)).status';
const PERMITTED: CronkeeperOptions['fetch'] = { allowAddresses: ['127.0.0.1/32'] };

let web: Web | undefined;
let keeper: Cronkeeper | undefined;
let evaluator: StandaloneEvaluator | undefined;

afterEach(async () => {
  await keeper?.close();
  await evaluator?.close();
  await web?.[Symbol.asyncDispose]();
  keeper = evaluator = web = undefined;
});

/** The record of the one run of a task with this manifest. */
async function runOf(manifest: readonly string[], url: string, options: Partial<CronkeeperOptions> = {}) {
  keeper = await openCronkeeper({ url: 'embedded:', shards: 1, ...options });
  await keeper.tasks.put({
    id: 'reach',
    schedule: { at: '2099-01-01T00:00:00Z' },
    code: FETCH,
    input: url,
    retry: { attempts: 1 },
    capabilities: { fetch: [...manifest] },
  });
  await keeper.tasks.run('reach');
  await keeper.tick();
  const { items } = await keeper.tasks.runs('reach');
  expect(items).toHaveLength(1);
  return items[0]!;
}

describe('a task', () => {
  test('fetches what its manifest names and the operator permits, with its launch and its fence', async () => {
    const arrived: IncomingHttpHeaders[] = [];
    web = await serve(({ headers }, response) => {
      arrived.push(headers);
      response.end('hello');
    });
    const run = await runOf([web.origin], `${web.origin}/x`, { fetch: PERMITTED });
    expect(run).toMatchObject({ status: 'succeeded', output: 200 });
    expect(arrived).toEqual([
      expect.objectContaining({
        'idempotency-key': run.launchId,
        'cronkeeper-fence': `${run.fence}`,
        'user-agent': expect.stringMatching(/^cronkeeper\/\d+\.\d+\.\d+$/),
      }),
    ]);
    await web.idle();
  });

  test.each([
    ['without a manifest', [], PERMITTED],
    ['whose manifest names another port', ['http://127.0.0.1:1'], PERMITTED],
    ['whose operator permits nothing', ['here'], undefined],
    ['whose operator permits another address', ['here'], { allowAddresses: ['127.0.0.2/32'] }],
    ['whose operator takes the endpoint out', ['here'], { ...PERMITTED, denyEndpoints: ['here'] }],
  ] as const)('%s reaches nothing, and its record says so', async (_, manifest, permissions) => {
    const server = await serve((_request, response) => response.end('hello'));
    web = server;
    const here = (list: readonly string[] | undefined, place: string) =>
      list?.map((each) => (each === 'here' ? place : each)) ?? [];
    const fetch = permissions && {
      ...permissions,
      denyEndpoints: here('denyEndpoints' in permissions ? permissions.denyEndpoints : [], `127.0.0.1:${server.port}`),
    };
    const run = await runOf(here(manifest, server.origin), server.origin, fetch === undefined ? {} : { fetch });
    expect(run).toMatchObject({ status: 'failed', error: { class: 'CapabilityDenied' } });
    expect(server.hits).toBe(0);
  });

  test('that is out of time leaves no connection behind', async () => {
    web = await serveTcp((socket) => socket.resume());
    keeper = await openCronkeeper({ url: 'embedded:', shards: 1, fetch: PERMITTED });
    await keeper.tasks.put({
      id: 'wait',
      schedule: { at: '2099-01-01T00:00:00Z' },
      code: FETCH,
      input: web.origin,
      timeout: '200ms',
      retry: { attempts: 1 },
      capabilities: { fetch: [web.origin] },
    });
    await keeper.tasks.run('wait');
    await keeper.tick();
    expect((await keeper.tasks.runs('wait')).items).toMatchObject([{ status: 'timed-out' }]);
    expect(web.hits).toBe(1);
    await web.idle();
  });
});

describe('a program', () => {
  test.each([
    [{ allowAddresses: ['10.0.0.0'] }, 'fetch.allowAddresses: received "10.0.0.0"; allowed: a block of addresses'],
    [{ denyEndpoints: ['10.0.0.0'] }, 'fetch.denyEndpoints: received "10.0.0.0"; allowed: host:port'],
  ])('with permissions that are none is not opened: %j', async (fetch, message) => {
    await expect(openCronkeeper({ url: 'embedded:', fetch })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(message),
    });
    await expect(createEvaluator({ fetch })).rejects.toMatchObject({ code: 'invalid' });
  });

  test('sees requests as they were written, and gives responses as they came', async () => {
    web = await serve(async (request, response) => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk as Buffer);
      const echo = Buffer.concat(body);
      if (request.url === '/moved') return response.writeHead(307, { location: '/echo' }).end();
      response.setHeader('content-encoding', 'gzip').setHeader('set-cookie', 'a=1');
      response.setHeader('x-saw', `${request.method} ${request.url} ${request.headers['content-type']}`);
      return response.writeHead(201).end(gzipSync(echo));
    });
    evaluator = await createEvaluator({ fetch: PERMITTED });
    const code = `export default async ({ fetch, input }) => {
      const json = await fetch(input + '/moved', {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ a: 'grüße 😀' }),
      });
      const bytes = await fetch(new URL('/bytes', input), { method: 'put', body: Uint8Array.of(0, 255, 128) });
      const manual = await fetch(input + '/moved', { redirect: 'manual' });
      return [
        [json.status, json.ok, json.redirected, json.url, json.headers.get('x-saw'), json.headers.get('set-cookie')],
        await json.json(),
        [bytes.headers.get('x-saw'), ...(await bytes.bytes())],
        [manual.status, manual.headers.get('location')],
        await fetch(input + ':1/').catch((error) => [error.name, error.message]),
        await fetch(input, { headers: { Host: 'other' } }).catch((error) => [error.name, error.message]),
        await fetch('http://[::1]:1/').catch((error) => error.name),
      ];
    }`;
    const outcome = await evaluator.evaluate({ code, input: web.origin, fetch: [web.origin] });
    expect(outcome.error).toBeUndefined();
    expect(outcome.value).toEqual([
      [201, true, true, `${web.origin}/echo`, 'POST /echo application/json', null],
      { a: 'grüße 😀' },
      ['PUT /bytes undefined', 0, 255, 128],
      [307, '/echo'],
      ['TypeError', expect.stringContaining('url: received')],
      ['TypeError', "the header host is not the task's to set"],
      'CapabilityDenied',
    ]);
    await web.idle();
  });

  test('that is a Lambda function never reaches its Runtime API, whatever its handler permits', async () => {
    web = await serve((_request, response) => response.end('event'));
    const directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
    const url = `embedded:${join(directory, 'tasks.db')}`;
    try {
      keeper = await openCronkeeper({ url, shards: 1 });
      await keeper.tasks.put({
        id: 'reach',
        schedule: { at: '2099-01-01T00:00:00Z' },
        code: FETCH,
        input: web.origin,
        retry: { attempts: 1 },
        capabilities: { fetch: [web.origin] },
      });
      await keeper.tasks.run('reach');
      const { keeper: warmed } = warm<Pick<Cronkeeper, 'tick' | 'close'>>({
        environment: { CRONKEEPER_URL: url, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${web.port}` },
        fetch: { allowAddresses: ['127.0.0.0/8'] },
      });
      const functions = await warmed();
      await functions.tick();
      await functions.close();
      expect((await keeper.tasks.runs('reach')).items).toMatchObject([
        {
          status: 'failed',
          error: { class: 'CapabilityDenied', message: expect.stringContaining('never open to tasks') },
        },
      ]);
      expect(web.hits).toBe(0);
      await keeper.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('lets a single run fetch what it names', async () => {
    web = await serve((_request, response) => response.end('hello'));
    evaluator = await createEvaluator({ fetch: { allowAddresses: ['127.0.0.1/32'] } });
    const run = { code: FETCH, input: web.origin };
    expect(await evaluator.evaluate({ ...run, fetch: [web.origin] })).toMatchObject({ value: 200 });
    expect(await evaluator.evaluate(run)).toMatchObject({ error: { class: 'CapabilityDenied' } });
    expect(web.hits).toBe(1);
    await expect(evaluator.evaluate({ ...run, fetch: ['https://*.example.com'] })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('fetch.0: received "https://*.example.com"'),
    });
  });
});

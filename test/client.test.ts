/** Tasks over a real socket: the same results and the same errors as on the registry itself. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createApi } from '../src/api.ts';
import { type Cronkeeper, openCronkeeper } from '../src/app.ts';
import { createHttpClient, type HttpClient } from '../src/client.ts';
import { CronkeeperError } from '../src/errors.ts';
import { HEADER_BYTES_MAX, listenOn, type Served, serve } from '../src/serve.ts';
import type { TaskDocument } from '../src/task.ts';
import type { Tasks } from '../src/tasks.ts';
import { API_TOKEN, keeperWith, READ_TOKEN } from './support/api.ts';
import { errorOf } from './support/error-of.ts';
import { VirtualClock } from './support/virtual-clock.ts';

let keeper: Cronkeeper;
let served: Served;
let client: HttpClient;
beforeAll(async () => {
  keeper = await openCronkeeper({ url: 'embedded:' });
  const app = createApi({ keeper, apiToken: API_TOKEN, readToken: READ_TOKEN });
  served = await serve({ app, hostname: '127.0.0.1', port: 0 });
  client = createHttpClient({ endpoint: served.url, token: API_TOKEN });
});
afterAll(async () => {
  await served.close();
  await keeper.close();
});

const document = (id: string, changes: Partial<TaskDocument> = {}): TaskDocument => ({
  id,
  schedule: { cron: '0 9 * * 1-5', timeZone: 'Europe/Berlin' },
  code: "({ output: 'done' })",
  ...changes,
});

/** The error of a call that must fail. */
const rejection = (call: Promise<unknown>): Promise<CronkeeperError> =>
  call.then(
    (value) => Promise.reject(new Error(`expected an error, received ${JSON.stringify(value)}`)),
    (error) => (error instanceof CronkeeperError ? error : Promise.reject(error)),
  );

describe('the same results', () => {
  test('of put, get, pause, resume and remove', async () => {
    const created = await client.put(
      document('one', { labels: { a: 'b' }, input: { deep: [1, null, 'ü'] }, maxRuns: 3 }),
    );
    expect(created.created).toBe(true);
    expect({ ...(await keeper.tasks.get('one')), created: true }).toEqual(created);
    expect(
      (await client.put(document('one', { labels: { a: 'b' }, input: { deep: [1, null, 'ü'] }, maxRuns: 3 }))).created,
    ).toBe(false);
    expect(await client.get('one')).toEqual(await keeper.tasks.get('one'));
    const { code: _, ...paused } = { ...(await keeper.tasks.get('one')), ...(await client.pause('one')) } as {
      code?: string;
    };
    expect(paused).toEqual(await keeper.tasks.pause('one'));
    expect(await client.resume('one')).toEqual(await keeper.tasks.resume('one'));
    expect([await client.remove('one'), await client.remove('one'), await keeper.tasks.remove('one')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await client.get('one')).toBeUndefined();
  });

  test('of many puts, in their order', async () => {
    const documents = Array.from({ length: 30 }, (_, i) => document(`many.${i}`, { timeout: `${i + 1}s` }));
    const results = await client.putMany(documents);
    expect(results.map(({ id, created, timeout }) => [id, created, timeout])).toEqual(
      documents.map(({ id, timeout }) => [id, true, timeout]),
    );
    expect((await client.putMany(documents)).every(({ created }) => !created)).toBe(true);
  });

  test('of lists, page by page', async () => {
    const pages = async (tasks: Tasks) => {
      const all = [];
      for (let cursor: string | undefined; ; ) {
        const page = await tasks.list({
          prefix: 'many.',
          limit: 7,
          label: undefined as never,
          ...(cursor !== undefined && { cursor }),
        });
        all.push(page);
        cursor = page.cursor;
        if (cursor === undefined) return all;
      }
    };
    expect(await pages(client)).toEqual(await pages(keeper.tasks));
  });

  test('of events', async () => {
    await client.put({ id: 'hears', on: [{ source: 'shop' }], code: '1' });
    const event = { id: 'e1', source: 'shop', detailType: 'Shipped', detail: {} };
    const emitted = await client.emit(event);
    expect([emitted.launches.length, await keeper.emit(event)]).toEqual([1, emitted]);
  });

  test('of runs and dead letters', async () => {
    await client.put(document('works', { code: 'console.log("line"); ({ output: { n: 1 } })' }));
    await client.put(document('fails', { code: 'null.x', retry: { attempts: 1 } }));
    const asked = await client.run('works', { input: 1, key: 'k' });
    expect(await keeper.tasks.run('works', { key: 'k' })).toEqual(asked);
    await client.run('works');
    await client.run('fails', {});
    await keeper.tick();
    const first = await client.runs('works', { limit: 1 });
    expect(first).toEqual(await keeper.tasks.runs('works', { limit: 1 }));
    expect(await client.runs('works', { cursor: first.cursor as string })).toEqual(
      await keeper.tasks.runs('works', { cursor: first.cursor as string }),
    );
    expect(await client.deadLetters({ limit: 5 })).toEqual(await keeper.tasks.deadLetters({ limit: 5 }));
    expect((await client.deadLetters()).items).toHaveLength(1);
    expect(await client.undelivered({ limit: 5 })).toEqual({ items: [] });
    const { launches } = await client.redrive('fails');
    expect(await keeper.tasks.redrive('fails', launches[0]?.redriveOf)).toEqual({ launches, left: 0 });
    expect(await client.redrive('fails', launches[0]?.redriveOf)).toEqual({ launches, left: 0 });
    const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', key: 'k' };
    expect(await client.backfill('works', range)).toEqual(await keeper.tasks.backfill('works', range));
    expect(await client.get('works')).toEqual(await keeper.tasks.get('works'));
    expect(await client.status()).toEqual(await keeper.status());
  });
});

describe('the same errors', () => {
  const CALLS: readonly (readonly [name: string, call: (tasks: Tasks) => Promise<unknown>])[] = [
    ['a wrong document', (tasks) => tasks.put({ ...document('bad'), timeout: 'long', surprise: 1 } as never)],
    ['code that does not parse', (tasks) => tasks.put(document('bad', { code: 'export default (' }))],
    ['one wrong document of many', (tasks) => tasks.putMany([document('good'), { ...document('bad'), history: 0 }])],
    ['an id twice', (tasks) => tasks.putMany([document('twice'), document('twice')])],
    ['an id that cannot be', (tasks) => tasks.get('../status')],
    ['a revision that is gone', (tasks) => tasks.put(document('conflict', { timeout: '9s' }), { ifMatch: 7 })],
    ['a task that is there', (tasks) => tasks.put(document('conflict'), { ifNoneMatch: '*' })],
    ['a removal of another revision', (tasks) => tasks.remove('conflict', { ifMatch: 7 })],
    ['a pause of nothing', (tasks) => tasks.pause('nothing')],
    ['a resumption of nothing', (tasks) => tasks.resume('nothing')],
    ['a run of nothing', (tasks) => tasks.run('nothing')],
    ['runs of nothing', (tasks) => tasks.runs('nothing')],
    ['a redrive of nothing', (tasks) => tasks.redrive('nothing')],
    ['a redrive of what never failed', (tasks) => tasks.redrive('conflict', 'conflict@1')],
    ['a redrive of another task', (tasks) => tasks.redrive('conflict', 'other@1')],
    [
      'a backfill of no range',
      (tasks) => tasks.backfill('conflict', { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }),
    ],
    ['an empty key', (tasks) => tasks.run('conflict', { key: '' })],
    ['a limit too large', (tasks) => tasks.list({ limit: 5_000 })],
    ['a cursor of our own', (tasks) => tasks.runs('conflict', { cursor: 'mine' })],
  ];

  beforeAll(() => keeper.tasks.put(document('conflict')));

  test.each(CALLS)('%s', async (_, call) => {
    const [direct, remote] = [await rejection(call(keeper.tasks)), await rejection(call(client))];
    expect([remote.code, remote.problems.map(({ field }) => field)]).toEqual([
      direct.code,
      direct.problems.map(({ field }) => field),
    ]);
  });

  test('nothing of many is stored when one is wrong', async () => {
    await rejection(client.putMany([document('first-of-two'), { ...document('second-of-two'), history: 0 }]));
    expect(await keeper.tasks.get('first-of-two')).toBeUndefined();
  });

  test('no token, a wrong one, and one that may only read', async () => {
    const as = (token?: string) => createHttpClient({ endpoint: served.url, token });
    expect((await rejection(as().list())).code).toBe('unauthenticated');
    expect((await rejection(as('wrong').list())).code).toBe('unauthenticated');
    expect((await rejection(as(READ_TOKEN).put(document('x')))).code).toBe('forbidden');
    expect((await as(READ_TOKEN).list({ limit: 1 })).items).toHaveLength(1);
  });

  test.each(['', 'localhost:8080', 'ftp://host', 'http://user:secret@host', 'http://host/?a=1'])(
    'an endpoint like %j',
    (endpoint) => {
      const error = errorOf(() => createHttpClient({ endpoint }));
      expect([error.code, error.problems[0]?.field]).toEqual(['invalid', 'endpoint']);
      expect(error.message).not.toContain('secret');
    },
  );

  test('a value that is not JSON', async () => {
    expect((await rejection(client.run('conflict', { input: 1n }))).code).toBe('invalid');
  });
});

describe('when something else answers, or nothing', () => {
  let server: Server;
  const at = async (listener: RequestListener): Promise<string> => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const reply =
    (status: number, body: string, headers = {}): RequestListener =>
    (_, response) =>
      response.writeHead(status, headers).end(body);

  test.each([
    ['a page that is not found', 404, 'invalid'],
    ['a gateway without a server', 502, 'outcome-unknown'],
    ['a gateway that waits too long', 504, 'outcome-unknown'],
    ['too many requests', 429, 'unavailable'],
    ['a redirect', 302, 'invalid'],
    ['a broken server', 500, 'internal'],
  ])('%s is told from a missing task', async (_, status, code) => {
    const endpoint = await at(
      reply(status, '<html>', { 'content-type': 'text/html', location: 'http://127.0.0.1:1/' }),
    );
    expect((await rejection(createHttpClient({ endpoint }).get('a'))).code).toBe(code);
  });

  test('a page of somebody else is not an empty list', async () => {
    const endpoint = await at(reply(200, '<html>'));
    expect((await rejection(createHttpClient({ endpoint }).list())).code).toBe('internal');
  });

  test('a token does not follow a redirect', async () => {
    const seen: (string | undefined)[] = [];
    const endpoint = await at((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await rejection(createHttpClient({ endpoint, token: 'secret' }).get('a'));
    expect(seen).toEqual(['Bearer secret']);
  });

  test('a closed port: nothing was done', async () => {
    const endpoint = await at(reply(200, ''));
    await new Promise((resolve) => server.close(resolve));
    expect((await rejection(createHttpClient({ endpoint }).put(document('a')))).code).toBe('unavailable');
  });

  test('a connection cut after the request: a change may have been made, a question not', async () => {
    const endpoint = await at((request) => request.socket.destroy());
    const cut = createHttpClient({ endpoint });
    expect((await rejection(cut.put(document('a')))).code).toBe('outcome-unknown');
    expect((await rejection(cut.get('a'))).code).toBe('unavailable');
  });

  test('a server that never answers', async () => {
    const clock = new VirtualClock();
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const endpoint = await at(() => arrived());
    const error = rejection(createHttpClient({ endpoint, timeoutMs: 1_000, clock }).put(document('a')));
    await arrival;
    await clock.advance(1_000);
    expect((await error).code).toBe('outcome-unknown');
    expect(clock.waiting).toBe(0);
  });

  test('an answer without end', async () => {
    const endpoint = await at((_, response) => {
      const more = () => response.write('x'.repeat(1 << 20), more);
      response.on('error', () => {});
      more();
    });
    expect((await rejection(createHttpClient({ endpoint }).list())).code).toBe('too-large');
  });
});

describe('where the server listens', () => {
  test('without a token, on this machine only', () => {
    expect(listenOn({})).toMatchObject({
      hostname: '127.0.0.1',
      message: expect.stringContaining('CRONKEEPER_API_TOKEN'),
    });
    for (const hostname of ['localhost', '127.0.0.2', '::1']) expect(listenOn({ hostname }).hostname).toBe(hostname);
    for (const hostname of ['0.0.0.0', '::', '192.168.0.7', 'example.com', '']) {
      expect(errorOf(() => listenOn({ hostname })).problems[0]?.field).toBe('hostname');
    }
  });

  test('with a token, where it is told to', () => {
    expect(listenOn({ apiToken: API_TOKEN }).hostname).toBe('0.0.0.0');
    expect(listenOn({ apiToken: API_TOKEN, hostname: '127.0.0.1' }).hostname).toBe('127.0.0.1');
  });

  test.each(['iam', 'jwt'] as const)('not at all for callers whom %s in front should have let through', (auth) => {
    const error = errorOf(() => listenOn({ auth, apiToken: API_TOKEN }));
    expect([error.code, error.problems[0]?.field]).toEqual(['invalid', 'CRONKEEPER_AUTH']);
  });

  test('headers and addresses without end are not read', async () => {
    const long = 'x'.repeat(HEADER_BYTES_MAX);
    expect((await fetch(`${served.url}/healthz`, { headers: { 'x-long': long } })).status).toBe(431);
    expect((await fetch(`${served.url}/healthz?${long}`)).status).toBe(431);
    expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
  });

  test('a port that is taken is said', async () => {
    const app = createApi({ keeper, apiToken: API_TOKEN });
    const error = await rejection(serve({ app, hostname: '127.0.0.1', port: Number(new URL(served.url).port) }));
    expect([error.code, error.message]).toEqual(['unavailable', expect.stringContaining('EADDRINUSE')]);
  });

  test('closing does not wait for ever for an answer under way', async () => {
    const clock = new VirtualClock();
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const list = () => {
      arrived();
      return new Promise<never>(() => {});
    };
    const app = createApi({ keeper: keeperWith(keeper, { tasks: { list } }), apiToken: API_TOKEN });
    const stuck = await serve({ app, hostname: '127.0.0.1', port: 0, clock });
    const asked = rejection(createHttpClient({ endpoint: stuck.url, token: API_TOKEN }).list());
    await arrival;
    const closed = stuck.close();
    await clock.advance(2_000);
    await closed;
    expect((await asked).code).toBe('unavailable');
  });
});

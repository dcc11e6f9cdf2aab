/** The HTTP API end to end, on the embedded coordinator and the real sandbox. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as schemas from '../src/api/schemas.ts';
import { createApi } from '../src/api.ts';
import { CronkeeperError, type ErrorCode } from '../src/errors.ts';
import type { Page } from '../src/tasks.ts';
import { type Api, askApp, keeperWith, openApi, SAFE_HEADERS, undocumented } from './support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const document = { schedule: { every: '1h' }, code: "({ output: 'done' })" };
const put = (id: string, changes: object = {}, headers = {}) =>
  api.ask('PUT', `/v1/tasks/${id}`, { body: { ...document, ...changes }, headers });

describe('a task over HTTP', () => {
  test('is stored, changed, left alone by the same document, read, and removed', async () => {
    const created = await put('life');
    expect([created.status, created.headers.get('etag'), created.headers.get('location')]).toEqual([
      201,
      '"1"',
      '/v1/tasks/life',
    ]);
    expect(created.body).toMatchObject({ id: 'life', schedule: { every: '1h' }, status: 'active', revision: 1 });
    expect(created.body).not.toHaveProperty('created');

    const same = await put('life');
    expect([same.status, same.headers.get('etag')]).toEqual([200, '"1"']);
    const changed = await put('life', { timeout: '3s' });
    expect([changed.status, changed.headers.get('etag'), changed.body.timeout]).toEqual([200, '"2"', '3s']);

    const read = await api.ask('GET', '/v1/tasks/life');
    expect([read.status, read.headers.get('etag')]).toEqual([200, '"2"']);
    expect(read.body).toEqual(changed.body);

    const removed = await api.ask('DELETE', '/v1/tasks/life');
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect((await api.ask('GET', '/v1/tasks/life')).status).toBe(404);
    expect((await api.ask('DELETE', '/v1/tasks/life')).status).toBe(404);
  });

  test('comes as YAML too, with the id in the path, in both places, or not at all twice', async () => {
    const body = 'schedule: { every: 1h }\ncode: |\n  export default () => 1;\n';
    const created = await api.ask('PUT', '/v1/tasks/yaml', {
      body,
      headers: { 'content-type': 'application/yaml; charset=utf-8' },
    });
    expect([created.status, created.body.code]).toEqual([201, 'export default () => 1;\n']);
    expect((await put('both', { id: 'both' })).status).toBe(201);
  });

  test('is paused and resumed', async () => {
    await put('sleepy');
    const paused = await api.ask('POST', '/v1/tasks/sleepy/pause');
    expect([paused.status, paused.body.status, paused.body.nextAt]).toEqual([200, 'paused', null]);
    expect(paused.headers.get('etag')).toBe(`"${paused.body.revision}"`);
    const resumed = await api.ask('POST', '/v1/tasks/sleepy/resume');
    expect([resumed.status, resumed.body.status]).toEqual([200, 'active']);
  });

  test('runs when asked to, once per key, with the input of the request, and tells how it went', async () => {
    await put('manual', {
      code: 'export default (ctx) => { console.log("got", ctx.input.n); return { output: ctx.input.n }; }',
    });
    const first = await api.ask('POST', '/v1/tasks/manual/run', {
      body: { input: { n: 7 } },
      headers: { 'idempotency-key': '"k-1"' },
    });
    expect(first.status).toBe(202);
    expect(undocumented(first.body, schemas.launchAsked)).toEqual([]);
    const again = await api.ask('POST', '/v1/tasks/manual/run', { body: { input: { n: 8 }, key: 'k-1' } });
    expect(again.body).toEqual(first.body);
    await api.keeper.tick();
    const runs = await api.ask('GET', '/v1/tasks/manual/runs');
    expect(runs.body.items).toHaveLength(1);
    expect(runs.body.items[0]).toMatchObject({
      ...first.body,
      status: 'succeeded',
      output: 7,
      logs: ['got 7'],
      manual: true,
    });
    expect(undocumented(runs.body.items[0], schemas.run)).toEqual([]);
    const { body } = await api.ask('GET', '/v1/tasks/manual');
    expect(body.lastRun).toEqual(runs.body.items[0]);
    expect(undocumented(body, schemas.task)).toEqual([]);
  });

  test('shows of each run its code and what it was granted, and not what it saw', async () => {
    const { body: task } = await put('granted', {
      capabilities: { fetch: ['https://api.example.com'], call: ['none'] },
    });
    await api.ask('POST', '/v1/tasks/granted/run', { body: { input: { secret: 1 } } });
    await api.ask('POST', '/v1/tasks/granted/run', { body: { input: 'x'.repeat(20_000) } });
    await api.keeper.tick();
    const { body } = await api.ask('GET', '/v1/tasks/granted/runs');
    const given = { codeHash: task.codeHash, granted: { fetch: ['https://api.example.com'], call: [] } };
    expect(body.items).toMatchObject([{ ...given, notReplayable: expect.any(String) }, given]);
    expect(JSON.stringify(body)).not.toContain('secret');
    for (const run of body.items) expect(undocumented(run, schemas.run)).toEqual([]);
  });

  test('may be asked to run without a body and without a content type', async () => {
    await put('bare');
    expect((await api.ask('POST', '/v1/tasks/bare/run')).status).toBe(202);
  });

  test('that fails for good is a dead letter', async () => {
    await put('doomed', { code: 'throw new TypeError("no")', retry: { attempts: 1 } });
    const { body } = await api.ask('POST', '/v1/tasks/doomed/run', { body: { input: 'x' } });
    await api.keeper.tick();
    const letters = await api.ask('GET', '/v1/dead-letters?limit=10');
    expect(letters.body.items).toHaveLength(1);
    expect(letters.body.items[0]).toMatchObject({
      launchId: body.launchId,
      taskId: 'doomed',
      run: { status: 'failed' },
    });
    expect(letters.body.items[0].run.error).toMatchObject({ class: 'Thrown', name: 'TypeError', message: 'no' });
    expect(schemas.deadLetterPage.safeParse(letters.body).success).toBe(true);
    expect((await api.ask('GET', '/v1/dead-letters?taskId=other')).body.items).toEqual([]);
    const redriven = await api.ask('POST', '/v1/tasks/doomed/redrive', { body: { launchId: body.launchId } });
    expect([redriven.status, undocumented(redriven.body, schemas.redrive)]).toEqual([202, []]);
    expect(redriven.body).toMatchObject({ launches: [{ redriveOf: body.launchId }], left: 0 });
    expect((await api.ask('POST', '/v1/tasks/doomed/redrive')).body).toEqual({ launches: [], left: 0 });
    await api.keeper.tick();
    const { body: runs } = await api.ask('GET', '/v1/tasks/doomed/runs?limit=1');
    expect(runs.items[0]).toMatchObject({ redriveOf: body.launchId, forSlot: body.slot });
    expect(undocumented(runs.items[0], schemas.run)).toEqual([]);
  });

  test('may be asked to make up for slots of the past, once', async () => {
    await put('late');
    const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T02:00:00.000Z' };
    const ask = (headers = {}, more = {}) =>
      api.ask('POST', '/v1/tasks/late/backfill', { body: { ...range, ...more }, headers });
    const asked = await ask({ 'idempotency-key': 'k' });
    expect([asked.status, asked.body]).toEqual([202, { count: 3, ...range }]);
    expect((await ask({}, { key: 'k' })).body).toEqual(asked.body);
    expect((await ask({ 'idempotency-key': 'k' }, { key: 'other' })).status).toBe(422);
    expect((await ask()).status).toBe(409);
    expect((await ask({}, { to: '2096-01-01T00:00:00Z', key: 'k' })).body.errors).toMatchObject([{ field: 'to' }]);
    const { body } = await api.ask('GET', '/v1/tasks/late');
    expect(body.backfill).toEqual({ ...range, count: 3, next: range.from });
    expect(undocumented(body, schemas.task)).toEqual([]);
  });
});

describe('events over HTTP', () => {
  const emit = (body: unknown) => api.ask('POST', '/v1/events', { body });
  const shipped = { source: 'shop', 'detail-type': 'Shipped', detail: { order: 7 } };
  const heard = { schedule: undefined, on: [{ source: 'shop', detail: { order: [7] } }] };

  test('launch the tasks that name them, once per id, one by one or several at a time', async () => {
    const { body: view } = await put('hears', { ...heard, code: 'export default (ctx) => ctx.input' });
    expect(view).toMatchObject({ id: 'hears', on: [{ source: ['shop'] }], nextAt: null });
    expect(undocumented(view, schemas.task)).toEqual([]);
    await put('sleeps', { ...heard, paused: true });
    const one = await emit({ ...shipped, id: 'e1' });
    expect(one.status).toBe(202);
    expect(one.body.refused).toMatchObject([{ taskId: 'sleeps', message: expect.stringContaining('is paused') }]);
    expect(undocumented(one.body, schemas.emitted)).toEqual([]);
    const { 'detail-type': detailType, ...rest } = shipped;
    const several = await emit([{ ...rest, detailType, id: 'e1', version: '0' }, shipped, { ...shipped, detail: {} }]);
    const { items } = several.body;
    expect(items.map(({ launches }: { launches: unknown[] }) => launches.length)).toEqual([1, 1, 0]);
    expect([items[0], items[1].launches]).toEqual([one.body, expect.not.arrayContaining(one.body.launches)]);
    await api.keeper.tick();
    const { body } = await api.ask('GET', '/v1/tasks/hears/runs');
    expect(body.items.map(({ eventId, output }: { eventId: string; output: object }) => [eventId, output])).toEqual([
      [expect.any(String), expect.objectContaining({ ...shipped, time: expect.any(String) })],
      ['e1', expect.objectContaining({ ...shipped, id: 'e1' })],
    ]);
    expect(undocumented(body.items[0], schemas.run)).toEqual([]);
  });

  test.each<[unknown, readonly string[]]>([
    [{ ...shipped, detial: 1 }, ['detial']],
    [{ source: '' }, ['source']],
    [{ source: 'a' }, ['detail-type']],
    [{ ...shipped, detailType: 'other' }, ['detailType']],
    [{ ...shipped, id: 'x'.repeat(129), time: 'now' }, ['id', 'time']],
    [{ ...shipped, detail: 'x'.repeat(40_000) }, ['']],
    [[], ['']],
    [Array(11).fill(shipped), ['']],
    [[shipped, { ...shipped, id: 5 }], ['1.id']],
    ['null', ['']],
  ])('that are none are refused: %#', async (body, fields) => {
    const answer = await emit(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid']);
    expect(answer.body.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
    // Not even the first of several is launched for.
    expect((await api.keeper.tick()).due).toBe(0);
  });
});

describe('conditional requests', () => {
  const ifMatch = (etag: string) => ({ 'if-match': etag });

  test('only the first writer of a revision wins', async () => {
    await put('race');
    expect((await put('race', { timeout: '1s' }, ifMatch('"1"'))).status).toBe(200);
    const late = await put('race', { timeout: '2s' }, ifMatch('"1"'));
    expect([late.status, late.body.code]).toEqual([412, 'conflict']);
    expect((await api.ask('GET', '/v1/tasks/race')).body.timeout).toBe('1s');
    expect((await api.ask('DELETE', '/v1/tasks/race', { headers: ifMatch('"1"') })).status).toBe(412);
    expect((await api.ask('DELETE', '/v1/tasks/race', { headers: ifMatch('"2"') })).status).toBe(204);
  });

  test('a task is made only where there is none, or changed only where there is one', async () => {
    expect((await put('new', {}, { 'if-none-match': '*' })).status).toBe(201);
    expect((await put('new', {}, { 'if-none-match': '*' })).status).toBe(412);
    expect((await put('absent', {}, ifMatch('*'))).status).toBe(412);
    expect((await put('new', { timeout: '1s' }, ifMatch('*'))).status).toBe(200);
  });

  test('of several ETags one must match, strongly', async () => {
    await put('several');
    expect((await put('several', { timeout: '1s' }, ifMatch('"7", "1"'))).status).toBe(200);
    expect((await put('several', { timeout: '2s' }, ifMatch('"7", "8"'))).status).toBe(412);
    expect((await put('several', { timeout: '2s' }, ifMatch('W/"2"'))).status).toBe(412);
    expect((await put('several', { timeout: '2s' }, ifMatch('"another-kind"'))).status).toBe(412);
  });
});

describe('lists', () => {
  test('pages of tasks hold every task once, whatever the filter', async () => {
    const ids = Array.from({ length: 23 }, (_, i) => `page.${i}`);
    await api.keeper.tasks.putMany(
      ids.map((id, i) => ({ ...document, id, paused: i % 2 === 0, labels: { parity: String(i % 2) } })),
    );
    const all = async (query: string) => {
      const seen: string[] = [];
      for (let cursor = ''; ; ) {
        const { status, body } = await api.ask('GET', `/v1/tasks?limit=4&prefix=page.${query}${cursor}`);
        expect(status).toBe(200);
        expect(body.items.length).toBeLessThanOrEqual(4);
        seen.push(...body.items.map(({ id }: { id: string }) => id));
        if (body.cursor === undefined) return seen.sort();
        cursor = `&cursor=${encodeURIComponent(body.cursor)}`;
      }
    };
    expect(await all('')).toEqual(ids.toSorted());
    expect(await all('&status=paused')).toEqual(ids.filter((_, i) => i % 2 === 0).sort());
    expect(await all('&label=parity%3D1')).toEqual(ids.filter((_, i) => i % 2 === 1).sort());
  });

  test('pages of runs go from the newest to the oldest, each once', async () => {
    await put('often');
    for (let i = 0; i < 5; i++) await api.ask('POST', '/v1/tasks/often/run');
    while ((await api.keeper.tick()).due > 0);
    const first = await api.ask('GET', '/v1/tasks/often/runs?limit=3');
    const rest = await api.ask('GET', `/v1/tasks/often/runs?limit=3&cursor=${encodeURIComponent(first.body.cursor)}`);
    const slots = [...first.body.items, ...rest.body.items].map(({ slot }: { slot: string }) => slot);
    expect(slots).toHaveLength(5);
    expect(slots).toEqual([...new Set(slots)].toSorted().reverse());
    expect(rest.body).not.toHaveProperty('cursor');
  });

  test('a page that would be larger than an answer may be comes shorter, and goes on', async () => {
    const limits: number[] = [];
    const runs = async (_: string, { limit = 100 } = {}): Promise<Page<never>> => {
      limits.push(limit);
      return { items: Array.from({ length: limit }, () => 'x'.repeat(100_000)) as never[], cursor: 'next' };
    };
    const app = createApi({ keeper: keeperWith(api.keeper, { tasks: { runs } }), allowAnonymous: true });
    const { text, body } = await askApp(app, 'GET', '/v1/tasks/big/runs?limit=150');
    expect(text.length).toBeLessThan(4 * 1024 * 1024);
    expect(body.cursor).toBe('next');
    expect(limits).toEqual([150, 75, 38]);
  });
});

describe('what the API tells about schedules and itself', () => {
  test('the next slots of a schedule, stored or not', async () => {
    const ask = (body: object) => api.ask('POST', '/v1/schedule/preview', { body });
    const from = '2026-03-27T12:00:00Z';
    const cron = await ask({ schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, from, count: 2 });
    expect(cron.body).toEqual({ items: ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z'] });
    const text = await ask({ schedule: '0 9 * * *', timeZone: 'Asia/Tokyo', from, count: 1 });
    expect(text.body).toEqual({ items: ['2026-03-28T00:00:00.000Z'] });
    expect((await ask({ schedule: { at: '2020-01-01T00:00:00Z' }, from })).body).toEqual({ items: [] });
    expect((await ask({ schedule: { every: '1h' } })).body.items).toHaveLength(5);
  });

  test('its shards, without the folders of the machine', async () => {
    const status = { ...(await api.keeper.status()), coordinator: 'embedded:/home/somebody/private/tasks.db' };
    const app = createApi({ keeper: keeperWith(api.keeper, { status: async () => status }), allowAnonymous: true });
    const { body } = await askApp(app, 'GET', '/v1/status');
    expect(body).toEqual({ ...status, coordinator: 'embedded:tasks.db' });
    expect(undocumented(body, schemas.status)).toEqual([]);
  });

  test('its health, asked of the coordinator once a second at most', async () => {
    let asked = 0;
    const status = async () => {
      asked++;
      return api.keeper.status();
    };
    const app = createApi({ keeper: keeperWith(api.keeper, { status }), allowAnonymous: true, clock: stoppedClock });
    expect(await Promise.all([1, 2, 3].map(async () => (await askApp(app, 'GET', '/healthz')).body))).toEqual(
      Array(3).fill({ status: 'ok' }),
    );
    expect(asked).toBe(1);
  });
});

const stoppedClock = { now: () => 0, elapsed: () => 0, after: () => () => {} };

describe('when the coordinator fails', () => {
  const FAILURES: readonly (readonly [code: ErrorCode, status: number, retryAfter: string | null])[] = [
    ['unavailable', 503, '5'],
    ['session-lost', 503, '5'],
    ['outcome-unknown', 504, null],
    ['corrupt', 500, null],
    ['internal', 500, null],
  ];

  test.each(FAILURES)('%s is %i, and the answer keeps the machine to itself', async (code, status, retryAfter) => {
    const logged: unknown[] = [];
    const list = () => Promise.reject(new CronkeeperError(code, 'cannot open /home/somebody/tasks.db of 10.0.0.7'));
    const app = createApi({
      keeper: keeperWith(api.keeper, { tasks: { list } }),
      allowAnonymous: true,
      log: (...entry) => logged.push(entry),
    });
    const answer = await askApp(app, 'GET', '/v1/tasks');
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([status, code, retryAfter]);
    expect(answer.text).not.toMatch(/somebody|10\.0\.0/);
    expect(Object.fromEntries(answer.headers)).toMatchObject(SAFE_HEADERS);
    expect(JSON.stringify(logged)).toContain('/home/somebody/tasks.db');
  });

  test('a bug is a problem document too, without its message', async () => {
    const list = () => Promise.reject(new TypeError("Cannot read properties of undefined (reading 'secret')"));
    const app = createApi({ keeper: keeperWith(api.keeper, { tasks: { list } }), allowAnonymous: true });
    const answer = await askApp(app, 'GET', '/v1/tasks');
    expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
    expect(answer.text).not.toContain('secret');
  });

  test('it is not healthy', async () => {
    const status = () => Promise.reject(new CronkeeperError('unavailable', 'no server answers'));
    const app = createApi({ keeper: keeperWith(api.keeper, { status }), allowAnonymous: true });
    const answer = await askApp(app, 'GET', '/healthz');
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  });
});

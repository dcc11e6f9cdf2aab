/**
 * The zips, unpacked outside of the checkout, as Lambda runs them: cold, warm, frozen for longer than a session lasts,
 * killed in the middle of a run, started twice by one event. On a real ZooKeeper of their own.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import type { TickReport } from '../../src/report.ts';
import type { TaskDocument } from '../../src/task.ts';
import type { Servers } from '../../tools/zookeeper-server.ts';
import { eventually } from '../contract/coordinator/world.ts';
import { fixture } from '../support/lambda.ts';
import { startServers } from '../support/zookeeper.ts';
import { type EnvironmentOptions, LambdaEnvironment } from './runtime-api.ts';
import type { FunctionName, Workspace } from './workspace.ts';

const SESSION_MS = 1_000;
const SHARDS = 2;
const WARM_INVOCATIONS = 500;
/** Room for JavaScript's objects, garbage included: who keeps 60 KiB of each invocation does not come through. */
const HEAP_MIB = 48;
/** What a process may have grown by after so many: that room, and little else. */
const GROWTH_BYTES_MAX = (HEAP_MIB + 24) * 1024 * 1024;
const TOKEN = 'write-token-0123456789';

export function artefactTests(service: () => Workspace): void {
  let servers: Servers;
  let url: string;
  let keeper: Cronkeeper;
  let made = 0;
  const environments: LambdaEnvironment[] = [];

  beforeAll(async () => {
    servers = await startServers(1);
  });
  afterAll(() => servers?.stop());
  beforeEach(async () => {
    url = `zookeeper://${servers.addresses[0]}/artefact-${++made}`;
    keeper = await openCronkeeper({ url, sessionTimeoutMs: SESSION_MS, shards: SHARDS });
  });
  afterEach(async () => {
    await Promise.all(environments.splice(0).map((environment) => environment[Symbol.asyncDispose]()));
    await keeper.close();
  });

  const start = async (name: FunctionName, options: Partial<EnvironmentOptions> = {}): Promise<LambdaEnvironment> => {
    const env = {
      CRONKEEPER_URL: url,
      CRONKEEPER_SESSION_TIMEOUT_MS: `${SESSION_MS}`,
      CRONKEEPER_SHARDS: `${SHARDS}`,
      CRONKEEPER_API_TOKEN: TOKEN,
      ...options.env,
    };
    const started = await LambdaEnvironment.start({ name, taskRoot: service().taskRoot(name), ...options, env });
    environments.push(started);
    return started;
  };
  const tick = async (environment: LambdaEnvironment, event: unknown = SCHEDULED): Promise<TickReport> => {
    const answer = await environment.invoke(event);
    if (answer.status !== 'ok') throw new Error(JSON.stringify(answer));
    return answer.payload as TickReport;
  };
  /** A task that is due at once, and only once. */
  const putDue = async (id: string, code: string, rest: Partial<TaskDocument> = {}) => {
    await keeper.tasks.put({ id, schedule: { every: '365d' }, code, ...rest });
    await keeper.tasks.run(id);
  };
  const runsOf = async (id: string) => (await keeper.tasks.runs(id)).items;
  const frozen = (environment: LambdaEnvironment) => eventually('it is frozen', () => environment.isFrozen);

  describe('the tick', () => {
    test('runs what is due from cold, and again while it is warm', async () => {
      await putDue('first', '({ output: "cold" })');
      const environment = await start('tick');
      expect(await tick(environment)).toMatchObject({ shards: 2, due: 1, succeeded: 1 });
      const { pid } = environment;
      await putDue('second', '({ output: "warm" })');
      expect(await tick(environment)).toMatchObject({ shards: 2, due: 1, succeeded: 1 });
      expect(environment.pid).toBe(pid);
      expect([...(await runsOf('first')), ...(await runsOf('second'))]).toMatchObject([
        { output: 'cold', attempt: 1, status: 'succeeded' },
        { output: 'warm', attempt: 1, status: 'succeeded' },
      ]);
    });

    test('goes on after it was frozen for longer than its session, and leaves none behind', async () => {
      const environment = await start('tick');
      await tick(environment);
      await frozen(environment);
      await putDue('after', '({ output: "thawed" })');
      await delay(3 * SESSION_MS);
      expect(await tick(environment)).toMatchObject({ shards: 2, due: 1, succeeded: 1 });
      expect(await runsOf('after')).toMatchObject([{ output: 'thawed', attempt: 1 }]);
      await keeper.release();
      await eventually('nobody is connected', async () => (await servers.members[0]?.connections()) === 0);
    });

    test('that is killed in the middle of a run is followed by one that runs it again, and it is recorded once', async () => {
      const code =
        'export default (ctx) => ctx.attempt === 1 ? new Promise(() => setTimeout(() => {}, 1e6)) : ctx.attempt';
      await putDue('cut', code, { timeout: '20s' });
      const killed = await start('tick', { killAfterMs: 2_000 });
      expect(await killed.invoke(SCHEDULED)).toEqual({ status: 'timed-out' });
      const next = await start('tick');
      await eventually('the dead holder is gone', async () => (await tick(next)).succeeded === 1);
      expect(await runsOf('cut')).toMatchObject([{ attempt: 2, status: 'succeeded', output: 2 }]);
      expect(await tick(next)).toMatchObject({ due: 0 });
    });

    test('that one event has started twice launches once', async () => {
      const code = 'export default () => new Promise((resolve) => setTimeout(resolve, 50, "once"))';
      for (let i = 0; i < 20; i++) await putDue(`twin-${i}`, code);
      const twins = await Promise.all([start('tick'), start('tick')]);
      const reports = await Promise.all(twins.map((twin) => tick(twin)));
      expect(reports.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(20);
      for (let i = 0; i < 20; i++) expect(await runsOf(`twin-${i}`)).toMatchObject([{ attempt: 1, output: 'once' }]);
    });

    test('tells what is wrong with an event, and is well at the next', async () => {
      const environment = await start('tick');
      for (const event of [{ command: 'drop' }, { Records: [] }, [1], 'tick', { lingerMs: -1 }]) {
        expect(await environment.invoke(event)).toMatchObject({
          status: 'error',
          payload: { errorType: 'CronkeeperError', errorMessage: expect.stringContaining('received') },
        });
      }
      const early = { ...SCHEDULED, time: '2020-01-01T00:00:00Z' };
      // Whenever the event was made, what is due is for the coordinator's clock to say.
      expect(await tick(environment, early)).toMatchObject({ shards: 2, due: 0 });
    });

    test('says at its start what is missing, and does not wait for the first event', async () => {
      const environment = await start('tick', { env: { CRONKEEPER_URL: '' } });
      await eventually('it has said so', () => environment.initError !== undefined);
      expect(environment.initError).toMatchObject({ errorMessage: expect.stringContaining('CRONKEEPER_URL') });
    });

    test(`neither grows nor leaves connections in ${WARM_INVOCATIONS} warm invocations`, async () => {
      const environment = await start('tick', { env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` } });
      await keeper.tasks.put({ id: 'beat', schedule: { every: '1s' }, code: '({ output: 1 })' });
      const invoke = async (count: number) => {
        for (let i = 0; i < count; i++) await tick(environment);
        await frozen(environment);
        return usageOf(environment.pid);
      };
      const before = await invoke(WARM_INVOCATIONS / 5);
      const after = await invoke(WARM_INVOCATIONS);
      expect(after.sockets).toBe(before.sockets);
      expect(after.threads).toBe(before.threads);
      expect(after.bytes - before.bytes).toBeLessThan(GROWTH_BYTES_MAX);
      await keeper.release();
      await eventually('nobody is connected', async () => (await servers.members[0]?.connections()) === 0);
    });
  });

  test.each([
    ['queue', ['sqs', 'sqs-sns', 'sqs-sns-raw'], ['sqs-eventbridge', 'sqs-sns-eventbridge']],
    ['topic', ['sns'], ['sns-eventbridge']],
    ['events', ['eventbridge-command'], ['eventbridge-custom']],
    ['tick', ['scheduler-input'], []],
  ] as const)('%s: what is delivered twice is launched once, at once', async (name, commands, events) => {
    await keeper.tasks.put({ id: 'report', on: [], code: '({ output: 1 })' });
    await keeper.tasks.put({ id: 'orders', on: [{ source: 'shop.orders' }], code: '(ctx) => ctx.input.id' });
    const environment = await start(name);
    for (const event of [...commands, ...events]) {
      for (const delivery of ['first', 'again']) {
        const { status, payload } = (await environment.invoke(fixture(event))) as { status: string; payload: unknown };
        expect([event, delivery, status]).toEqual([event, delivery, 'ok']);
        if (name === 'queue') expect(payload).toEqual({ batchItemFailures: [] });
      }
    }
    expect((await runsOf('report')).map(({ status }) => status)).toEqual(messagesIn(commands).map(() => 'succeeded'));
    // One event, however it comes: its own id is the key.
    expect(await runsOf('orders')).toHaveLength(Math.min(1, events.length));
  });

  test('a poisoned message fails alone, and is named in one line', async () => {
    await keeper.tasks.put({ id: 'report', on: [], code: '({ output: 1 })' });
    const environment = await start('queue');
    const [good] = (fixture('sqs') as { Records: object[] }).Records;
    const bad = { ...good, messageId: 'poison', body: '{"command":"run","taskId":"report","inpt":1}' };
    expect(await environment.invoke({ Records: [bad, good] })).toEqual({
      status: 'ok',
      payload: { batchItemFailures: [{ itemIdentifier: 'poison' }] },
    });
    expect(await runsOf('report')).toHaveLength(1);
    expect(environment.log.filter(({ level }) => level === 'ERROR')).toMatchObject([
      { message: 'message failed', messageId: 'poison', error: expect.stringContaining('inpt') },
    ]);
  });

  test('a task that a request has stored is run by a tick, each in a function of its own', async () => {
    const api = await start('api');
    const stored = await api.invoke(
      request('PUT', '/v1/tasks/hello', { schedule: { every: '1s' }, code: '({ output: 1 })' }),
    );
    expect(stored).toMatchObject({ status: 'ok', payload: { statusCode: 201 } });
    const ticking = await start('tick');
    await eventually('it has run', async () => (await tick(ticking)).succeeded > 0);
    const runs = await api.invoke(request('GET', '/v1/tasks/hello/runs'));
    expect(runs).toMatchObject({
      status: 'ok',
      payload: { statusCode: 200, body: expect.stringContaining('succeeded') },
    });
  });
}

/** Messages of these events, each a command of its own. */
const messagesIn = (names: readonly string[]): readonly unknown[] =>
  names.flatMap((name) => (fixture(name).Records as unknown[] | undefined) ?? [name]);

const SCHEDULED = {
  version: '0',
  id: '0a9b8c7d-1234-4abc-9def-0123456789ab',
  'detail-type': 'Scheduled Event',
  source: 'aws.scheduler',
  account: '123456789012',
  time: '2026-11-28T12:00:00Z',
  region: 'eu-west-1',
  resources: ['arn:aws:scheduler:eu-west-1:123456789012:schedule/default/cronkeeper-dev-tick'],
  detail: '{}',
};

const request = (method: string, path: string, body?: unknown) => ({
  version: '2.0',
  routeKey: 'ANY /{proxy+}',
  rawPath: path,
  rawQueryString: '',
  headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
  requestContext: { http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'curl/8.5.0' } },
  isBase64Encoded: false,
  ...(body !== undefined && { body: JSON.stringify(body) }),
});

/** Of a process: resident memory, open sockets, and threads. */
async function usageOf(pid: number): Promise<{ bytes: number; sockets: number; threads: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const sockets = targets.filter((target) => target.startsWith('socket:')).length;
  return { bytes: number('VmRSS') * 1024, sockets, threads: number('Threads') };
}

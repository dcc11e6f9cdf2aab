/** What is around every handler: the early end, metrics, what a line says, and traces. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openCronkeeper } from '../../src/app.ts';
import { CronkeeperError } from '../../src/errors.ts';
import {
  createApiHandler,
  createEventHandler,
  createQueueHandler,
  createTickHandler,
  createTopicHandler,
} from '../../src/lambda.ts';
import type { RunRecord } from '../../src/record.ts';
import type { TickOptions } from '../../src/tick.ts';
import { API_TOKEN } from '../support/api.ts';
import { context, fixture, memoryLines, recorder } from '../support/lambda.ts';

const handlers = [
  ['tick', createTickHandler, 'scheduler'],
  ['api', createApiHandler, 'http-api-v2'],
  ['queue', createQueueHandler, 'sqs'],
  ['topic', createTopicHandler, 'sns'],
  ['events', createEventHandler, 'eventbridge-command'],
] as const;

describe('a function ends by itself before Lambda ends it, though no coordinator ever answers:', () => {
  test.each(handlers)('%s', async (_, create, event) => {
    // Takes connections, and says nothing.
    const hole = createServer(() => {}).listen(0, '127.0.0.1');
    await once(hole, 'listening');
    const sockets = new Set<{ destroy(): void }>();
    hole.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
    const { port } = hole.address() as { port: number };
    const { write, log } = memoryLines();
    const environment = { CRONKEEPER_URL: `zookeeper://127.0.0.1:${port}`, CRONKEEPER_API_TOKEN: API_TOKEN };
    const evaluator = { run: async () => {}, check: async () => undefined, close: async () => {} };
    try {
      const handler = create({ environment, evaluator, write });
      const result: unknown = await handler(fixture(event), context(1_050)).catch((error: unknown) => error);
      const isAnswer = !(result instanceof Error);
      if (isAnswer) expect(result).toMatchObject({ statusCode: 504 });
      else expect(result).toMatchObject({ code: 'unavailable', message: expect.stringContaining('500 ms before') });
      expect(log().filter(({ level }) => level === 'ERROR')).toHaveLength(isAnswer ? 0 : 1);
    } finally {
      for (const socket of sockets) socket.destroy();
      hole.close();
    }
  });
});

describe('a line of a function', () => {
  test('has the request, the tick that its locks name, the task, the launch and the fence; no token, no event', async () => {
    const keeper = await openCronkeeper({ url: 'embedded:', shards: 1 });
    try {
      const { write, log, text } = memoryLines();
      await keeper.tasks.put({ id: 'report', schedule: { every: '1h' }, code: '1' });
      await keeper.tasks.run('report');
      const invocation = context();
      const asked: TickOptions[] = [];
      const spied = {
        ...recorder().keeper,
        tick: (options: TickOptions = {}) => {
          asked.push(options);
          return keeper.tick(options);
        },
      };
      process.env.POWERTOOLS_LOGGER_LOG_EVENT = 'true';
      const handler = createTickHandler({ keeper: spied, environment: {}, write });
      await handler({ ...fixture('scheduler'), detail: 'secret' }, invocation);
      const [run, tick] = log();
      expect(run).toMatchObject({
        message: 'run',
        service: 'cronkeeper',
        function_request_id: invocation.awsRequestId,
        correlation_id: fixture('scheduler').id,
        tickId: asked[0]?.holder,
        taskId: 'report',
        launchId: expect.stringMatching(/^report@\d+$/),
        fence: 1,
      });
      expect(tick).toMatchObject({
        message: 'tick',
        tickId: run?.tickId,
        function_request_id: invocation.awsRequestId,
      });
      await handler({}, context());
      expect(log().at(-1)?.correlation_id).toBeUndefined();
      expect(text()).not.toContain('secret');
    } finally {
      delete process.env.POWERTOOLS_LOGGER_LOG_EVENT;
      await keeper.close();
    }
  });
});

describe('the metrics of a function', () => {
  const run = (slotMs: number, lateMs: number, more: Partial<RunRecord> = {}) =>
    ({
      slotMs,
      startedMs: slotMs + lateMs,
      finishedMs: slotMs + lateMs,
      attempt: 1,
      status: 'succeeded',
      ...more,
    }) as RunRecord;

  async function measured(runs: readonly (readonly [string, RunRecord])[], environment = {}, fails = false) {
    const { keeper, ticks } = recorder({
      tick: () => {
        for (const [taskId, each] of runs) ticks[0]?.onRun?.(taskId, each);
        if (fails) throw new CronkeeperError('unavailable', 'no server answers');
      },
    });
    const { write, metrics } = memoryLines();
    await createTickHandler({ keeper, environment, write })({}, context()).catch(() => undefined);
    return metrics();
  }

  test('are one line of the log, with a lateness for each launch of the schedule and nothing of retries', async () => {
    const runs = [
      run(1_000, 5),
      run(2_000, 7),
      run(3_000, 9_000, { attempt: 2 }),
      run(4_000, 0, { status: 'skipped' }),
    ];
    const lines = await measured(
      runs.map((each) => ['report', each]),
      { CRONKEEPER_NAMESPACE: 'shop' },
    );
    expect(lines).toMatchObject([
      {
        _aws: { CloudWatchMetrics: [{ Namespace: 'Cronkeeper', Dimensions: [['service', 'namespace']] }] },
        ...{ service: 'cronkeeper', namespace: 'shop', LatenessMs: [5, 7], TickErrors: 0, TickDurationMs: 1 },
        ...{
          Due: 0,
          Deferred: 0,
          Missed: 0,
          LeaseConflicts: 0,
          ClockSkewMs: 0,
          LaunchesSucceeded: 0,
          LaunchesTimedOut: 0,
        },
        ...{ LaunchesFailed: 0, LaunchesSkipped: 0, LaunchesUncertain: 0 },
      },
    ]);
  });

  test('go in lines of a hundred values at most, and none is lost', async () => {
    const runs = Array.from({ length: 250 }, (_, n) => ['report', run(n, n)] as const);
    const values = (await measured(runs)).map(({ LatenessMs }) => LatenessMs as number[]);
    expect(values.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(values.flat()).toEqual(runs.map((_, n) => n));
  });

  test('count a tick that failed, and keep what it had done by then', async () => {
    expect(await measured([['report', run(0, 3)]], {}, true)).toMatchObject([{ TickErrors: 1, LatenessMs: 3 }]);
  });

  test('are told of each task only where that was asked for', async () => {
    const runs = [
      ['a', run(0, 1)],
      ['b', run(0, 2, { status: 'failed' })],
    ] as const;
    const lines = await measured(runs, { CRONKEEPER_TASK_METRICS: 'true' });
    expect(lines.filter(({ task }) => task !== undefined)).toMatchObject([
      { task: 'a', LaunchesSucceeded: 1, LatenessMs: 1 },
      { task: 'b', LaunchesFailed: 1, LatenessMs: 2 },
    ]);
    expect((await measured(runs)).filter(({ task }) => task !== undefined)).toEqual([]);
  });
});

describe('a trace', () => {
  const names = ['_X_AMZN_TRACE_ID', 'AWS_EXECUTION_ENV', 'AWS_XRAY_DAEMON_ADDRESS', 'LAMBDA_TASK_ROOT', '_HANDLER'];
  let daemon: Socket | undefined;
  afterEach(() => {
    daemon?.close();
    for (const name of names) delete process.env[name];
  });

  test('is sent when Lambda samples the invocation, and without what was answered', async () => {
    daemon = createSocket('udp4').bind(0, '127.0.0.1');
    await once(daemon, 'listening');
    const trace = (sampled: number) =>
      `Root=1-69ad3f10-2c5f1b7a0d4e6f8091a2b3c4;Parent=53995c3f42cd8ad8;Sampled=${sampled}`;
    process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs24.x';
    process.env.LAMBDA_TASK_ROOT = '/var/task';
    process.env._HANDLER = 'build/tick.handler';
    process.env.AWS_XRAY_DAEMON_ADDRESS = `127.0.0.1:${daemon.address().port}`;
    const { write } = memoryLines();
    const { keeper } = recorder();
    const handler = createTickHandler({ keeper, write });
    process.env._X_AMZN_TRACE_ID = trace(0);
    await handler({}, context());
    process.env._X_AMZN_TRACE_ID = trace(1);
    const arrived = once(daemon, 'message');
    await handler({}, context());
    const [, segment = ''] = String((await arrived)[0]).split('\n');
    expect(JSON.parse(segment)).toMatchObject({
      type: 'subsegment',
      name: '## build/tick.handler',
      trace_id: '1-69ad3f10-2c5f1b7a0d4e6f8091a2b3c4',
      annotations: { Service: 'cronkeeper' },
    });
    expect(segment).not.toContain('shards');
  });
});

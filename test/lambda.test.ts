/** The Lambda handlers, on events as AWS sends them. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { type Cronkeeper, openCronkeeper } from '../src/app.ts';
import { CronkeeperError } from '../src/errors.ts';
import { createApiHandler, createTickHandler } from '../src/lambda.ts';
import { createJsonLog } from '../src/log.ts';
import type { TickOptions } from '../src/tick.ts';
import { directTrigger } from '../src/trigger/direct.ts';
import { scheduleTrigger } from '../src/trigger/schedule.ts';
import { commandOf, type Trigger } from '../src/trigger.ts';
import { API_TOKEN, keeperWith, SAFE_HEADERS } from './support/api.ts';
import { errorOf } from './support/error-of.ts';

const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`./events/${name}.json`, import.meta.url), 'utf8'));

const context = (remainingMs = 60_000): Context =>
  ({ awsRequestId: 'r-1', functionName: 'tick', getRemainingTimeInMillis: () => remainingMs }) as Context;

/** Lines of a log, parsed. */
const memoryLog = () => {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createJsonLog((line) => lines.push(JSON.parse(line)), { now: () => 0 }) };
};

const REPORT = { shards: 8, due: 0, durationMs: 1 };

/** What a tick by itself does not use. */
const noTasks = {
  tasks: {} as Cronkeeper['tasks'],
  emit: async () => ({ launches: [], refused: [] }),
  release: async () => {},
};

/** A keeper that notes how it was asked to tick. */
const tickRecorder = () => {
  const asked: TickOptions[] = [];
  const tick = async (options: TickOptions = {}) => {
    asked.push(options);
    return REPORT as never;
  };
  return { asked, keeper: { tick, ...noTasks } };
};

describe('which events are a tick', () => {
  const triggers: readonly Trigger[] = [scheduleTrigger, directTrigger];

  test.each([
    ['EventBridge Scheduler', fixture('scheduler'), undefined],
    ['a scheduled rule', fixture('scheduled-rule'), undefined],
    ['a call without a payload', {}, undefined],
    ['a call with nothing at all', null, undefined],
    ['a linger alone', { lingerMs: 55_000 }, 55_000],
    ['a command', { command: 'tick' }, undefined],
    ['a command with a linger', { command: 'tick', lingerMs: 0 }, 0],
  ])('%s', (_, event, lingerMs) => {
    expect(commandOf(event, triggers, 'r-1')).toEqual({ kind: 'tick', ...(lingerMs !== undefined && { lingerMs }) });
  });

  test.each([
    ['records of a queue', fixture('sqs'), 'records from "aws:sqs"'],
    ['an HTTP request', fixture('http-api-v2'), 'an HTTP request'],
    [
      'another event of EventBridge',
      { source: 'aws.s3', 'detail-type': 'Object Created', detail: {} },
      '"Object Created" from "aws.s3"',
    ],
    ['an object of unknown kind', { hello: 1 }, 'an object with "hello"'],
    ['a text', 'tick', 'a text of 4 characters'],
    ['a list', [1], 'a list of 1'],
    ['another command', { command: 'drop' }, 'received "drop"; allowed: tick, run, pause'],
    ['a linger beyond the longest function', { lingerMs: 900_001 }, 'lingerMs: received 900001'],
    ['a linger in words', { lingerMs: '55s' }, 'lingerMs: received "55s"'],
    ['a misspelt field', { command: 'tick', linger: 1 }, 'linger: unknown'],
    ['a shard that cannot be', { command: 'tick', shards: [0, 256] }, 'shards: received [0,256]'],
    ['a shard named twice', { command: 'tick', shards: [3, 3] }, 'shards: received [3,3]'],
    ['a generation too many', { command: 'tick', generation: 4 }, 'generation: received 4'],
  ])('%s is refused, and named', (_, event, message) => {
    const error = errorOf(() => commandOf(event, triggers, 'r-1'));
    expect([error.code, error.message]).toEqual(['invalid', expect.stringContaining(message)]);
  });
});

test('a call for help says which shards, and how many have called before', () => {
  const sharing = { shards: [1, 5], generation: 1 };
  expect(commandOf({ command: 'tick', ...sharing }, [directTrigger], 'r-1')).toEqual({ kind: 'tick', ...sharing });
});

describe('the tick handler', () => {
  test('ends before Lambda ends it, and lingers as the event says, the options, or the environment', async () => {
    const { asked, keeper } = tickRecorder();
    const environment = { CRONKEEPER_LINGER_MS: '3000' };
    const { log } = memoryLog();
    await createTickHandler({ keeper, environment, log })(fixture('scheduler'), context(30_000));
    await createTickHandler({ keeper, environment, log, lingerMs: 2_000 })({}, context(30_000));
    await createTickHandler({ keeper, environment, log, lingerMs: 2_000 })({ lingerMs: 1_000 }, context(30_000));
    await createTickHandler({ keeper, environment, log })({}, context(200));
    expect(asked.map(({ lingerMs, budgetMs }) => [lingerMs, budgetMs])).toEqual([
      [3_000, 29_000],
      [2_000, 29_000],
      [1_000, 29_000],
      [3_000, 0],
    ]);
  });

  test('runs what is due in two invocations of one warm environment, and logs each run', async () => {
    const keeper = await openCronkeeper({ url: 'embedded:' });
    try {
      const { lines, log } = memoryLog();
      const handler = createTickHandler({ keeper, environment: {}, log });
      await keeper.tasks.put({
        id: 'talks',
        schedule: { every: '1h' },
        code: 'console.log("private"); ({ output: "private" })',
        input: 'private',
      });
      await keeper.tasks.run('talks');
      expect(await handler(fixture('scheduler'), context())).toMatchObject({ shards: 8, due: 1, succeeded: 1 });
      await keeper.tasks.run('talks');
      expect(await handler(fixture('scheduled-rule'), context())).toMatchObject({ shards: 8, due: 1, succeeded: 1 });
      expect(lines.map(({ level, message, taskId, status, due }) => [level, message, taskId ?? due, status])).toEqual([
        ['INFO', 'run', 'talks', 'succeeded'],
        ['INFO', 'tick', 1, undefined],
        ['INFO', 'run', 'talks', 'succeeded'],
        ['INFO', 'tick', 1, undefined],
      ]);
      expect(JSON.stringify(lines)).not.toContain('private');
    } finally {
      await keeper.close();
    }
  });

  test('gives up shortly before the function is ended, though the coordinator does not answer', async () => {
    let aborted: AbortSignal | undefined;
    const keeper = {
      ...noTasks,
      tick: ({ signal }: TickOptions = {}) => {
        aborted = signal;
        return new Promise<never>(() => {});
      },
    };
    const { lines, log } = memoryLog();
    const error = await createTickHandler({ keeper, environment: {}, log })({}, context(520)).catch((reason) => reason);
    expect(error).toBeInstanceOf(CronkeeperError);
    expect(error.message).toContain('500 ms before');
    expect(aborted?.aborted).toBe(true);
    expect(lines).toMatchObject([{ level: 'ERROR', message: 'tick failed', code: 'unavailable' }]);
  });

  test('fails at once without a coordinator, or with a wrong environment', () => {
    expect(errorOf(() => createTickHandler({ environment: {} })).problems[0]?.field).toBe('CRONKEEPER_URL');
    const wrong = { CRONKEEPER_URL: 'embedded:', CRONKEEPER_LINGER_MS: 'long' };
    expect(errorOf(() => createTickHandler({ environment: wrong })).problems[0]?.field).toBe('CRONKEEPER_LINGER_MS');
  });
});

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
    createApiHandler({ keeper: spied(), environment: { CRONKEEPER_API_TOKEN: API_TOKEN }, log: () => {} });

  test('answers an HTTP API and a function URL, and leaves no session open behind either', async () => {
    const handler = open();
    for (const [name, id] of [
      ['http-api-v2', 'from-gateway'],
      ['function-url', 'from-url'],
    ] as const) {
      const created = await handler(fixture(name), context());
      expect(created).toMatchObject({ statusCode: 201, isBase64Encoded: false });
      expect(created.headers).toMatchObject({ etag: '"1"', 'content-type': 'application/json' });
      expect(JSON.parse(created.body).id).toBe(id);
      const again = await handler(fixture(name), context());
      expect(again.statusCode).toBe(200);
    }
    expect(released).toBe(4);
    expect(await keeper.tasks.get('from-url')).toMatchObject({ code: "({ output: 'from url' })\n" });
  });

  test('opens a keeper by itself, once', async () => {
    const evaluator = { run: async () => {}, check: async () => undefined, close: async () => {} };
    const environment = { CRONKEEPER_URL: 'embedded:', CRONKEEPER_API_TOKEN: API_TOKEN };
    const handler = createApiHandler({ environment, evaluator, log: () => {} });
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
      log: () => {},
    });
    const { statusCode, body, headers } = await handler(fixture('http-api-v2'), context(520));
    expect([statusCode, JSON.parse(body).code]).toEqual([504, 'outcome-unknown']);
    expect(headers).toMatchObject(SAFE_HEADERS);
  });

  test('behind IAM, notes whom IAM has let through, and refuses what has passed it by', async () => {
    const environment = { CRONKEEPER_AUTH: 'iam' };
    const handler = createApiHandler({ keeper: spied(), environment, log: () => {} });
    const event = fixture('function-url') as { headers: object; requestContext: object };
    const unsigned = { ...event, headers: { ...event.headers, authorization: 'AWS4-HMAC-SHA256 Credential=…' } };
    const userArn = 'arn:aws:iam::123456789012:user/ada';
    const authorizer = { iam: { userArn, userId: 'AIDA' } };
    const signed = { ...unsigned, requestContext: { ...event.requestContext, authorizer } };
    expect((await handler(unsigned, context())).statusCode).toBe(401);
    expect((await handler(signed, context())).statusCode).toBe(201);
    expect((await keeper.audit()).items).toMatchObject([{ taskId: 'from-url', principal: `iam:${userArn}` }]);
  });

  test('names an event that is no request', async () => {
    await expect(open()(fixture('scheduler'), context())).rejects.toThrow('"Scheduled Event" from "aws.scheduler"');
  });

  test('fails at once without a coordinator, or without a token', () => {
    expect(errorOf(() => createApiHandler({ environment: {} })).problems[0]?.field).toBe('CRONKEEPER_URL');
    const open = { CRONKEEPER_URL: 'embedded:' };
    expect(errorOf(() => createApiHandler({ environment: open })).message).toContain('CRONKEEPER_API_TOKEN');
  });
});

describe('a line of the log', () => {
  const written = (message: string, fields = {}): string => {
    let text = '';
    createJsonLog(
      (line) => {
        text += line;
      },
      { now: () => 1_772_960_400_000 },
    )('warn', message, fields);
    return text;
  };

  test('is one JSON object with the names that Lambda filters by', () => {
    expect(JSON.parse(written('hello', { taskId: 'a' }))).toEqual({
      timestamp: '2026-03-08T09:00:00.000Z',
      level: 'WARN',
      message: 'hello',
      taskId: 'a',
    });
  });

  test('stays one line, and cannot speak to a terminal', () => {
    const hostile = 'a\nb\r\u001b[2J\u0085\u2028\u2029\u007f\u009b31m"}\n{"level":"INFO"}';
    const line = written('run', { error: hostile });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(JSON.parse(line).error).toBe(hostile);
  });

  test('is cut when a log store would cut it', () => {
    const line = written('run', { error: 'x'.repeat(1_000_000) });
    expect(line.length).toBeLessThan(300);
    expect(JSON.parse(line)).toMatchObject({ message: 'run', omitted: expect.stringContaining('characters') });
  });
});

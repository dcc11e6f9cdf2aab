import { describe, expect, test } from '@jest/globals';
import { createAws } from '../../src/aws/signed.ts';
import type { Aws } from '../../src/aws.ts';
import { systemClock } from '../../src/clock.ts';
import type { CronkeeperError } from '../../src/errors.ts';
import { CREDENTIALS, type Reply, serveAws } from '../support/aws-stub.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs';
const FIFO = 'arn:aws:sqs:ap-south-2:123456789012:jobs.fifo';
const TOPIC = 'arn:aws-cn:sns:cn-north-1:123456789012:news';
const BUS = 'arn:aws:events:us-gov-west-1:123456789012:event-bus/ours';
const FUNCTION = 'arn:aws:lambda:eu-west-1:123456789012:function:tick:live';
const TAKEN = { body: '{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}', status: 200 };

async function withAws<T>(reply: Reply, use: (aws: Aws, stub: Awaited<ReturnType<typeof serveAws>>) => Promise<T>) {
  const stub = await serveAws(() => reply);
  await using _web = stub.web;
  const endpoints = { all: `${stub.web.origin}/base/` };
  return await use(
    createAws({ region: 'eu-central-1', credentials: CREDENTIALS, endpoints, clock: systemClock }),
    stub,
  );
}

const order = { group: 'report', key: 'report@1:success' };
const event = { source: 'cronkeeper', detailType: 'Launch Succeeded', detail: '{"a":1}', timeMs: 1_767_225_600_999 };

const failureOf = (call: Promise<unknown>): Promise<CronkeeperError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

describe('calls of AWS, signed', () => {
  test('reach each service in the region of what they name, with the body that its protocol asks for', async () => {
    await withAws(TAKEN, async (aws, { arrived }) => {
      await aws.sendMessage({ queue: QUEUE, body: '{"a":"ü"}', ...order });
      await aws.sendMessage({ queue: FIFO, body: 'x', ...order, key: `${'k'.repeat(130)}:failure` });
      await aws.publish({ topic: TOPIC, body: 'a&b=ü', ...order });
      await aws.putEvent({ bus: BUS, ...event });
      await aws.putEvent({ bus: 'default', ...event });
      await aws.invokeAsync(FUNCTION, { shards: [1] });
      expect(arrived.map(({ path, scope, body }) => [scope, path, body])).toEqual([
        ['eu-west-1/sqs', '/base/', JSON.stringify({ QueueUrl: QUEUE, MessageBody: '{"a":"ü"}' })],
        ['ap-south-2/sqs', '/base/', expect.stringContaining('"MessageGroupId":"report","MessageDeduplicationId":"')],
        [
          'cn-north-1/sns',
          '/base/',
          `Action=Publish&Version=2010-03-31&TopicArn=${encodeURIComponent(TOPIC)}&Message=a%26b%3D%C3%BC`,
        ],
        ['us-gov-west-1/events', '/base/', expect.stringContaining('"Detail":"{\\"a\\":1}","Time":1767225600}')],
        ['eu-central-1/events', '/base/', expect.stringContaining('{"Entries":[{"EventBusName":"default",')],
        [
          'eu-west-1/lambda',
          `/base/2015-03-31/functions/${encodeURIComponent(FUNCTION)}/invocations`,
          '{"shards":[1]}',
        ],
      ]);
      const fifo = JSON.parse(arrived[1]?.body ?? '');
      expect(fifo.QueueUrl).toBe('https://sqs.ap-south-2.amazonaws.com/123456789012/jobs.fifo');
      expect(fifo.MessageDeduplicationId).toMatch(/^[0-9a-f]{64}$/);
      expect(arrived.map(({ headers }) => headers['x-amz-target'] ?? headers['x-amz-invocation-type'])).toEqual([
        'AmazonSQS.SendMessage',
        'AmazonSQS.SendMessage',
        undefined,
        'AWSEvents.PutEvents',
        'AWSEvents.PutEvents',
        'Event',
      ]);
      expect(arrived.every(({ headers }) => headers['x-amz-security-token'] === CREDENTIALS.sessionToken)).toBe(true);
    });
  });

  test.each<[string, Reply, string, string]>([
    [
      'throttling',
      { status: 400, body: '{"__type":"com.amazon.coral#ThrottlingException"}' },
      'unavailable',
      'Throttl',
    ],
    ['429', { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException:x' } }, 'unavailable', 'TooMany'],
    ['503', { status: 503, body: '<html>' }, 'unavailable', '503'],
    ['an expired token', { status: 403, body: '{"__type":"ExpiredTokenException"}' }, 'unavailable', 'Expired'],
    ['a role that may not', { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }, 'forbidden', 'Access'],
    ['no such queue', { status: 400, body: '{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}' }, 'invalid', 'Queue'],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'invalid', '307'],
  ])('%s is told from what may be tried again, and is tried once', async (_, reply, code, shown) => {
    await withAws(reply, async (aws, { arrived }) => {
      const error = await failureOf(aws.sendMessage({ queue: QUEUE, body: 'x', ...order }));
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(shown)]);
      expect(arrived).toHaveLength(1);
    });
  });

  test('an event that was not taken is an error, though the answer is 200', async () => {
    const bodies = [
      '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException"}]}',
      '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InvalidArgument"}]}',
      'no JSON',
    ];
    const codes = bodies.map((body) =>
      withAws({ body }, async (aws) => (await failureOf(aws.putEvent({ bus: 'b', ...event }))).code),
    );
    expect(await Promise.all(codes)).toEqual(['unavailable', 'invalid', 'unavailable']);
  });

  test('what AWS quotes of a wrong signature is not shown: the session token is in it', async () => {
    await withAws({}, async (_, { web, arrived }) => {
      const credentials = { ...CREDENTIALS, secretAccessKey: 'wrong' };
      const aws = createAws({ region: 'eu-west-1', credentials, endpoints: { sqs: web.origin }, clock: systemClock });
      const error = await failureOf(aws.sendMessage({ queue: QUEUE, body: 'x', ...order }));
      expect([error.code, error.message]).toEqual(['forbidden', 'sqs: AWS answered 403 SignatureDoesNotMatch']);
      expect(arrived).toEqual([]);
    });
  });

  test('who does not answer is given up after five seconds, and who is not there at once', async () => {
    const clock = new VirtualClock();
    const fetch = (_: unknown, init?: RequestInit) =>
      new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        queueMicrotask(() => void clock.advance(5_000));
      });
    const settings = { region: 'eu-west-1', credentials: CREDENTIALS, endpoints: { all: 'http://127.0.0.1:1' } };
    const slow = createAws({ ...settings, clock, fetch: fetch as typeof globalThis.fetch });
    const gone = createAws({ ...settings, clock });
    const errors = [slow, gone].map((aws) => failureOf(aws.publish({ topic: TOPIC, body: 'x', ...order })));
    const [first, second] = await Promise.all(errors);
    expect([first?.code, first?.message]).toEqual(['unavailable', 'sns: no answer in time']);
    expect(second?.code).toBe('unavailable');
  });
});

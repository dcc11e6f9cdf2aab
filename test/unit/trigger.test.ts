/** What events ask for: every source, as AWS sends it, and what is none of them. */
import { describe, expect, test } from '@jest/globals';
import { commandTrigger, directTrigger } from '../../src/trigger/direct.ts';
import { eventBridgeTrigger } from '../../src/trigger/eventbridge.ts';
import { MESSAGE_BYTES_MAX } from '../../src/trigger/message.ts';
import { scheduleTrigger } from '../../src/trigger/schedule.ts';
import { snsTrigger } from '../../src/trigger/sns.ts';
import { sqsTrigger } from '../../src/trigger/sqs.ts';
import { commandOf, correlationOf } from '../../src/trigger.ts';
import { errorOf } from '../support/error-of.ts';
import { fixture, recordsIn } from '../support/lambda.ts';

const TICK = [scheduleTrigger, directTrigger];
const EVENTS = [scheduleTrigger, eventBridgeTrigger, commandTrigger];
const INVOCATION = 'invocation-1';

const SNS_ID = 'dc1e94d9-56c5-5e96-808d-cc7f68faa162';
const RUN = { kind: 'run', taskId: 'report' };
const { 'detail-type': detailType, version: _, ...envelope } = fixture('eventbridge-custom');
const EMIT = { kind: 'emit', event: { ...envelope, detailType } };

describe('an event is', () => {
  test.each([
    ['a tick, by EventBridge Scheduler', TICK, fixture('scheduler'), { kind: 'tick' }],
    ['a tick, by a scheduled rule', TICK, fixture('scheduled-rule'), { kind: 'tick' }],
    ['a tick, by a call without a payload', TICK, {}, { kind: 'tick' }],
    ['a tick, by a call with nothing at all', TICK, null, { kind: 'tick' }],
    ['a tick, by a linger alone', TICK, { lingerMs: 55_000 }, { kind: 'tick', lingerMs: 55_000 }],
    ['a tick, by name', TICK, { command: 'tick', lingerMs: 0 }, { kind: 'tick', lingerMs: 0 }],
    ['a tick, by Scheduler to the events function', EVENTS, fixture('scheduler'), { kind: 'tick' }],
    [
      'a command, as a schedule was given it',
      EVENTS,
      fixture('scheduler-input'),
      { ...RUN, input: { from: 'scheduler' }, key: 'nightly 2026-03-08T09:00:00Z' },
    ],
    [
      'a command by hand, with the id of its invocation',
      TICK,
      { command: 'run', taskId: 'report' },
      { ...RUN, key: INVOCATION },
    ],
    [
      'a command from a bus, with the id of its event',
      EVENTS,
      fixture('eventbridge-command'),
      { ...RUN, input: { by: 'ops' }, key: '8e3c7a40-5c0d-4b6e-9f2b-0a1c2d3e4f50' },
    ],
    ['an event of our own', EVENTS, fixture('eventbridge-custom'), EMIT],
    [
      'an event of S3',
      EVENTS,
      fixture('eventbridge-s3'),
      { kind: 'emit', event: expect.objectContaining({ source: 'aws.s3', detailType: 'Object Created' }) },
    ],
    [
      'an event of CloudWatch',
      EVENTS,
      fixture('eventbridge-alarm'),
      { kind: 'emit', event: expect.objectContaining({ source: 'aws.cloudwatch' }) },
    ],
  ])('%s', (_, triggers, event, command) => {
    expect(commandOf(event, triggers, INVOCATION)).toEqual(command);
  });

  test.each([
    ['records of a queue', TICK, fixture('sqs'), 'records from "aws:sqs"'],
    ['an HTTP request', EVENTS, fixture('http-api-v2'), 'an HTTP request'],
    ['an event of a bus, for the tick', TICK, fixture('eventbridge-s3'), '"Object Created" from "aws.s3"'],
    ['an object of unknown kind', TICK, { hello: 1 }, 'an object with "hello"'],
    ['nothing, for a bus', EVENTS, null, 'received null'],
    ['an empty object, for a bus', EVENTS, {}, 'an object with ""'],
    ['a text', TICK, 'a secret', 'a text of 8 characters'],
    ['a list', EVENTS, ['a secret'], 'a list of 1'],
    ['a record alone', EVENTS, recordsIn('sqs')[0], 'a record from "aws:sqs"'],
  ])('refused, and named: %s', (_, triggers, event, message) => {
    const error = errorOf(() => commandOf(event, triggers, INVOCATION));
    expect([error.code, error.message]).toEqual(['invalid', expect.stringContaining(message)]);
    expect(error.message).not.toContain('secret');
  });

  test('known by the id that its sender logged', () => {
    expect(correlationOf(fixture('http-api-v2'))).toBe('Y1Zq4hG5DoEEJxQ=');
    expect(correlationOf(fixture('eventbridge-custom'))).toBe('6a7e8feb-b491-4cf7-a9f1-bf3703467718');
    expect([fixture('sqs'), { id: 'x'.repeat(129) }, null].map(correlationOf)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a record is', () => {
  test.each([
    [
      'a command, with the id of its message',
      sqsTrigger,
      'sqs',
      { ...RUN, input: { day: '2026-03-08' }, key: '059f36b4-87a3-44ab-83d2-661975830a7d' },
    ],
    ['a command through a topic, with the id that the topic gave it', sqsTrigger, 'sqs-sns', { ...RUN, key: SNS_ID }],
    [
      'a command through a topic that delivers it raw',
      sqsTrigger,
      'sqs-sns-raw',
      { ...RUN, key: '3f1424d4-f796-459a-8184-9c92662be6da' },
    ],
    ['an event of a bus', sqsTrigger, 'sqs-eventbridge', EMIT],
    ['an event of a bus through a topic', sqsTrigger, 'sqs-sns-eventbridge', EMIT],
    ['a message of a topic', snsTrigger, 'sns', { ...RUN, key: SNS_ID }],
    ['an event of a bus, from a topic', snsTrigger, 'sns-eventbridge', EMIT],
  ])('%s', (_, trigger, name, command) => {
    expect(commandOf(recordsIn(name)[0], [trigger], INVOCATION)).toEqual(command);
  });

  const queued = (body: unknown) => ({ ...recordsIn('sqs')[0], body });

  test.each([
    ['text that is no JSON', queued('secret: {'), 'body: received 9 characters that are no JSON'],
    ['a number', queued('42'), 'body: received a number'],
    ['null', queued('null'), 'body: received null'],
    ['a list', queued('[{"command":"tick"}]'), 'body: received a list of 1'],
    ['nothing', queued(undefined), 'body: received nothing'],
    ['an object without a command', queued('{"secret":1}'), 'body: received an object with'],
    ['an empty object', queued('{}'), 'body: received an object with ""'],
    [
      'an envelope around no JSON',
      queued(JSON.stringify({ Type: 'Notification', MessageId: 'm', TopicArn: 't', Message: 'secret' })),
      'body.Message: received 6 characters',
    ],
    [
      'a topic asking to be confirmed',
      queued(JSON.stringify({ Type: 'SubscriptionConfirmation', MessageId: 'm', Token: 'secret' })),
      'body: received an object with',
    ],
    ['an alarm', recordsIn('sns-alarm')[0], 'Message: received an object with "AlarmName'],
    ['of another service', { ...recordsIn('sqs')[0], eventSource: 'aws:kinesis' }, 'a record from "aws:kinesis"'],
  ])('refused, and named without its contents: %s', (_, record, message) => {
    const error = errorOf(() => commandOf(record, [sqsTrigger, snsTrigger], INVOCATION));
    expect([error.code, error.message]).toEqual(['invalid', expect.stringContaining(message)]);
    expect(error.message.replace('"secret"', '')).not.toContain('secret');
  });

  test('refused before it is read, when it is larger than any service carries', () => {
    const error = errorOf(() => commandOf(queued('x'.repeat(MESSAGE_BYTES_MAX + 1)), [sqsTrigger], INVOCATION));
    expect([error.code, error.message]).toEqual([
      'too-large',
      'body: received 1048577 bytes; allowed: at most 1048576',
    ]);
  });
});

describe('a command', () => {
  const parse = (event: unknown) => commandOf(event, [commandTrigger], INVOCATION);

  test.each([
    [
      { command: 'pause', taskId: 'a' },
      { kind: 'pause', taskId: 'a' },
    ],
    [
      { command: 'resume', taskId: 'a' },
      { kind: 'resume', taskId: 'a' },
    ],
    [
      { command: 'remove', taskId: 'a' },
      { kind: 'remove', taskId: 'a' },
    ],
    [
      { command: 'put', task: { id: 'a' } },
      { kind: 'put', task: { id: 'a' } },
    ],
    [
      { command: 'run', taskId: 'a', input: null, key: 'k' },
      { kind: 'run', taskId: 'a', input: null, key: 'k' },
    ],
    [
      { command: 'emit', event: { source: 's', detailType: 't', detail: null } },
      { kind: 'emit', event: { id: INVOCATION, source: 's', detailType: 't', detail: null } },
    ],
    [{ command: 'emit', event: fixture('eventbridge-custom') }, EMIT],
  ])('%j', (event, command) => {
    expect(parse(event)).toEqual(command);
  });

  test.each([
    [{ command: 'drop' }, 'command: received "drop"; allowed: tick, run, pause, resume, remove, put, emit'],
    [{ command: 'toString' }, 'command: received "toString"'],
    [{ command: ['run'] }, 'command: received ["run"]'],
    [{ command: 'tick', lingerMs: 900_001 }, 'lingerMs: received 900001; allowed: a whole number from 0 to 840000'],
    [{ command: 'tick', lingerMs: '55s' }, 'lingerMs: received "55s"'],
    [{ command: 'tick', linger: 1 }, 'linger: unknown; allowed for tick: lingerMs'],
    [{ command: 'run' }, 'taskId: received nothing'],
    [{ command: 'run', taskId: '../a' }, 'taskId: received "../a"; allowed: 1 to 128 characters'],
    [{ command: 'run', taskId: 'a', Input: 'secret' }, 'Input: unknown; allowed for run: taskId, input, key'],
    [{ command: 'run', taskId: 'a', key: 'k'.repeat(129) }, 'key: received'],
    [{ command: 'pause', taskId: 'a', key: 'k' }, 'key: unknown; allowed for pause: taskId'],
    [{ command: 'put', task: 'secret' }, 'task: received string; allowed: a task document'],
    [{ command: 'emit' }, 'event: received nothing'],
    [{ command: 'emit', event: { source: '', detail: 'secret' } }, 'event.source: received ""'],
    [{ command: 'emit', event: { source: 's', detailType: 't' } }, 'event.detail: received nothing'],
    [{ command: 'run', 'a\n{"level":"INFO"}': 1 }, 'a\\n{\\"level\\":\\"INFO\\"}: unknown'],
  ])('%j is refused, naming what is wrong', (event, message) => {
    const error = errorOf(() => parse(event));
    expect([error.code, error.message]).toEqual(['invalid', expect.stringContaining(message)]);
    expect(error.message).not.toContain('secret');
    expect(error.problems.length).toBeGreaterThan(0);
  });

  test('in an event of a bus must be one', () => {
    const event = { ...fixture('eventbridge-command'), detail: 'run' };
    expect(errorOf(() => commandOf(event, EVENTS, INVOCATION)).message).toContain('detail: received a string');
  });
});

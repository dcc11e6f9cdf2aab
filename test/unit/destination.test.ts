/** What a document may name as a destination, and what it may not. */
import { describe, expect, test } from '@jest/globals';
import type { Destination } from '../../src/destination.ts';
import { amend, register } from '../../src/edit.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { parseTask, type TaskDocument } from '../../src/task.ts';
import { taskView } from '../../src/view.ts';
import { errorOf } from '../support/error-of.ts';
import { documentOf, taskOf } from '../support/task-records.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:jobs.fifo';
const told = (onSuccess: unknown) => ({ ...documentOf(), onSuccess }) as TaskDocument;

describe('destinations of a task document', () => {
  test.each<[string, Destination, Destination?]>([
    [
      'a URL, in its normal form',
      { url: 'HTTPS://Bücher.example:443/a?b=1#c' },
      { url: 'https://xn--bcher-kva.example/a?b=1' },
    ],
    ['the ARN of a queue', { queue: QUEUE }],
    ['the URL of a queue', { queue: 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/jobs' }],
    ['a topic', { topic: 'arn:aws:sns:us-gov-west-1:123456789012:news.fifo' }],
    ['a bus by its name', { bus: 'default' }],
    ['a bus by its ARN', { bus: 'arn:aws:events:eu-central-1:123456789012:event-bus/partner/a.b' }],
    ['another task', { task: 'next' }],
  ])('may name %s', (_, given, normal = given) => {
    expect(parseTask(told(given)).task).toMatchObject({ onSuccess: [normal] });
    expect(parseTask(told([given, given])).task.onSuccess).toEqual([normal, normal]);
  });

  test.each([
    ['plain HTTP', { url: 'http://example.com/' }, 'onSuccess.0.url', 'a URL of https'],
    ['a URL with a password', { url: 'https://me:secret@example.com/' }, 'onSuccess.0.url', 'without credentials'],
    [
      'a queue elsewhere: what is signed is for AWS alone',
      { queue: 'https://sqs.eu-west-1.amazonaws.com.evil.example/123456789012/q' },
      'onSuccess.0.queue',
      'SQS queue',
    ],
    ['a topic as a queue', { queue: 'arn:aws:sns:eu-west-1:123456789012:news' }, 'onSuccess.0.queue', 'SQS queue'],
    ['a path as a task', { task: '../x' }, 'onSuccess.0.task', 'another task'],
    ['the task itself', { task: 'task' }, 'onSuccess.0.task', 'another task'],
    ['a kind that there is not', { mail: 'a@example.com' }, 'onSuccess.0', 'one of url, queue, topic, bus, task'],
    ['two in one', { url: 'https://example.com/', task: 'b' }, 'onSuccess.0', 'one of'],
    ['what everything has', { constructor: 'x' }, 'onSuccess.0', 'one of'],
    ['nothing', null, 'onSuccess.0', 'one of'],
    ['six of them', Array(6).fill({ task: 'b' }), 'onSuccess', 'at most 5 destinations'],
  ])('may not name %s', (_, given, field, allowed) => {
    const { problems } = errorOf(() => parseTask(told(given)));
    expect(problems).toEqual([{ field, message: expect.stringContaining(allowed) }]);
  });

  test('are in the view as they are kept, and are what apply takes again', () => {
    const record = register(taskOf({ onFailure: { queue: QUEUE }, onDeadLetter: [{ task: 'b' }] }), 1);
    const { onSuccess, onFailure, onDeadLetter } = taskView(decodeRecord('task', encodeRecord(record)));
    expect([onSuccess, onFailure, onDeadLetter]).toEqual([undefined, [{ queue: QUEUE }], [{ task: 'b' }]]);
    expect(amend(record, taskOf({ onFailure: [{ queue: QUEUE }], onDeadLetter: { task: 'b' } }), 2)).toBe(record);
  });

  test('that are none leave a task as older programs have stored it', () => {
    const record = register(taskOf(), 1);
    expect(amend(record, taskOf({ onSuccess: [] }), 2)).toBe(record);
  });
});

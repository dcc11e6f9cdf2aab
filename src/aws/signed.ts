/**
 * The port to AWS as signed HTTPS requests (Signature Version 4, by aws4fetch), without AWS's own SDK: four calls are no
 * reason for its megabytes. Requests are signed here and sent by `fetch`: nothing in between tries again.
 */
import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { isFifo, parseBus, parseFunction, parseQueue, parseTopic, suffixOf } from '../arn.ts';
import {
  AWS_CALL_MS,
  AWS_MESSAGE_BYTES_MAX,
  type Aws,
  type AwsService,
  type AwsSettings,
  type BusEntry,
  type InOrder,
} from '../aws.ts';
import type { Clock } from '../clock.ts';
import { CronkeeperError, received } from '../errors.ts';
import { failedEntry, refusal, unreachable } from './answer.ts';

export interface AwsOptions extends AwsSettings {
  readonly clock: Clock;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

/** A longer key is sent as its hash. */
const KEY_CHARS_MAX = 128;

/** Characters of an answer that are read: what is needed of it is at its beginning. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** What signatures and the names of servers call a service. */
const NAMES: Readonly<Record<AwsService, string>> = {
  sqs: 'sqs',
  sns: 'sns',
  eventbridge: 'events',
  lambda: 'lambda',
};

interface Call {
  readonly service: AwsService;
  readonly region: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

export function createAws(options: AwsOptions): Aws {
  const { region: own } = options;
  return {
    async sendMessage({ queue, body, ...order }, signal) {
      const { region, account, resource, isFifo } = known('queue', queue, parseFifo(parseQueue(queue)));
      const url = `https://sqs.${region}.${suffixOf(region)}/${account}/${resource}`;
      const message = { QueueUrl: url, MessageBody: body, ...(isFifo && inOrder(order)) };
      const headers = json('1.0', 'AmazonSQS.SendMessage');
      await send(options, { service: 'sqs', region, path: '/', headers, body: JSON.stringify(message) }, signal);
    },

    async publish({ topic, body, ...order }, signal) {
      const { region, isFifo } = known('topic', topic, parseFifo(parseTopic(topic)));
      const message = { TopicArn: topic, Message: body, ...(isFifo && inOrder(order)) };
      const form = new URLSearchParams({ Action: 'Publish', Version: '2010-03-31', ...message });
      const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
      await send(options, { service: 'sns', region, path: '/', headers, body: form.toString() }, signal);
    },

    async putEvent(event, signal) {
      const { region = own } = known('bus', event.bus, parseBus(event.bus));
      const headers = json('1.1', 'AWSEvents.PutEvents');
      const body = JSON.stringify({ Entries: [entryOf(event)] });
      const answer = await send(options, { service: 'eventbridge', region, path: '/', headers, body }, signal);
      const failed = failedEntry(answer.text); // the answer's status is 200 nevertheless
      if (failed !== undefined) throw failed;
    },

    async invokeAsync(functionName, payload, signal) {
      const { region = own } = known('function', functionName, parseFunction(functionName));
      const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
      const headers = { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' };
      await send(options, { service: 'lambda', region, path, headers, body: JSON.stringify(payload) }, signal);
    },
  };
}

const parseFifo = (arn: ReturnType<typeof parseQueue>) => arn && { ...arn, isFifo: isFifo(arn) };

function known<T>(field: string, text: string, parsed: T | undefined): T {
  if (parsed !== undefined) return parsed;
  throw new CronkeeperError('invalid', `${field}: received ${received(text)}; allowed: a name that AWS gives to one`);
}

const json = (version: string, target: string) => ({
  'content-type': `application/x-amz-json-${version}`,
  'x-amz-target': target,
});

const inOrder = ({ group, key }: InOrder) => ({
  MessageGroupId: group,
  MessageDeduplicationId: key.length <= KEY_CHARS_MAX ? key : createHash('sha256').update(key).digest('hex'),
});

const entryOf = ({ bus, source, detailType, detail, timeMs }: BusEntry) => ({
  EventBusName: bus,
  Source: source,
  DetailType: detailType,
  Detail: detail,
  Time: Math.floor(timeMs / 1_000),
});

async function send(options: AwsOptions, call: Call, stop?: AbortSignal): Promise<Answer> {
  const bytes = Buffer.byteLength(call.body);
  if (bytes > AWS_MESSAGE_BYTES_MAX) {
    const allowed = `allowed: at most ${AWS_MESSAGE_BYTES_MAX}`;
    throw new CronkeeperError('too-large', `${NAMES[call.service]}: received ${bytes} bytes; ${allowed}`);
  }
  const ended = new AbortController();
  const end = () => ended.abort();
  const cancel = options.clock.after(AWS_CALL_MS, end);
  stop?.addEventListener('abort', end, { once: true });
  if (stop?.aborted) end();
  try {
    const response = await request(options, call, ended.signal);
    const text = await beginningOf(response, ended.signal);
    if (!response.ok) throw refusal(call.service, response, text);
    return { status: response.status, text };
  } catch (error) {
    throw error instanceof CronkeeperError ? error : unreachable(call.service, ended.signal.aborted, error);
  } finally {
    cancel();
    stop?.removeEventListener('abort', end);
  }
}

async function request(
  { credentials, clock, fetch = globalThis.fetch, endpoints = {} }: AwsOptions,
  call: Call,
  signal: AbortSignal,
) {
  const { service, region, headers, body } = call;
  const {
    method,
    url,
    headers: signed,
  } = await new AwsV4Signer({
    method: 'POST',
    url: urlOf(call, endpoints[service] ?? endpoints.all),
    headers: { ...headers },
    body,
    service: NAMES[service],
    region,
    ...credentials,
    datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  }).sign();
  // What answers with a redirect is not AWS, and what is signed goes nowhere else.
  return fetch(url, { method, headers: signed, body, redirect: 'manual', signal });
}

function urlOf({ service, region, path }: Call, endpoint = `https://${NAMES[service]}.${region}.${suffixOf(region)}`) {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  return url.href;
}

/** Of the answer's text; the rest of a longer one is not waited for. */
async function beginningOf(response: Response, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    signal.throwIfAborted();
    parts.push(part);
    bytes += part.byteLength;
    if (bytes >= ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(parts).toString();
}

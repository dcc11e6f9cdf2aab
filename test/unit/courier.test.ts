/** How a message is sent, and what an answer means; and that a destination that is down is left alone for a while. */
import { describe, expect, test } from '@jest/globals';
import type { Aws } from '../../src/aws.ts';
import { type Courier, createCourier, type Letter, type Outside } from '../../src/courier.ts';
import { CronkeeperError } from '../../src/errors.ts';
import { type Mail, type Message, messageFor, type Told } from '../../src/mail.ts';
import { FetchDenied, type FetchRequest, type Grant, type Outbound } from '../../src/outbound.ts';
import { type Job, Rounds } from '../../src/rounds.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { never } from '../support/web.ts';

const run = { attempt: 1, status: 'succeeded', startedMs: 0, finishedMs: 1_000, fence: 7 } as const;
const mail: Mail = { v: 1, taskId: 'report', slotMs: 1, run, to: [] };
const message: Message = messageFor('ns', mail, 'success');
const letterTo = (destination: Outside): Letter => ({ destination, message, fence: 7 });

/** Answers requests with a status, or fails them. */
function outboundWith(answer: number | Error, seen: (Grant & FetchRequest)[] = []): Outbound {
  return {
    grant: (grant) => async (request) => {
      seen.push({ ...grant, ...request });
      if (answer instanceof Error) throw answer;
      const { url } = request;
      return { url, redirected: false, status: answer, statusText: '', headers: [], body: new Uint8Array() };
    },
    close: async () => {},
  };
}

const URL_TO = { url: 'https://example.com/hook?a=1' };

describe('a message to a URL', () => {
  test('is a POST with its key, to that origin and no other', async () => {
    const seen: (Grant & FetchRequest)[] = [];
    const send = createCourier({ outbound: outboundWith(204, seen), aws: undefined, clock: new VirtualClock() });
    expect(await send(letterTo(URL_TO), never)).toEqual({ is: 'delivered' });
    expect(seen).toEqual([
      expect.objectContaining({
        ...{ origins: ['https://example.com'], idempotencyKey: 'report@1:success', fence: 7 },
        ...{ url: URL_TO.url, method: 'POST', redirect: 'manual' },
      }),
    ]);
    expect(Object.fromEntries(seen[0]?.headers ?? [])).toEqual({
      'content-type': 'application/json',
      'x-cronkeeper-launch-id': 'report@1',
    });
    expect(JSON.parse(Buffer.from(seen[0]?.body ?? []).toString())).toEqual(message);
  });

  test.each<[number | Error, Told['is']]>([
    [200, 'delivered'],
    [408, 'later'],
    [429, 'later'],
    [500, 'later'],
    [503, 'later'],
    [301, 'refused'],
    [400, 'refused'],
    [404, 'refused'],
    [new Error('example.com: connection refused (ECONNREFUSED)'), 'later'],
    [new FetchDenied('its address is not public'), 'refused'],
  ])('that is answered with %p is %s', async (answer, is) => {
    const send = createCourier({ outbound: outboundWith(answer), aws: undefined, clock: new VirtualClock() });
    expect(await send(letterTo(URL_TO), never)).toMatchObject({ is });
  });
});

describe('a message to AWS', () => {
  const order = { group: 'report', key: 'report@1:success' };
  const body = JSON.stringify(message);
  const failing = (code: 'unavailable' | 'forbidden' | 'invalid') => () =>
    Promise.reject(new CronkeeperError(code, 'sqs: AWS answered'));

  test('names the task as its group and the launch as its key', async () => {
    const calls: unknown[] = [];
    const note = async (call: unknown) => void calls.push(call);
    const aws: Aws = { sendMessage: note, publish: note, putEvent: note, invokeAsync: note };
    const send = createCourier({ outbound: outboundWith(200), aws, clock: new VirtualClock() });
    for (const to of [{ queue: 'q' }, { topic: 't' }, { bus: 'b' }]) {
      expect(await send(letterTo(to as Outside), never)).toEqual({ is: 'delivered' });
    }
    expect(calls).toEqual([
      { queue: 'q', body, ...order },
      { topic: 't', body, ...order },
      { bus: 'b', source: 'cronkeeper', detailType: 'Launch Succeeded', detail: body, timeMs: 1_000 },
    ]);
  });

  test.each([
    ['unavailable', 'later'],
    ['forbidden', 'later'], // until somebody has mended the role
    ['invalid', 'refused'],
  ] as const)('that is %s is %s', async (code, is) => {
    const aws = { sendMessage: failing(code) } as unknown as Aws;
    const send = createCourier({ outbound: outboundWith(200), aws, clock: new VirtualClock() });
    expect(await send(letterTo({ queue: 'q' }), never)).toMatchObject({ is });
  });

  test('waits for credentials where there are none', async () => {
    const send = createCourier({ outbound: outboundWith(200), aws: undefined, clock: new VirtualClock() });
    const told = await send(letterTo({ bus: 'b' }), never);
    expect(told).toMatchObject({ is: 'later', problem: expect.stringContaining('AWS_ACCESS_KEY_ID') });
  });

  test('is given up for now when nothing is answered within 5 s', async () => {
    const clock = new VirtualClock();
    const aws = {
      sendMessage: (_: unknown, signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    } as unknown as Aws;
    const told = createCourier({ outbound: outboundWith(200), aws, clock })(letterTo({ queue: 'q' }), never);
    await clock.advance(5_000);
    expect(await told).toMatchObject({ is: 'later', problem: 'no answer within 5 s' });
  });
});

describe('a round of messages', () => {
  const jobTo = (url: string, attempts = 0): Job => ({
    mail,
    pending: { condition: 'success', destination: { url }, attempts, dueMs: 0 },
  });
  const roundsOf = (courier: Courier, clock = new VirtualClock()) =>
    new Rounds({ namespace: 'ns', courier, clock, mayStart: () => true, signal: never });

  test('leaves a destination alone that fails and fails, and serves the others', async () => {
    const clock = new VirtualClock();
    const asked: string[] = [];
    const courier: Courier = async ({ destination }) => {
      const { url } = destination as { url: string };
      asked.push(new URL(url).hostname);
      return url.includes('down') ? { is: 'later', problem: 'down' } : { is: 'delivered' };
    };
    const rounds = roundsOf(courier, clock);
    const jobs = Array.from({ length: 200 }, (_, i) => jobTo(`https://${i % 2 === 0 ? 'down' : 'up'}.example/${i}`));
    const outcomes = await rounds.send(jobs);
    const told = jobs.map(({ pending }) => outcomes.get(pending)?.is);
    expect(told).toEqual(jobs.map((_, i) => (i % 2 === 0 ? 'later' : 'delivered')));
    expect(asked.filter((host) => host === 'up.example')).toHaveLength(100);
    expect(asked.filter((host) => host === 'down.example').length).toBeLessThan(8);
    const before = asked.length;
    await rounds.send([jobTo('https://down.example/')]);
    expect(asked).toHaveLength(before);
    await clock.advance(5_000);
    await rounds.send([jobTo('https://down.example/')]);
    expect(asked).toHaveLength(before + 1);
  });

  test('has few requests under way, fewer to one destination, and sends first what is fresh', async () => {
    let [now, most] = [0, 0];
    const order: number[] = [];
    const courier: Courier = async ({ destination }) => {
      order.push(Number(new URL((destination as { url: string }).url).pathname.slice(1)));
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return { is: 'delivered' };
    };
    await roundsOf(courier).send(Array.from({ length: 20 }, (_, i) => jobTo(`https://a.example/${i}`, 20 - i)));
    expect(most).toBe(4);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => 19 - i));
    await roundsOf(courier).send(Array.from({ length: 40 }, (_, i) => jobTo(`https://h${i % 10}.example/${i}`)));
    expect(most).toBe(8);
  });
});

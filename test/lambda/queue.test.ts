/** A queue's messages: each applied once, and those that failed back in the queue, alone. */
import { describe, expect, test } from '@jest/globals';
import { openCronkeeper } from '../../src/app.ts';
import { CronkeeperError } from '../../src/errors.ts';
import { createQueueHandler } from '../../src/lambda.ts';
import { context, fixture, memoryLines, type Recorder, recorder, recordsIn } from '../support/lambda.ts';

const [template = {}] = recordsIn('sqs');
const message = (messageId: string, body: unknown) => ({
  ...template,
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const batch = (...Records: readonly unknown[]) => ({ Records });
const run = (taskId = 'report') => ({ command: 'run', taskId });
const failed = (...ids: readonly string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

function open({ keeper, asked }: Recorder = recorder()) {
  const lines = memoryLines();
  const handler = createQueueHandler({ keeper, environment: {}, write: lines.write });
  return { handler, asked, ...lines };
}

const unavailable = () => {
  throw new CronkeeperError('unavailable', 'no server answers');
};

describe('the queue handler', () => {
  test('launches what a message asks for, at once, and once however often it is delivered', async () => {
    const keeper = await openCronkeeper({ url: 'embedded:' });
    try {
      const { handler } = open({ ...recorder(), keeper: keeper as unknown as Recorder['keeper'] });
      const task = { id: 'report', schedule: { every: '1h' }, code: 'export default (ctx) => ctx.input' };
      await handler(batch(message('m-0', { command: 'put', task })), context());
      for (const name of ['sqs', 'sqs', 'sqs-sns', 'sqs-sns', 'sqs-sns-raw']) {
        expect(await handler(fixture(name), context())).toEqual(failed());
      }
      const { items } = await keeper.tasks.runs('report');
      expect(items.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    } finally {
      await keeper.close();
    }
  });

  test('lets a message that makes no sense fail alone, and says which it was and why', async () => {
    const { handler, asked, log } = open();
    const poison = { ...template, messageId: 'p-3', eventSource: 'aws:kinesis' };
    const event = batch(
      message('m-1', run('a')),
      message('p-1', 'no'),
      message('p-2', '7'),
      poison,
      message('m-2', run('b')),
    );
    expect(await handler(event, context())).toEqual(failed('p-1', 'p-2', 'p-3'));
    expect(asked.map(([what, id]) => [what, id])).toEqual([
      ['run', 'a'],
      ['run', 'b'],
      ['tick', 0],
      ['release', undefined],
    ]);
    const errors = log().filter(({ level }) => level === 'ERROR');
    expect(errors.map(({ message, messageId, code }) => [message, messageId, code])).toEqual([
      ['message failed', 'p-1', 'invalid'],
      ['message failed', 'p-2', 'invalid'],
      ['message failed', 'p-3', 'invalid'],
    ]);
  });

  test('tells of every message when all have failed, instead of failing itself', async () => {
    const { handler, asked } = open();
    expect(await handler(batch(message('p-1', 'no'), message('p-2', 'no')), context())).toEqual(failed('p-1', 'p-2'));
    expect(asked).toEqual([['release']]);
  });

  test('of a FIFO queue, keeps back what follows a failed message of its group, and nothing else', async () => {
    const { handler, asked } = open();
    const [, second = {}, third = {}] = recordsIn('sqs-fifo');
    expect(await handler(fixture('sqs-fifo'), context())).toEqual(
      failed(second.messageId as string, third.messageId as string),
    );
    expect(asked.map(([what]) => what)).toEqual(['run', 'run', 'tick', 'release']);
  });

  test('does not put back what was applied when the tick fails: it is in the registry', async () => {
    const { handler, log } = open(recorder({ tick: unavailable }));
    expect(await handler(batch(message('m-1', run())), context())).toEqual(failed());
    expect(log()).toContainEqual(expect.objectContaining({ level: 'WARN', error: 'no server answers' }));
  });

  test('puts back what asked for a tick that failed', async () => {
    const { handler } = open(recorder({ tick: unavailable }));
    const event = batch(message('m-1', run()), message('m-2', { command: 'tick' }));
    expect(await handler(event, context())).toEqual(failed('m-2'));
  });

  test('ticks once for a batch, as long as the longest linger that was asked for', async () => {
    const { handler, asked } = open();
    const ticks = [{ command: 'tick', lingerMs: 5 }, { command: 'tick', lingerMs: 9 }, { command: 'tick' }];
    await handler(batch(...ticks.map((tick, n) => message(`m-${n}`, tick))), context());
    expect(asked).toEqual([['tick', 9], ['release']]);
  });

  test('asks a coordinator that does not answer once per batch, not once per message', async () => {
    const { handler, asked, log } = open(recorder({ run: unavailable }));
    const event = batch(...['m-1', 'm-2', 'm-3'].map((id) => message(id, run())));
    expect(await handler(event, context())).toEqual(failed('m-1', 'm-2', 'm-3'));
    expect(asked).toEqual([['run', 'report', { key: 'm-1' }], ['release']]);
    expect(log().filter(({ level }) => level === 'ERROR')).toHaveLength(1);
  });

  test('leaves messages in the queue when the time is over, instead of all of them by failing', async () => {
    const { keeper, asked } = recorder();
    const times = [30_000, 30_000, 30_000, 900, 900, 900, 900];
    const { handler } = open({ keeper, asked, ticks: [], senders: [] });
    const aging = { ...context(), getRemainingTimeInMillis: () => times.shift() ?? 900 };
    const event = batch(...['m-1', 'm-2', 'm-3', 'm-4'].map((id) => message(id, run())));
    expect(await handler(event, aging)).toEqual(failed('m-3', 'm-4'));
    expect(asked.map(([what]) => what)).toEqual(['run', 'run', 'release']);
  });

  test('takes an event to those tasks that take it; one that cannot now has it delivered again', async () => {
    const launch = { launchId: 'a@1', slot: '1970-01-01T00:00:00.001Z' };
    const refused = [{ taskId: 'b', message: 'its input would be too large' }];
    const full = () => {
      throw new CronkeeperError('unavailable', 'task c has 200 launches waiting: deliver it again later');
    };
    const answers = [() => ({ launches: [launch], refused }), full];
    const { handler, asked, log } = open(recorder({ emit: () => answers.shift()?.() }));
    expect(await handler(fixture('sqs-eventbridge'), context())).toEqual(failed());
    expect(await handler(fixture('sqs-sns-eventbridge'), context())).toEqual(
      failed('5b1424d4-f796-459a-8184-9c92662be6da'),
    );
    expect(asked[0]).toEqual(['emit', expect.objectContaining({ id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718' })]);
    expect(log().filter(({ level }) => level !== 'INFO')).toMatchObject([
      { level: 'WARN', message: 'launch refused', taskId: 'b' },
      { level: 'ERROR', message: 'message failed', code: 'unavailable' },
    ]);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['records that are none', { Records: 'no' }],
    ['a schedule', fixture('scheduler')],
    ['records of a topic', fixture('sns')],
    ['a message without an id, beside one with', batch(message('m-1', run()), { ...template, messageId: undefined })],
    ['no record at all among them', batch(message('m-1', run()), null)],
  ])('refuses an event that is no batch, before anything is applied: %s', async (_, event) => {
    const { handler, asked } = open();
    await expect(handler(event, context())).rejects.toMatchObject({ code: 'invalid' });
    expect(asked).toEqual([]);
  });

  test('has nothing to do for no messages', async () => {
    const { handler, asked } = open();
    expect([await handler(batch(), context()), asked]).toEqual([failed(), []]);
  });
});

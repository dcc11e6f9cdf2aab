/** What topics and buses bring: one command each; what fails is thrown, so that Lambda tries it again. */
import { describe, expect, test } from '@jest/globals';
import { openCronkeeper } from '../../src/app.ts';
import { CronkeeperError } from '../../src/errors.ts';
import { type CommandHandlerOptions, createEventHandler, createTopicHandler } from '../../src/lambda.ts';
import { context, fixture, memoryLines, type Recorder, recorder } from '../support/lambda.ts';

const handlers = { topic: createTopicHandler, events: createEventHandler };

function open(name: keyof typeof handlers, { keeper, asked }: Recorder = recorder(), more: CommandHandlerOptions = {}) {
  const lines = memoryLines();
  const handler = handlers[name]({ keeper, environment: {}, write: lines.write, ...more });
  return { handler, asked, ...lines };
}

const unavailable = () => {
  throw new CronkeeperError('unavailable', 'no server answers');
};

describe('the topic and the events handler', () => {
  test('launch what is asked for, at once, and once however often it is delivered', async () => {
    const keeper = await openCronkeeper({ url: 'embedded:' });
    try {
      await keeper.tasks.put({ id: 'report', schedule: { every: '1h' }, code: 'export default (ctx) => ctx.input' });
      const real = { ...recorder(), keeper: keeper as unknown as Recorder['keeper'] };
      const topic = open('topic', real).handler;
      const events = open('events', real).handler;
      expect(await topic(fixture('sns'), context())).toMatchObject({ launches: [{}], tick: { succeeded: 1 } });
      expect(await topic(fixture('sns'), context())).toMatchObject({ launches: [{}], tick: { due: 0 } });
      for (const name of ['eventbridge-command', 'eventbridge-command', 'scheduler-input', 'scheduler-input']) {
        await events(fixture(name), context());
      }
      // Lambda tries an asynchronous invocation again under the same request id.
      const once = context();
      await events({ command: 'run', taskId: 'report' }, once);
      await events({ command: 'run', taskId: 'report' }, once);
      expect((await keeper.tasks.runs('report')).items.map(({ status }) => status)).toEqual(Array(4).fill('succeeded'));
    } finally {
      await keeper.close();
    }
  });

  test.each([
    ['topic', 'sns-eventbridge'],
    ['events', 'eventbridge-custom'],
    ['events', 'eventbridge-s3'],
    ['events', 'eventbridge-alarm'],
  ] as const)('%s: an event is one for the tasks that name it: %s', async (name, event) => {
    const seen = recorder();
    const { handler, asked } = open(name, seen);
    await handler(fixture(event), context());
    expect(asked.map(([what]) => what)).toEqual(['emit', 'tick', 'release']);
    // All other shards are left to the minute's tick, which would find none and leave.
    expect(seen.ticks).toMatchObject([{ lingerMs: 0, tasks: ['report'] }]);
  });

  test.each([
    ['topic', 'sns', 'sns:arn:aws:sns:eu-west-1:123456789012:cronkeeper-prod-commands'],
    ['events', 'eventbridge-command', 'eventbridge:ops.console'],
  ] as const)('%s: the audit trail names who sent a command', async (name, event, sender) => {
    const seen = recorder();
    await open(name, seen).handler(fixture(event), context());
    expect(seen.senders).toEqual([sender]);
  });

  test('a schedule wired to the events function ticks as it is set up', async () => {
    const { handler, asked } = open('events', recorder(), { lingerMs: 7 });
    await handler(fixture('scheduler'), context());
    expect(asked).toEqual([['tick', 7], ['release']]);
  });

  test.each([
    ['topic', fixture('sns-alarm')],
    ['topic', { Records: [{ EventSource: 'aws:sns', Sns: { MessageId: 'm', Message: 'no' } }] }],
    ['topic', fixture('sqs')],
    ['topic', null],
    ['topic', { Records: [null] }],
    ['events', fixture('sqs')],
    ['events', null],
    ['events', []],
    ['events', { ...fixture('eventbridge-custom'), source: 7 }],
  ] as const)('%s: throws, for the dead-letter queue, what makes no sense: %#', async (name, event) => {
    const { handler, asked, log } = open(name);
    await expect(handler(event, context())).rejects.toMatchObject({ code: 'invalid' });
    expect(asked).toEqual([]);
    expect(log()).toMatchObject([{ level: 'ERROR', message: `${name} failed`, code: 'invalid' }]);
  });

  test('a command that failed is thrown and tried again, a tick after one that did not is not', async () => {
    const failing = open('topic', recorder({ run: unavailable }));
    await expect(failing.handler(fixture('sns'), context())).rejects.toMatchObject({ code: 'unavailable' });
    const unticked = open('topic', recorder({ tick: unavailable }));
    expect(await unticked.handler(fixture('sns'), context())).toEqual({ launches: [expect.anything()], refused: [] });
    const asked = open('events', recorder({ tick: unavailable }));
    await expect(asked.handler(fixture('scheduler'), context())).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('has nothing to do for no records', async () => {
    const { handler, asked } = open('topic');
    expect(await handler({ Records: [] }, context())).toEqual({ launches: [], refused: [] });
    expect(asked).toEqual([['release']]);
  });
});

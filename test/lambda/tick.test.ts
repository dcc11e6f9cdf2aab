/** The tick as a function: on events as AWS sends them, within the function's time. */
import { describe, expect, test } from '@jest/globals';
import { openCronkeeper } from '../../src/app.ts';
import { CronkeeperError } from '../../src/errors.ts';
import { createTickHandler } from '../../src/lambda.ts';
import type { TickOptions } from '../../src/tick.ts';
import { errorOf } from '../support/error-of.ts';
import { context, fixture, memoryLines, recorder } from '../support/lambda.ts';

describe('the tick handler', () => {
  test('ends before Lambda ends it, and lingers as the event says, the options, or the environment', async () => {
    const { ticks, keeper } = recorder();
    const environment = { CRONKEEPER_LINGER_MS: '3000' };
    const { write } = memoryLines();
    await createTickHandler({ keeper, environment, write })(fixture('scheduler'), context(30_000));
    await createTickHandler({ keeper, environment, write, lingerMs: 2_000 })({}, context(30_000));
    await createTickHandler({ keeper, environment, write, lingerMs: 2_000 })({ lingerMs: 1_000 }, context(30_000));
    await createTickHandler({ keeper, environment, write })({}, context(200));
    expect(ticks.map(({ lingerMs, budgetMs }) => [lingerMs, budgetMs])).toEqual([
      [3_000, 29_000],
      [2_000, 29_000],
      [1_000, 29_000],
      [3_000, 0],
    ]);
  });

  test('runs what is due in two invocations of one warm environment, and logs each run', async () => {
    const keeper = await openCronkeeper({ url: 'embedded:' });
    try {
      const { write, log, text } = memoryLines();
      const handler = createTickHandler({ keeper, environment: {}, write });
      await keeper.tasks.put({
        id: 'talks',
        schedule: { every: '1h' },
        code: 'console.log("private"); ({ output: "private" })',
        input: 'private',
      });
      await keeper.tasks.run('talks');
      expect(await handler(fixture('scheduler'), context())).toMatchObject({ shards: 8, due: 1, succeeded: 1 });
      expect(await handler({ command: 'run', taskId: 'talks' }, context())).toMatchObject({ due: 1, succeeded: 1 });
      expect(log().map(({ level, message, taskId, status, due }) => [level, message, taskId ?? due, status])).toEqual([
        ['INFO', 'run', 'talks', 'succeeded'],
        ['INFO', 'tick', 1, undefined],
        ['INFO', 'command', 'talks', undefined],
        ['INFO', 'run', 'talks', 'succeeded'],
        ['INFO', 'tick', 1, undefined],
      ]);
      expect(text()).not.toContain('private');
    } finally {
      await keeper.close();
    }
  });

  test('gives up shortly before the function is ended, though the tick does not end', async () => {
    let aborted: AbortSignal | undefined;
    const { keeper } = recorder();
    const stuck = {
      ...keeper,
      tick: ({ signal }: TickOptions = {}) => {
        aborted = signal;
        return new Promise<never>(() => {});
      },
    };
    const { write, log } = memoryLines();
    const handler = createTickHandler({ keeper: stuck, environment: {}, write });
    const error = await handler({}, context(520)).catch((reason) => reason);
    expect(error).toBeInstanceOf(CronkeeperError);
    expect(error.message).toContain('500 ms before');
    expect(aborted?.aborted).toBe(true);
    expect(log()).toMatchObject([{ level: 'ERROR', message: 'tick failed', code: 'unavailable' }]);
  });

  test('fails at once without a coordinator, or with a wrong environment', () => {
    expect(errorOf(() => createTickHandler({ environment: {} })).problems[0]?.field).toBe('CRONKEEPER_URL');
    const wrong = { CRONKEEPER_URL: 'embedded:', CRONKEEPER_LINGER_MS: 'long' };
    expect(errorOf(() => createTickHandler({ environment: wrong })).problems[0]?.field).toBe('CRONKEEPER_LINGER_MS');
  });
});

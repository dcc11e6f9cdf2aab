/** A function that invokes itself: what waits in shards that nobody holds is done at once, by as many as it takes. */
import { describe, expect, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { type Cronkeeper, openCronkeeper } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { openEmbedded } from '../src/coordinator/embedded.ts';
import type { Invocation } from '../src/fan-out.ts';
import { createTickHandler, type TickHandler } from '../src/lambda/tick.ts';
import { type Log, silent } from '../src/log.ts';
import type { TickReport } from '../src/report.ts';
import { shardOf } from '../src/shard.ts';
import type { TickOptions } from '../src/tick.ts';

const ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:cronkeeper-prod-tick:live';
const context = {
  ...{ awsRequestId: 'r-1', functionName: 'tick', invokedFunctionArn: ARN },
  getRemainingTimeInMillis: () => 60_000,
} as Context;
const environment = { CRONKEEPER_SHARDS_PER_TICK: '2', CRONKEEPER_FAN_OUT_MAX: '3' };

describe('a function that may invoke itself', () => {
  test('is in all shards at once with two for each invocation, runs everything once, and comes to an end', async () => {
    const coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 10_000, clock: systemClock });
    const launched: string[] = [];
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    // Nobody gets through before somebody is in each of the shards: one tick alone would wait for ever.
    const gate = async (id: unknown) => {
      if (launched.push(String(id)) === 8) open();
      await opened;
    };
    const keepers: Cronkeeper[] = [];
    const keeper = async () => {
      const capabilities = { gate };
      const opened = await openCronkeeper({ url: 'embedded:', coordinator, capabilities });
      keepers.push(opened);
      return opened;
    };
    const invoked: [string, unknown][] = [];
    const reports: Promise<TickReport>[] = [];
    const invoke = async (name: string, payload: unknown) => {
      invoked.push([name, payload]);
      reports.push((await handler())(JSON.parse(JSON.stringify(payload)), context));
    };
    const handler = async (): Promise<TickHandler> =>
      createTickHandler({ keeper: await keeper(), environment, invoke, log: silent });
    try {
      const first = await keeper();
      const ids = await oneInEachShard(first);
      await Promise.all(ids.map((id) => first.tasks.run(id)));
      reports.push((await handler())({}, context));
      await opened;
      await reports[0];
      const all = await Promise.all(reports);
      expect(all.map(({ succeeded }) => succeeded)).toEqual([2, 2, 2, 2]);
      expect(launched.toSorted()).toEqual(ids.toSorted());
      expect(invoked.map(([name]) => name)).toEqual([ARN, ARN, ARN]);
      const payloads = invoked.map(([, payload]) => payload as Invocation);
      expect(payloads.map(({ generation }) => generation)).toEqual([1, 1, 1]);
      expect(new Set(payloads.flatMap(({ shards }) => shards)).size).toBe(6);
    } finally {
      await Promise.all(keepers.map((each) => each.close()));
      await coordinator.close();
    }
  }, 30_000);

  /** A tick that says what it leaves behind, and how it was asked. */
  const leaving = (loadedShards: readonly number[]) => {
    const asked: TickOptions[] = [];
    const tick = async (options: TickOptions = {}) => {
      asked.push(options);
      return { shards: 2, loadedShards } as TickReport;
    };
    return { asked, keeper: { tick } as unknown as Cronkeeper };
  };

  test('passes on what it has no time for, to the next generation and not beyond the third', async () => {
    const { asked, keeper } = leaving([4, 5, 6]);
    const payloads: unknown[] = [];
    const invoke = async (_: string, payload: unknown) => void payloads.push(payload);
    const handler = createTickHandler({ keeper, environment, invoke, log: silent });
    await handler({ command: 'tick', lingerMs: 0, shards: [4, 5, 6, 7], generation: 2 }, context);
    const next = { command: 'tick', generation: 3, lingerMs: 0 };
    const expected = [
      { ...next, shards: [4, 6] },
      { ...next, shards: [5] },
    ];
    expect(payloads).toEqual(expected);
    await handler(expected[0], context);
    expect(payloads).toEqual(expected);
    expect(asked.map(({ shards, shardsMax }) => [shards, shardsMax])).toEqual([
      [[4, 5, 6, 7], 2],
      [[4, 6], 2],
    ]);
  });

  test.each([
    ['fails', async () => Promise.reject(new Error('throttled')), ['fan-out failed', 'fan-out failed']],
    ['does not answer', () => new Promise<never>(() => {}), []],
  ])('ends as it would, though the call %s', async (_, invoke, expected) => {
    const said: string[] = [];
    const log: Log = (level, message) => void (level === 'warn' && said.push(message));
    const handler = createTickHandler({ ...leaving([0, 1, 2, 3]), environment, invoke, log });
    expect(await handler({}, context)).toMatchObject({ loadedShards: [0, 1, 2, 3] });
    expect(said).toEqual(expected);
  });

  test('invokes nothing unless it is told that it may', async () => {
    const { asked, keeper } = leaving([0, 1]);
    const invoke = async () => Promise.reject(new Error('it did'));
    const said: string[] = [];
    const log: Log = (_, message) => void said.push(message);
    await createTickHandler({ keeper, environment: {}, invoke, log })({}, context);
    expect([said, asked[0]?.onWaiting, asked[0]?.shardsMax]).toEqual([['tick'], undefined, undefined]);
  });
});

async function oneInEachShard(keeper: Cronkeeper): Promise<string[]> {
  const { shards } = await keeper.status();
  const byShard = new Map<number, string>();
  for (let i = 0; byShard.size < shards.length; i++) byShard.set(shardOf(`gated-${i}`, shards.length), `gated-${i}`);
  const ids = [...byShard.values()];
  const code = 'export default (ctx) => ctx.call("gate", ctx.taskId)';
  await keeper.tasks.putMany(
    ids.map((id) => ({ id, schedule: { every: '1h' }, code, capabilities: { call: ['gate'] } })),
  );
  return ids;
}

/** A recorded run that is repeated takes the same course, asks nobody, and leaves no trace. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { SEEN_BYTES_MAX } from '../src/recording.ts';
import { document, ORACLE, RECORD_PATH, Records } from './support/records.ts';

const records = Records.use();

/** Everything that a run may depend on, in its result. */
const CURIOUS = `export default async (ctx) => {
  const { taskId, slot, attempt, fence, idempotencyKey, input, state } = ctx;
  const before = [ctx.now(), Math.random()];
  await new Promise((resolve) => setTimeout(resolve, 20));
  const answers = await Promise.all([ctx.call('oracle', Math.random()), ctx.call('oracle', 2)]);
  ctx.log('answered', answers);
  const failed = await ctx.call('oracle', 'refuse').catch((error) => error.message);
  const denied = await ctx.call('unknown').catch((error) => error.name);
  const output = { taskId, slot, attempt, fence, idempotencyKey, input, state, before, answers, failed, denied };
  return { output: { ...output, after: [Date.now(), Math.random()] }, state: { n: (state?.n ?? 0) + 1 } };
}`;

describe('a replay', () => {
  test('takes the same course: input, state, times, chance, timers, answers and refusals', async () => {
    const task = document(CURIOUS, { ...ORACLE, input: { of: 'task' } });
    const runs = await records.launched(task, {}, { input: { of: 'launch' } }, {});
    expect(runs.map(({ output }) => (output as { input: unknown }).input)).toEqual([
      { of: 'task' },
      { of: 'launch' },
      { of: 'task' },
    ]);
    for (const run of runs) {
      const replay = await records.keeper.tasks.replay('task', run.launchId);
      expect(replay).toMatchObject({ same: true, differences: [], recorded: run });
      expect(replay.outcome).toMatchObject({ status: 'succeeded', value: { output: run.output } });
    }
  });

  test('repeats an error with its stack, and the attempt that was asked for', async () => {
    const code = `export default (ctx) => {
      ctx.log('attempt', ctx.attempt);
      if (ctx.attempt < 3) throw new TypeError('not yet: ' + Math.random());
      return ctx.attempt;
    }`;
    await records.keeper.tasks.put(document(code, { retry: { attempts: 3, backoff: '0s' } }));
    const { launchId } = await records.keeper.tasks.run('task');
    for (let i = 0; i < 3; i++) await records.keeper.tick();
    const last = await records.keeper.tasks.replay('task', launchId);
    expect(last).toMatchObject({ same: true, outcome: { value: 3 }, recorded: { attempt: 3 } });
    for (const attempt of [1, 2]) {
      const replay = await records.keeper.tasks.replay('task', launchId, { attempt });
      expect(replay).toMatchObject({ same: true, recorded: { attempt }, outcome: { status: 'failed' } });
      expect(replay.outcome.error).toEqual(replay.recorded.error);
    }
    await expect(records.keeper.tasks.replay('task', launchId, { attempt: 4 })).rejects.toMatchObject({
      code: 'not-found',
      message: `launch ${launchId}: attempt 4 is not kept; kept: 1, 2, 3`,
    });
  });

  test('asks nobody, and changes nothing that is stored', async () => {
    const [run] = await records.launched(document(CURIOUS, ORACLE));
    const session = await records.coordinator.connect();
    const before = await session.get(RECORD_PATH);
    const questions = records.asked.length;
    await records.keeper.tasks.replay('task', run?.launchId ?? '');
    expect(records.asked).toHaveLength(questions);
    expect(await session.get(RECORD_PATH)).toEqual(before);
    await session.close();
  });

  test('begins when the run began, however long it had waited for its turn', async () => {
    const [run] = await records.launched(document('export default () => ({ output: Date.now() })'));
    const { launchId = '' } = run ?? {};
    const later = ({ startedMs, waitedMs = 0, ...rest }: Record<string, unknown>) => ({
      ...rest,
      startedMs: Number(startedMs) + 5_000,
      waitedMs: Number(waitedMs) + 5_000,
    });
    await records.rewrite(later);
    expect(await records.keeper.tasks.replay('task', launchId)).toMatchObject({ same: true });
    await records.rewrite(({ waitedMs: _, ...rest }) => rest);
    expect(await records.keeper.tasks.replay('task', launchId)).toMatchObject({ differences: [{ field: 'output' }] });
  });

  test('ends where the run ended, when its time was over', async () => {
    const code = `export default async (ctx) => {
      ctx.log(await ctx.call('oracle', 1));
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }`;
    const [run] = await records.launched(document(code, { ...ORACLE, timeout: '200ms' }));
    expect(run).toMatchObject({ status: 'timed-out', logs: [expect.any(String)] });
    expect(await records.keeper.tasks.replay('task', run?.launchId ?? '')).toMatchObject({ same: true });
  });

  test('makes no request: it gets the response that was recorded', async () => {
    let requests = 0;
    const server = createServer((_, response) => response.writeHead(200 + requests++).end('told')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetch = { allowAddresses: ['127.0.0.0/8'] };
    const fetching = await records.open({ fetch });
    const code = `export default async (ctx) => {
      const { status } = await ctx.fetch('${origin}/x');
      return { output: [status, Date.now()] };
    }`;
    await fetching.tasks.put(document(code, { capabilities: { fetch: [origin] } }));
    const { launchId } = await fetching.tasks.run('task');
    await fetching.tick();
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    const replay = await fetching.tasks.replay('task', launchId);
    await fetching.close();
    expect(replay).toMatchObject({ same: true, recorded: { granted: { fetch: [origin], call: [] } } });
    expect(replay.recorded.output).toEqual([200, expect.any(Number)]);
    expect(requests).toBe(1);
  });

  test('of a note that the engine added to the log is the same', async () => {
    const [run] = await records.launched(document('export default () => ({ nextAt: "1999-01-01T00:00:00Z" })'));
    expect(run?.logs).toEqual([expect.stringMatching(/^nextAt ignored: /)]);
    expect(await records.keeper.tasks.replay('task', run?.launchId ?? '')).toMatchObject({ same: true });
  });

  test('of an output that was cut is the same', async () => {
    const [run] = await records.launched(document('"ü".repeat(20000)'));
    expect(run).toMatchObject({ truncated: true });
    expect(await records.keeper.tasks.replay('task', run?.launchId ?? '')).toMatchObject({ same: true });
  });

  test('still finds a run that is in a chunk of history, whose code was replaced, or whose task was removed', async () => {
    const runs = await records.launched(
      document('export default (ctx) => ctx.slot + Math.random()'),
      ...Array(12).fill({}),
    );
    const [oldest] = runs.toReversed();
    await records.keeper.tasks.put(document('"other code"'));
    const { launchId = '' } = oldest ?? {};
    expect(await records.keeper.tasks.replay('task', launchId)).toMatchObject({ same: true, recorded: oldest });
    await records.keeper.tasks.remove('task');
    expect(await records.keeper.tasks.replay('task', launchId)).toMatchObject({ same: true });
  });
});

describe('a replay with changes', () => {
  const BROKEN = `export default async (ctx) => {
    const { answer } = await ctx.call('oracle', ctx.input);
    return answer.toFixed(1) + ctx.state.n;
  }`;

  test('tells whether other code, input or state would have made a difference', async () => {
    const [run] = await records.launched(document(BROKEN, { ...ORACLE, input: 'what?' }));
    const { launchId = '' } = run ?? {};
    expect(run?.error?.name).toBe('TypeError');
    const fixed = await records.keeper.tasks.replay('task', launchId, {
      code: BROKEN.replace('ctx.state', 'ctx.state?'),
    });
    expect(fixed.outcome).toMatchObject({ status: 'succeeded', value: '1.0undefined' });
    expect(fixed.differences).toEqual([
      { field: 'status', recorded: 'failed', replayed: 'succeeded' },
      { field: 'output', recorded: undefined, replayed: '1.0undefined' },
      { field: 'error', recorded: run?.error, replayed: undefined },
    ]);
    expect(fixed.same).toBe(false);
    const { outcome } = await records.keeper.tasks.replay('task', launchId, { state: { n: 5 } });
    expect(outcome.value).toBe('1.05');
  });

  test('ends where something is asked that has no recorded answer', async () => {
    const [run] = await records.launched(document(BROKEN, { ...ORACLE, input: 'what?' }));
    const { launchId = '' } = run ?? {};
    const diverged = { status: 'failed', error: { class: 'Diverged' } };
    const changes = [
      { input: 'else?' },
      { code: 'export default (ctx) => ctx.call("other")' },
      { code: 'export default async (ctx) => [await ctx.call("oracle", ctx.input), await ctx.call("oracle", 2)]' },
    ];
    for (const change of changes) {
      expect(await records.keeper.tasks.replay('task', launchId, change)).toMatchObject({
        outcome: diverged,
        same: false,
      });
    }
    expect(records.asked).toEqual(['what?']);
  });

  test('of the input is needed once the task has another, and only then', async () => {
    const code = 'export default (ctx) => ({ output: ctx.input })';
    const [run] = await records.launched(document(code, { input: 1 }));
    const { launchId = '' } = run ?? {};
    await records.keeper.tasks.pause('task');
    await records.keeper.tasks.put(document('"other code"', { input: 1, timeout: '5s' }));
    expect(await records.keeper.tasks.replay('task', launchId)).toMatchObject({ same: true });
    await records.keeper.tasks.put(document('"other code"', { input: 2 }));
    await records.keeper.tasks.resume('task');
    await expect(records.keeper.tasks.replay('task', launchId)).rejects.toMatchObject({
      code: 'invalid',
      problems: [{ field: 'input', message: expect.stringContaining("the task's input has changed with revision 4") }],
    });
    expect(await records.keeper.tasks.replay('task', launchId, { input: 1 })).toMatchObject({ same: true });
    const later = await records.relaunched('task');
    expect(await records.keeper.tasks.replay('task', later.launchId)).toMatchObject({
      same: true,
      outcome: { value: 'other code' },
    });
    // Made anew under the same id, with the first input again: still not the one that the later run was given.
    await records.keeper.tasks.remove('task');
    await records.keeper.tasks.put(document(code, { input: 1 }));
    await expect(records.keeper.tasks.replay('task', later.launchId)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('a run keeps', () => {
  test('what it was granted: what its manifest asks for, as far as the program has it', async () => {
    const [run] = await records.launched(document('1', { capabilities: { call: ['oracle', 'no-such-function'] } }));
    expect(run?.granted).toEqual({ fetch: [], call: ['oracle'] });
    const [plain] = await records.launched(document('1', { id: 'plain' }));
    expect(plain).not.toHaveProperty('granted');
    const [without] = await records.launched(
      document('1', { id: 'without', capabilities: { call: ['no-such-function'] } }),
    );
    expect(without).not.toHaveProperty('granted');
  });

  test('its code, and nothing of what it saw where that can be found elsewhere', async () => {
    const [run] = await records.launched(document('1', { input: 'long '.repeat(100) }));
    const session = await records.coordinator.connect();
    const node = await session.get(RECORD_PATH);
    await session.close();
    const [stored] = JSON.parse(node?.data ?? '').runs;
    expect(stored).toMatchObject({ code: run?.codeHash });
    expect(stored).not.toHaveProperty('seen');
    expect(stored).not.toHaveProperty('granted');
    expect(run).not.toHaveProperty('waitedMs');
  });

  test('no more than a bound, beyond which it says that it cannot be replayed', async () => {
    const fits = 'x'.repeat(SEEN_BYTES_MAX - 100);
    const [within] = await records.launched(document('1', { id: 'within' }), { input: fits });
    expect(within).not.toHaveProperty('notReplayable');
    expect(await records.keeper.tasks.replay('within', within?.launchId ?? '')).toMatchObject({ same: true });
    const [beyond] = await records.launched(document('1', { id: 'beyond' }), { input: `${fits}${'ü'.repeat(51)}` });
    expect(beyond).toMatchObject({ status: 'succeeded', notReplayable: expect.stringContaining(`${SEEN_BYTES_MAX}`) });
    await expect(records.keeper.tasks.replay('beyond', beyond?.launchId ?? '')).rejects.toMatchObject({
      code: 'too-large',
      message: expect.stringContaining(`attempt 1 at launch ${beyond?.launchId}: its state, its own input`),
    });
  });

  test('no more than a bound of what it was answered', async () => {
    const code = 'export default async (ctx) => void (await ctx.call("oracle", "x".repeat(20000)))';
    const [run] = await records.launched(document(code, ORACLE));
    expect(run).toMatchObject({ status: 'succeeded', notReplayable: expect.any(String) });
  });
});

/** A recorded run that is repeated takes the same course, asks nobody, and leaves no trace; or it is said why not. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Cronkeeper, openCronkeeper } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { openEmbedded } from '../src/coordinator/embedded.ts';
import type { Coordinator } from '../src/coordinator.ts';
import { createQuickJsEvaluator } from '../src/evaluator/quickjs.ts';
import type { Evaluator } from '../src/evaluator.ts';
import { createLayout, type Layout } from '../src/layout.ts';
import { SEEN_BYTES_MAX } from '../src/recording.ts';
import type { TaskDocument } from '../src/task.ts';
import type { Run } from '../src/view.ts';

let evaluator: Evaluator;
let coordinator: Coordinator;
let keeper: Cronkeeper;
let asked: unknown[];

const layout: Layout = createLayout('default', 8);

/** Answers every question with its number, or not at all. */
async function oracle(question: unknown): Promise<unknown> {
  asked.push(question);
  if (question === 'refuse') throw new Error('the oracle is silent');
  return { question, answer: asked.length };
}

beforeAll(async () => {
  evaluator = await createQuickJsEvaluator();
});
afterAll(() => evaluator.close());
beforeEach(async () => {
  asked = [];
  coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 10_000, clock: systemClock });
  keeper = await openCronkeeper({ url: 'embedded:', coordinator, evaluator, capabilities: { oracle } });
});
afterEach(async () => {
  await keeper.close();
  await coordinator.close();
});

const document = (code: string, rest: Partial<TaskDocument> = {}): TaskDocument => ({
  id: 'task',
  schedule: { every: '1h' },
  code,
  retry: { attempts: 1 },
  ...rest,
});

/** Launches the task by hand, as often as inputs are given; the latest run first. */
async function launched(task: TaskDocument, ...inputs: readonly object[]): Promise<Run[]> {
  await keeper.tasks.put(task);
  for (const input of inputs.length === 0 ? [{}] : inputs) await relaunched(task.id, input);
  return [...(await keeper.tasks.runs(task.id)).items];
}

async function relaunched(id: string, request: object = {}): Promise<Run> {
  await keeper.tasks.run(id, request);
  await keeper.tick();
  return (await keeper.tasks.runs(id)).items[0] as Run;
}

const ORACLE = { capabilities: { call: ['oracle'] } };

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
    const runs = await launched(task, {}, { input: { of: 'launch' } }, {});
    expect(runs.map(({ output }) => (output as { input: unknown }).input)).toEqual([
      { of: 'task' },
      { of: 'launch' },
      { of: 'task' },
    ]);
    for (const run of runs) {
      const replay = await keeper.tasks.replay('task', run.launchId);
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
    await keeper.tasks.put(document(code, { retry: { attempts: 3, backoff: '0s' } }));
    const { launchId } = await keeper.tasks.run('task');
    for (let i = 0; i < 3; i++) await keeper.tick();
    const last = await keeper.tasks.replay('task', launchId);
    expect(last).toMatchObject({ same: true, outcome: { value: 3 }, recorded: { attempt: 3 } });
    for (const attempt of [1, 2]) {
      const replay = await keeper.tasks.replay('task', launchId, { attempt });
      expect(replay).toMatchObject({ same: true, recorded: { attempt }, outcome: { status: 'failed' } });
      expect(replay.outcome.error).toEqual(replay.recorded.error);
    }
    await expect(keeper.tasks.replay('task', launchId, { attempt: 4 })).rejects.toMatchObject({
      code: 'not-found',
      message: `launch ${launchId}: attempt 4 is not kept; kept: 1, 2, 3`,
    });
  });

  test('asks nobody, and changes nothing that is stored', async () => {
    const [run] = await launched(document(CURIOUS, ORACLE));
    const session = await coordinator.connect();
    const before = await session.get(layout.task('task'));
    const questions = asked.length;
    await keeper.tasks.replay('task', run?.launchId ?? '');
    expect(asked).toHaveLength(questions);
    expect(await session.get(layout.task('task'))).toEqual(before);
    await session.close();
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
    const fetching = await openCronkeeper({ url: 'embedded:', coordinator, evaluator, fetch });
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
    const [run] = await launched(document('export default () => ({ nextAt: "1999-01-01T00:00:00Z" })'));
    expect(run?.logs).toEqual([expect.stringMatching(/^nextAt ignored: /)]);
    expect(await keeper.tasks.replay('task', run?.launchId ?? '')).toMatchObject({ same: true });
  });

  test('of an output that was cut is the same', async () => {
    const [run] = await launched(document('"ü".repeat(20000)'));
    expect(run).toMatchObject({ truncated: true });
    expect(await keeper.tasks.replay('task', run?.launchId ?? '')).toMatchObject({ same: true });
  });

  test('still finds a run that is in a chunk of history, whose code was replaced, or whose task was removed', async () => {
    const runs = await launched(document('export default (ctx) => ctx.slot + Math.random()'), ...Array(12).fill({}));
    const [oldest] = runs.toReversed();
    await keeper.tasks.put(document('"other code"'));
    const { launchId = '' } = oldest ?? {};
    expect(await keeper.tasks.replay('task', launchId)).toMatchObject({ same: true, recorded: oldest });
    await keeper.tasks.remove('task');
    expect(await keeper.tasks.replay('task', launchId)).toMatchObject({ same: true });
  });
});

describe('a replay with changes', () => {
  const BROKEN = `export default async (ctx) => {
    const { answer } = await ctx.call('oracle', ctx.input);
    return answer.toFixed(1) + ctx.state.n;
  }`;

  test('tells whether other code, input or state would have made a difference', async () => {
    const [run] = await launched(document(BROKEN, { ...ORACLE, input: 'what?' }));
    const { launchId = '' } = run ?? {};
    expect(run?.error?.name).toBe('TypeError');
    const fixed = await keeper.tasks.replay('task', launchId, { code: BROKEN.replace('ctx.state', 'ctx.state?') });
    expect(fixed.outcome).toMatchObject({ status: 'succeeded', value: '1.0undefined' });
    expect(fixed.differences).toEqual([
      { field: 'status', recorded: 'failed', replayed: 'succeeded' },
      { field: 'output', recorded: undefined, replayed: '1.0undefined' },
      { field: 'error', recorded: run?.error, replayed: undefined },
    ]);
    expect(fixed.same).toBe(false);
    const { outcome } = await keeper.tasks.replay('task', launchId, { state: { n: 5 } });
    expect(outcome.value).toBe('1.05');
  });

  test('ends where something is asked that has no recorded answer', async () => {
    const [run] = await launched(document(BROKEN, { ...ORACLE, input: 'what?' }));
    const { launchId = '' } = run ?? {};
    const diverged = { status: 'failed', error: { class: 'Diverged' } };
    const changes = [
      { input: 'else?' },
      { code: 'export default (ctx) => ctx.call("other")' },
      { code: 'export default async (ctx) => [await ctx.call("oracle", ctx.input), await ctx.call("oracle", 2)]' },
    ];
    for (const change of changes) {
      expect(await keeper.tasks.replay('task', launchId, change)).toMatchObject({ outcome: diverged, same: false });
    }
    expect(asked).toEqual(['what?']);
  });

  test('of the input is needed once the task has another, and only then', async () => {
    const code = 'export default (ctx) => ({ output: ctx.input })';
    const [run] = await launched(document(code, { input: 1 }));
    const { launchId = '' } = run ?? {};
    await keeper.tasks.pause('task');
    await keeper.tasks.put(document('"other code"', { input: 1, timeout: '5s' }));
    expect(await keeper.tasks.replay('task', launchId)).toMatchObject({ same: true });
    await keeper.tasks.put(document('"other code"', { input: 2 }));
    await keeper.tasks.resume('task');
    await expect(keeper.tasks.replay('task', launchId)).rejects.toMatchObject({
      code: 'invalid',
      problems: [{ field: 'input', message: expect.stringContaining("the task's input has changed with revision 4") }],
    });
    expect(await keeper.tasks.replay('task', launchId, { input: 1 })).toMatchObject({ same: true });
    const later = await relaunched('task');
    expect(await keeper.tasks.replay('task', later.launchId)).toMatchObject({
      same: true,
      outcome: { value: 'other code' },
    });
    // Made anew under the same id, with the first input again: still not the one that the later run was given.
    await keeper.tasks.remove('task');
    await keeper.tasks.put(document(code, { input: 1 }));
    await expect(keeper.tasks.replay('task', later.launchId)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('a run keeps', () => {
  test('what it was granted: what its manifest asks for, as far as the program has it', async () => {
    const [run] = await launched(document('1', { capabilities: { call: ['oracle', 'no-such-function'] } }));
    expect(run?.granted).toEqual({ fetch: [], call: ['oracle'] });
    const [plain] = await launched(document('1', { id: 'plain' }));
    expect(plain).not.toHaveProperty('granted');
    const [without] = await launched(document('1', { id: 'without', capabilities: { call: ['no-such-function'] } }));
    expect(without).not.toHaveProperty('granted');
  });

  test('its code, and nothing of what it saw where that can be found elsewhere', async () => {
    const [run] = await launched(document('1', { input: 'long '.repeat(100) }));
    const session = await coordinator.connect();
    const node = await session.get(layout.task('task'));
    await session.close();
    const [stored] = JSON.parse(node?.data ?? '').runs;
    expect(stored).toMatchObject({ code: run?.codeHash });
    expect(stored).not.toHaveProperty('seen');
    expect(stored).not.toHaveProperty('granted');
    expect(run).not.toHaveProperty('waitedMs');
  });

  test('no more than a bound, beyond which it says that it cannot be replayed', async () => {
    const fits = 'x'.repeat(SEEN_BYTES_MAX - 100);
    const [within] = await launched(document('1', { id: 'within' }), { input: fits });
    expect(within).not.toHaveProperty('notReplayable');
    expect(await keeper.tasks.replay('within', within?.launchId ?? '')).toMatchObject({ same: true });
    const [beyond] = await launched(document('1', { id: 'beyond' }), { input: `${fits}${'ü'.repeat(51)}` });
    expect(beyond).toMatchObject({ status: 'succeeded', notReplayable: expect.stringContaining(`${SEEN_BYTES_MAX}`) });
    await expect(keeper.tasks.replay('beyond', beyond?.launchId ?? '')).rejects.toMatchObject({
      code: 'too-large',
      message: expect.stringContaining(`attempt 1 at launch ${beyond?.launchId}: its state, its own input`),
    });
  });

  test('no more than a bound of what it was answered', async () => {
    const code = 'export default async (ctx) => void (await ctx.call("oracle", "x".repeat(20000)))';
    const [run] = await launched(document(code, ORACLE));
    expect(run).toMatchObject({ status: 'succeeded', notReplayable: expect.any(String) });
  });
});

describe('what cannot be replayed is refused:', () => {
  const refused = (launchId: unknown, options?: object) => {
    return expect(keeper.tasks.replay('task', launchId as string, options)).rejects;
  };

  test('a launch that is none of the task', async () => {
    const [run] = await launched(document('1'));
    const slotMs = Date.parse(run?.slot ?? '');
    for (const launchId of ['', 'task', `other@${slotMs}`, `task@${slotMs}.5`, 'task@', 7, undefined]) {
      await refused(launchId).toMatchObject({ code: 'invalid', problems: [{ field: 'launchId' }] });
    }
    await refused(`task@${slotMs + 1}`).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/not among the 1 runs/),
    });
    await expect(keeper.tasks.replay('none', 'none@1')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('options that cannot be', async () => {
    const [run] = await launched(document('1'));
    const { launchId } = run ?? {};
    for (const options of [{ attempt: 0 }, { attempt: '1' }, { code: 5 }, { input: 5n }, { state: Number.NaN }]) {
      const [field] = Object.keys(options);
      await refused(launchId, options).toMatchObject({ code: 'invalid', problems: [{ field }] });
    }
  });

  /** The runs as some program left them. */
  async function rewrite(change: (run: Record<string, unknown>) => Record<string, unknown>): Promise<string> {
    const [run] = await launched(document('1'));
    const session = await coordinator.connect();
    const node = await session.get(layout.task('task'));
    const record = JSON.parse(node?.data ?? '');
    const data = JSON.stringify({ ...record, runs: record.runs.map(change) });
    await session.multi([{ op: 'set', path: layout.task('task'), version: node?.version ?? 0, data }]);
    await session.close();
    return run?.launchId ?? '';
  }

  test('a skipped slot, also one in the middle of a range, and an uncertain end', async () => {
    const launchId = await rewrite((run) => ({ ...run, status: 'uncertain', reason: 'claimed', code: undefined }));
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/uncertain \(claimed\)/),
    });
    const slotMs = Number(launchId.split('@')[1]);
    const range = { slotMs: slotMs - 5, lastSlotMs: slotMs + 5, status: 'skipped', attempt: 0, reason: 'overlap' };
    await keeper.tasks.remove('task');
    const other = await rewrite((run) => ({ ...run, ...range, code: undefined }));
    expect(other).not.toBe('');
    await refused(`task@${slotMs - 5}`).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/was skipped \(overlap\)/),
    });
  });

  test('a run that an older program recorded', async () => {
    const launchId = await rewrite(({ code: _, waitedMs: __, ...older }) => older);
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/recorded by an older program/),
    });
    expect((await keeper.tasks.runs('task')).items).toMatchObject([{ launchId, status: 'succeeded' }]);
  });

  test('a run whose code is gone, unless other code is given', async () => {
    const launchId = await rewrite((run) => ({ ...run, code: 'f'.repeat(32) }));
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/code f{32} is not stored any more/),
    });
    expect(await keeper.tasks.replay('task', launchId, { code: '1' })).toMatchObject({ same: true });
  });
});

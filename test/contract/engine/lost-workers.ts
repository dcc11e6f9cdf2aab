/** A run takes the worker with it: what else was there is started again as if it had not been, and recorded once. */
import { expect, it } from '@jest/globals';
import type { Coordinator, Op } from '../../../src/coordinator.ts';
import type { Evaluator, OutcomeListener, Run, Started } from '../../../src/evaluator.ts';
import type { Outcome } from '../../../src/launch.ts';
import { hasRun, leftovers, runsOf, statuses } from './eyes.ts';
import { altered, at, clockAt, EVERY_SLOT, eventually, GATED, Gate, linger, type TestEngine, task } from './world.ts';

const outcome = (rest: Partial<Outcome & Started>): Outcome & Started => ({
  status: 'failed',
  logs: [],
  truncated: false,
  usage: { wallMs: 1, cpuMs: 1, peakBytes: 0, hostCalls: 0 },
  startedMs: Date.now(),
  ...rest,
});
const DONE = outcome({ status: 'succeeded', value: { output: 'done' } });
const LOST = outcome({ error: { class: 'WorkerLost', name: 'WorkerLost', message: 'another run' } });
const NEVER_BEGUN = outcome({
  error: { class: 'Cancelled', name: 'Cancelled', message: 'the caller gave up' },
  hasStarted: false,
});

/** Loses the first runs that are started, and lets the others succeed. */
class LossyEvaluator implements Evaluator {
  /** The attempts that were started, in order. */
  readonly attempts: number[] = [];
  /** How many more are lost. */
  losses: number;

  constructor(losses: number) {
    this.losses = losses;
  }

  async run(batch: readonly Run[], onOutcome: OutcomeListener, signal?: AbortSignal): Promise<void> {
    for (const [index, { context }] of batch.entries()) {
      this.attempts.push(context.attempt);
      onOutcome(index, await this.outcome(signal));
    }
  }

  protected async outcome(_signal?: AbortSignal): Promise<Outcome & Started> {
    return this.losses-- > 0 ? LOST : DONE;
  }

  async check(): Promise<undefined> {}
  async close(): Promise<void> {}
}

export function lostWorkerTests(engine: TestEngine): void {
  /** A task that is due, and an engine that runs it on this evaluator. */
  async function due(evaluator: Evaluator, rest: object = {}) {
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('bystander', { schedule: at(-1_000), retry: { attempts: 1 }, ...rest }));
    return engine.open({ evaluator });
  }

  it('starts it again at once, as the same attempt, and records nothing but its end', async () => {
    const evaluator = new LossyEvaluator(3);
    const keeper = await due(evaluator);
    expect(await keeper.tick()).toMatchObject({ due: 1, succeeded: 1, failed: 0, deferred: 0 });
    expect(evaluator.attempts).toEqual([1, 1, 1, 1]);
    expect(await runsOf(engine, 'bystander')).toMatchObject([{ attempt: 1, status: 'succeeded', output: 'done' }]);
    expect(await leftovers(engine)).toEqual([]);
  });

  it('does so three times and no more: what is always lost fails in the end, and attempts are counted as ever', async () => {
    const evaluator = new LossyEvaluator(Infinity);
    const keeper = await due(evaluator, { retry: { attempts: 2, backoff: '1h' } });
    await keeper.tick();
    expect(evaluator.attempts).toEqual([1, 1, 1, 1]);
    await keeper.tick();
    expect(evaluator.attempts).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    const runs = await runsOf(engine, 'bystander');
    expect(runs.map(({ attempt, status, error }) => [attempt, status, error?.class])).toEqual([
      [1, 'failed', 'WorkerLost'],
      [2, 'failed', 'WorkerLost'],
    ]);
    expect(await leftovers(engine)).toEqual([]);
  });

  it('never starts an at-most-once task a second time, though it is lost', async () => {
    const evaluator = new LossyEvaluator(1);
    const keeper = await due(evaluator, { delivery: 'at-most-once' });
    expect(await keeper.tick()).toMatchObject({ due: 1, failed: 1 });
    expect(await keeper.tick()).toMatchObject({ due: 0 });
    expect(evaluator.attempts).toEqual([1]);
    expect(await runsOf(engine, 'bystander')).toMatchObject([{ status: 'failed', error: { class: 'WorkerLost' } }]);
  });

  it('claims an at-most-once launch when it is due, and not when others are handed over', async () => {
    const waits: boolean[] = [];
    const evaluator = new (class extends LossyEvaluator {
      override run(batch: readonly Run[], onOutcome: OutcomeListener, signal?: AbortSignal) {
        waits.push(...batch.map(({ delayMs }) => delayMs !== undefined));
        return super.run(batch, onOutcome, signal);
      }
    })(0);
    const keeper = await engine.open({ evaluator });
    const once = { delivery: 'at-most-once', schedule: { every: '200ms' }, ...EVERY_SLOT, maxRuns: 1 } as const;
    await keeper.tasks.put(task('bystander', once));
    expect(await keeper.tick({ lingerMs: 400 })).toMatchObject({ succeeded: 1 });
    expect(waits).toEqual([false]);
  });

  it('does not start it again when the tick is to end: the next one takes it on, as the next attempt', async () => {
    const stop = new AbortController();
    const evaluator = new (class extends LossyEvaluator {
      protected override outcome() {
        stop.abort();
        return super.outcome();
      }
    })(1);
    const keeper = await due(evaluator);
    expect(await keeper.tick({ signal: stop.signal })).toMatchObject({ due: 1, deferred: 1, failed: 0 });
    expect(evaluator.attempts).toEqual([1]);
    expect(await keeper.tick()).toMatchObject({ due: 1, succeeded: 1 });
    expect(evaluator.attempts).toEqual([1, 2]);
    expect(await runsOf(engine, 'bystander')).toMatchObject([{ attempt: 2, status: 'succeeded' }]);
  });

  it('does not start it again when somebody else has taken its shard meanwhile', async () => {
    const { lock, epoch, shardOf } = engine.layout;
    const shard = shardOf('bystander');
    const other = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find((id) => shardOf(id) === shard) as string;
    const thief = await engine.session();
    const isJournal = ({ path }: Op) => path.includes('/journal/');
    let isTold = false;
    const coordinator: Coordinator = {
      url: 'embedded:',
      close: async () => {},
      async connect() {
        const session = await engine.session();
        const multi = (ops: readonly Op[]) =>
          session.multi(ops).catch((error: unknown) => {
            isTold ||= ops.some(isJournal);
            throw error;
          });
        return altered(session, { multi });
      },
    };
    const evaluator = new (class extends LossyEvaluator {
      protected override async outcome() {
        await thief.multi([
          { op: 'remove', path: lock(shard) },
          { op: 'create', path: lock(shard), data: 'thief', mode: 'ephemeral' },
          { op: 'set', path: epoch(shard), data: 'thief' },
        ]);
        // What falls due on that shard is refused by the journal: so the tick learns of it.
        await engine.keeper.tasks.put(task(other, { schedule: at(50) }));
        await eventually('the tick knows', () => isTold);
        return super.outcome();
      }
    })(1);
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('bystander', { schedule: at(-1_000) }));
    const keeper = await engine.open({ evaluator, coordinator });
    const report = await keeper.tick({ lingerMs: 1_000 });
    expect(report).toMatchObject({ fenced: 1, deferred: 2, failed: 0, succeeded: 0 });
    expect(evaluator.attempts).toEqual([1]);
  });

  it('does not forget that it had begun when its second start is given up before it begins', async () => {
    const stop = new AbortController();
    const evaluator = new (class extends LossyEvaluator {
      protected override async outcome(signal?: AbortSignal) {
        if (this.attempts.length !== 2) return super.outcome();
        stop.abort();
        await eventually('the tick cuts it off', () => signal?.aborted === true);
        return NEVER_BEGUN;
      }
    })(1);
    const keeper = await due(evaluator);
    expect(await keeper.tick({ signal: stop.signal })).toMatchObject({ due: 1, deferred: 1 });
    expect(await keeper.tick()).toMatchObject({ due: 1, succeeded: 1 });
    expect(evaluator.attempts).toEqual([1, 1, 2]);
    expect(await runsOf(engine, 'bystander')).toMatchObject([{ attempt: 2, status: 'succeeded' }]);
  });

  it('counts no attempt for a launch that is given up before it begins, where nothing was lost', async () => {
    const stop = new AbortController();
    const evaluator = new (class extends LossyEvaluator {
      protected override async outcome(signal?: AbortSignal) {
        if (this.attempts.length > 1) return super.outcome();
        stop.abort();
        await eventually('the tick cuts it off', () => signal?.aborted === true);
        return NEVER_BEGUN;
      }
    })(0);
    const keeper = await due(evaluator);
    expect(await keeper.tick({ signal: stop.signal })).toMatchObject({ due: 1, deferred: 1 });
    expect(await keeper.tick()).toMatchObject({ due: 1, succeeded: 1 });
    expect(evaluator.attempts).toEqual([1, 1]);
  });

  it('fails the tick, and does not wait for ever, when the evaluator breaks at the second start', async () => {
    const evaluator = new (class extends LossyEvaluator {
      override async run(batch: readonly Run[], onOutcome: OutcomeListener) {
        if (this.attempts.length > 0) throw new Error('no workers');
        await super.run(batch, onOutcome);
      }
    })(1);
    const keeper = await due(evaluator);
    await expect(keeper.tick()).rejects.toThrow('no workers');
  });

  it('lets everybody beside a task that hangs come through, as the first attempt', async () => {
    const gate = new Gate();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    const ids = Array.from({ length: 30 }, (_, i) => `waits-${i}`);
    await keeper.tasks.putMany(ids.map((id) => task(id, { schedule: at(300), ...GATED, retry: { attempts: 1 } })));
    const { until, stop } = await linger(engine, {}, keeper);
    await gate.reached(30);
    const code = `// ${engine.namespace}\nexport default () => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })`;
    await keeper.tasks.put(task('hangs', { schedule: at(300), code, timeout: '100ms', retry: { attempts: 1 } }));
    await until('it is over', hasRun(engine, 'hangs'));
    await gate.reached(60);
    gate.open();
    await until('the others are through', hasRun(engine, ids.at(-1) as string));
    expect(await stop()).toMatchObject({ due: 31, succeeded: 30, timedOut: 1, failed: 0 });
    expect(await runsOf(engine, 'hangs')).toMatchObject([{ error: { class: 'Timeout', name: 'HardTimeout' } }]);
    expect(gate.arrivals.map(({ attempt }) => attempt)).toEqual(Array(60).fill(1));
    for (const id of ids) expect(statuses(await runsOf(engine, id))).toEqual(['succeeded']);
  });
}

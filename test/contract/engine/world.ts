/** The ground under a scenario: a namespace of its own, keepers on it, and eyes to see what is stored. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type Cronkeeper, type CronkeeperOptions, openCronkeeper } from '../../../src/app.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Coordinator, Session } from '../../../src/coordinator.ts';
import { createQuickJsEvaluator } from '../../../src/evaluator/quickjs.ts';
import type { Evaluator } from '../../../src/evaluator.ts';
import { createLayout, type Layout } from '../../../src/layout.ts';
import type { TickReport } from '../../../src/report.ts';
import type { TaskDocument } from '../../../src/task.ts';
import type { TickOptions } from '../../../src/tick.ts';
import { eventually, type World } from '../coordinator/world.ts';

export { eventually, failure, type World } from '../coordinator/world.ts';

export const SHARDS = 3;

/** Stays until it is stopped; a scenario that fails ends long before by the time-out of its test. */
const LINGER_MS = 120_000;

export interface TestEngine {
  /** On the scenario's own namespace; closed after it, as those from `open` are. */
  readonly keeper: Cronkeeper;
  readonly layout: Layout;
  readonly namespace: string;
  open(options?: Partial<CronkeeperOptions>): Promise<Cronkeeper>;
  session(): Promise<Session>;
  /** The session of the tick that holds the leases. */
  holder(): Promise<Session>;
  /** Ends the session of the tick that holds the leases, as when its process dies. */
  crash(): Promise<void>;
}

export function useEngine(openWorld: () => Promise<World>): TestEngine {
  let world: World | undefined;
  let evaluator: Evaluator | undefined;
  let namespace = '';
  let keeper: Cronkeeper | undefined;
  const keepers: Cronkeeper[] = [];
  const sessions: Session[] = [];
  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('a scenario ran before its world was open');
    return value;
  };
  const connect = async (...args: Parameters<Coordinator['connect']>) => {
    const session = await present(world).coordinator.connect(...args);
    sessions.push(session);
    return session;
  };
  const open = async (options: Partial<CronkeeperOptions> = {}) => {
    const { url } = present(world).coordinator;
    const { clock = systemClock } = options;
    const aheadMs = Math.round(clock.now() - systemClock.now());
    const coordinator: Coordinator = {
      url,
      connect: async (...args) => telling(await connect(...args), aheadMs),
      close: async () => {},
    };
    const defaults = { url: 'embedded:', shards: SHARDS, namespace, coordinator, evaluator: present(evaluator) };
    const opened = await openCronkeeper({ ...defaults, ...options });
    keepers.push(opened);
    return opened;
  };
  beforeAll(async () => {
    [world, evaluator] = await Promise.all([openWorld(), createQuickJsEvaluator({ workers: 1 })]);
  });
  beforeEach(async () => {
    namespace = `n-${randomUUID()}`;
    keeper = await open();
  });
  afterEach(async () => {
    await Promise.all(keepers.splice(0).map((each) => each.close()));
    await Promise.all(sessions.splice(0).map((each) => each.close()));
  });
  afterAll(async () => {
    await evaluator?.close();
    await world?.dispose();
  });
  const layout = () => createLayout(namespace, SHARDS);
  const holder = async () => {
    const eye = await connect();
    const lock = await eye.get(layout().lock(0));
    return present(sessions.find(({ id }) => id === lock?.owner));
  };
  return {
    get keeper() {
      return present(keeper);
    },
    get layout() {
      return layout();
    },
    get namespace() {
      return namespace;
    },
    open,
    session: connect,
    holder,
    async crash() {
      await present(world).expire(await holder());
    },
  };
}

/** A session that does some things in another way. */
export const altered = (session: Session, changes: Partial<Session>): Session => ({
  id: session.id,
  signal: session.signal,
  get: (path, onChange) => session.get(path, onChange),
  getMany: (paths) => session.getMany(paths),
  children: (path) => session.children(path),
  childrenMany: (paths) => session.childrenMany(paths),
  multi: (ops) => session.multi(ops),
  close: () => session.close(),
  ...changes,
});

/** A session whose coordinator's clock is ahead: what is done over it is done then. */
const telling = (session: Session, aheadMs: number): Session =>
  aheadMs === 0
    ? session
    : altered(session, {
        multi: async (ops) =>
          (await session.multi(ops)).map((result) =>
            result.modifiedMs < 0 ? result : { ...result, modifiedMs: result.modifiedMs + aheadMs },
          ),
      });

/** The system's clock, moved, and with it the coordinator's for who is opened with it: what is put by it was put then. */
export const clockAt = (offsetMs: number): Clock => ({ ...systemClock, now: () => systemClock.now() + offsetMs });

export const at = (delayMs: number): { at: string } => ({ at: new Date(Date.now() + delayMs).toISOString() });

/** A document with less to type. */
export const task = (id: string, rest: Partial<TaskDocument> = {}): TaskDocument => ({
  id,
  schedule: { every: '1h' },
  code: 'export default () => ({ output: "done" })',
  ...rest,
});

/** Every slot counts, however late a loaded machine is. */
export const EVERY_SLOT = { misfire: { policy: 'all', max: 10_000 }, overlap: 'queue', history: 200 } as const;

export interface Lingering {
  readonly done: Promise<TickReport>;
  /** Looks again until `holds` does. Fails when the tick does, or ends. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Stops the tick and gives its report. */
  stop(): Promise<TickReport>;
}

/** Starts a tick that stays, and waits until it is at work. */
export async function linger(
  engine: TestEngine,
  options: TickOptions = {},
  keeper = engine.keeper,
): Promise<Lingering> {
  const controller = new AbortController();
  const done = keeper.tick({ lingerMs: LINGER_MS, signal: controller.signal, ...options });
  const ended = done.then(() => Promise.reject(new Error('the tick has ended')));
  ended.catch(() => undefined); // whoever stops it, awaits it or waits for something learns of its failure
  const until: Lingering['until'] = (what, holds) => Promise.race([eventually(what, holds), ended]);
  await until('the tick holds the leases', async () => (await engine.keeper.status()).shards.every(({ held }) => held));
  const stop = () => {
    controller.abort();
    return done;
  };
  return { done, until, stop };
}

/** Lets a tick stay until `holds`, and gives its report. */
export async function tickUntil(engine: TestEngine, what: string, holds: () => boolean | Promise<boolean>) {
  const { until, stop } = await linger(engine);
  await until(what, holds);
  return stop();
}

/** A capability that holds up the runs that call it, until it is opened. */
export class Gate {
  readonly arrivals: { readonly slot: string; readonly attempt: number }[] = [];
  #open: () => void = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  readonly capability = async (slot: string, attempt: number): Promise<void> => {
    this.arrivals.push({ slot, attempt });
    await this.#opened;
  };

  open(): void {
    this.#open();
  }

  async reached(count = 1): Promise<void> {
    await eventually(`${count} runs at the gate`, () => this.arrivals.length >= count);
  }
}

/** Code of a task that stops at the gate, and the right to it. */
export const GATED = {
  code: 'export default async (ctx) => { await ctx.call("gate", ctx.slot, ctx.attempt); return { output: "through" } }',
  capabilities: { call: ['gate'] },
};

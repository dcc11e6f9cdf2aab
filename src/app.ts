/** The composition root: the only file that names implementations. What it opens stays warm between invocations. */
import { type AuditEntry, type AuditOptions, assertPrincipal } from './audit.ts';
import { AuditTrail } from './audit-trail.ts';
import { createAws } from './aws/signed.ts';
import type { Aws, AwsSettings } from './aws.ts';
import { type Clock, type Random, systemClock, systemRandom, uniqueToken } from './clock.ts';
import { openEmbedded } from './coordinator/embedded.ts';
import { parseServers, type Server } from './coordinator/zookeeper/servers.ts';
import { openZooKeeper } from './coordinator/zookeeper.ts';
import type { Coordinator, Session } from './coordinator.ts';
import { CoordinatorTime } from './coordinator-time.ts';
import { type Courier, createCourier } from './courier.ts';
import { CronkeeperError, isCronkeeperError, received } from './errors.ts';
import { createQuickJsEvaluator } from './evaluator/quickjs.ts';
import type { Capability, Evaluator } from './evaluator.ts';
import { assertNamespace, openNamespace, SHARDS_MAX } from './namespace.ts';
import type { FetchPermissions, Outbound } from './outbound.ts';
import { type Probe, probe } from './probe.ts';
import { TASKS_MAX, TaskQuota } from './quota.ts';
import { Registry } from './registry.ts';
import { findRecorded, replayRecorded } from './replay.ts';
import type { TickReport } from './report.ts';
import { openRequests } from './sandbox.ts';
import { readStatus, type Status } from './status.ts';
import { CodeCache } from './store.ts';
import type { Page, Replay, Replays, Tasks } from './tasks.ts';
import { type TickOptions, tick } from './tick.ts';
import { parseCoordinatorUrl } from './url.ts';
import { type Verification, type VerifyOptions, verifyAll } from './verification.ts';

export interface CronkeeperOptions {
  /** `zookeeper://host:2181,host:2181/chroot`, `embedded:` (memory) or `embedded:./path/file.db`. */
  readonly url: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** ZooKeeper digest credentials, `user:password`. With them, every node is created for this user alone. */
  readonly zkAuth?: string;
  /** How long a lease outlives a holder that died. 500 to 40,000; default 10,000. ZooKeeper clamps it to its own bounds. */
  readonly sessionTimeoutMs?: number;
  /** Shards of a namespace that is made now; an existing one keeps its number. 1 to 256, default 8. */
  readonly shards?: number;
  /** Tasks that the namespace may have; existing ones can be edited beyond it, too. 1 to 10,000,000; default: any number. */
  readonly maxTasks?: number;
  /** Who makes the changes that `tasks` makes, for the audit trail. 1 to 256 visible ASCII characters; default `library`. */
  readonly principal?: string;
  /** Functions that tasks may `ctx.call`, if their manifest names them. Arguments and results are JSON. */
  readonly capabilities?: Readonly<Record<string, Capability>>;
  /** What tasks may `ctx.fetch` beside public addresses, if their manifest names it. Default: nothing. */
  readonly fetch?: FetchPermissions;
  /** How AWS is called: where destinations are, and functions. Default: nothing can be sent there. */
  readonly aws?: AwsSettings;
  /** Worker threads of the sandbox. Default 1. */
  readonly workers?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Names that nobody else has. Default: random UUIDs. */
  readonly token?: () => string;
  /** In place of the sandbox, for tests and simulations. */
  readonly evaluator?: Evaluator;
  /** In place of what sends messages to destinations, for tests and simulations. */
  readonly courier?: Courier;
  /** In place of the one that `url` names, for tests and simulations. */
  readonly coordinator?: Coordinator;
}

/** A namespace, opened: its tasks, and the tick that runs them. */
export interface Cronkeeper {
  readonly tasks: Tasks & Replays;
  /** The same tasks, in the name of somebody else. @throws CronkeeperError `invalid` for a name that cannot be. */
  as(principal: string): Tasks;
  /** Who changed what, newest first. @throws CronkeeperError `invalid` */
  audit(options?: AuditOptions): Promise<Page<AuditEntry>>;
  /** Runs what is due, once. @throws CronkeeperError when the coordinator failed; nothing is lost then. */
  tick(options?: TickOptions): Promise<TickReport>;
  status(): Promise<Status>;
  /** Proves from the records that no slot of any task is missing or doubled. @throws CronkeeperError `invalid` */
  verify(options?: VerifyOptions): Promise<Verification>;
  /** Whether the coordinator can be reached, and how well. Does not make the namespace. */
  probe(): Promise<Probe>;
  /** Ends the session that `tasks` uses; the next use opens another. For functions that are frozen between calls. */
  release(): Promise<void>;
  /** Ends sessions and threads. Ticks under way should be stopped first, by their signal. */
  close(): Promise<void>;
}

/** @throws CronkeeperError `invalid` for options that cannot be. The coordinator is not contacted before it is needed. */
export async function openCronkeeper(options: CronkeeperOptions): Promise<Cronkeeper> {
  if (typeof options !== 'object' || options === null) {
    throw new CronkeeperError('invalid', `openCronkeeper: received ${received(options)}; allowed: { url, … }`);
  }
  assertOptions(options);
  return new App(options);
}

class App implements Cronkeeper {
  readonly tasks: Tasks & Replays;
  readonly #options: CronkeeperOptions;
  readonly #clock: Clock;
  readonly #token: () => string;
  readonly #coordinator: Coordinator;
  readonly #code = new CodeCache();
  readonly #trail = new AuditTrail();
  readonly #quota: TaskQuota;
  readonly #outbound: Outbound;
  readonly #aws: Aws | undefined;
  readonly #courier: Courier;
  #evaluator: Promise<Evaluator> | undefined;
  #open: Promise<Opened> | undefined;
  #closed = false;

  constructor(options: CronkeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#token = options.token ?? uniqueToken;
    this.#outbound = openRequests(options.fetch, this.#clock, serversOf(options.url));
    this.#aws = options.aws && createAws({ ...options.aws, clock: this.#clock });
    const means = { outbound: this.#outbound, aws: this.#aws, clock: this.#clock };
    this.#courier = options.courier ?? createCourier(means);
    this.#coordinator = options.coordinator ?? openCoordinator(options, this.#clock);
    this.#quota = new TaskQuota(options.maxTasks);
    this.tasks = { ...this.as(options.principal ?? 'library'), replay: (...args) => this.#replay(...args) };
  }

  async tick(options: TickOptions = {}): Promise<TickReport> {
    this.#assertOpen();
    assertTickOptions(options);
    const { namespace, shards } = this.#place();
    return tick(
      {
        coordinator: this.#coordinator,
        namespace,
        shards,
        evaluator: whenReady(this.#startEvaluator()),
        capabilities: this.#options.capabilities ?? {},
        outbound: this.#outbound,
        ...(this.#aws !== undefined && { aws: this.#aws }),
        courier: this.#courier,
        code: this.#code,
        clock: this.#clock,
        random: this.#options.random ?? systemRandom,
        holder: this.#token,
      },
      options,
    );
  }

  audit(options: AuditOptions = {}): Promise<Page<AuditEntry>> {
    return this.#using(({ registry }) => registry.audit(options));
  }

  status(): Promise<Status> {
    return this.#using(({ session, layout }) =>
      readStatus(session, layout, this.#coordinator.url, this.#place().namespace),
    );
  }

  verify(options: VerifyOptions = {}): Promise<Verification> {
    return this.#using(({ session, layout, time }) => verifyAll({ session, layout, now: () => time.now() }, options));
  }

  async probe(): Promise<Probe> {
    this.#assertOpen();
    return probe(this.#coordinator, this.#place().namespace, this.#clock, this.#token());
  }

  async release(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await (await open?.catch(() => undefined))?.session.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.release();
    if (this.#options.evaluator === undefined) await (await this.#evaluator?.catch(() => undefined))?.close();
    await this.#outbound.close();
    if (this.#options.coordinator === undefined) await this.#coordinator.close();
  }

  #place() {
    return { namespace: this.#options.namespace ?? 'default', shards: this.#options.shards ?? 8 };
  }

  #startEvaluator(): Promise<Evaluator> {
    this.#evaluator ??=
      this.#options.evaluator === undefined
        ? createQuickJsEvaluator({ workers: this.#options.workers ?? 1, clock: this.#clock })
        : Promise.resolve(this.#options.evaluator);
    return this.#evaluator;
  }

  /** Every method of the registry, each on a session that is alive. */
  as(principal: string): Tasks {
    assertPrincipal(principal);
    const on = <T>(use: (registry: Registry) => Promise<T>) =>
      this.#using(({ registry }) => use(registry.as(principal)));
    // What depends on a revision is not asked twice: the first time may have made it another one.
    const once = async <T>(use: (registry: Registry) => Promise<T>) =>
      use((await this.#opened()).registry.as(principal));
    return {
      put: (document, options) => {
        const isConditional = options?.ifMatch !== undefined || options?.ifNoneMatch !== undefined;
        return (isConditional ? once : on)((registry) => registry.put(document, options));
      },
      putMany: (documents) => on((registry) => registry.putMany(documents)),
      get: (id) => on((registry) => registry.get(id)),
      list: (options) => on((registry) => registry.list(options)),
      remove: (id, options) => (options?.ifMatch === undefined ? on : once)((registry) => registry.remove(id, options)),
      pause: (id) => on((registry) => registry.pause(id)),
      resume: (id) => on((registry) => registry.resume(id)),
      run: (id, request) => {
        // One key for both tries: the first may have been taken, though its session ended before it could say so.
        const keyed = { ...request, key: request?.key ?? this.#token() };
        return on((registry) => registry.run(id, keyed));
      },
      // Of all of them, what is left is another answer.
      redrive: (id, launch) => (launch === undefined ? once : on)((registry) => registry.redrive(id, launch)),
      backfill: (id, request) => {
        const keyed = { ...request, key: request.key ?? uniqueToken() };
        return on((registry) => registry.backfill(id, keyed));
      },
      runs: (id, options) => on((registry) => registry.runs(id, options)),
      deadLetters: (options) => on((registry) => registry.deadLetters(options)),
      undelivered: (options) => on((registry) => registry.undelivered(options)),
    };
  }

  async #replay(...[id, launchId, options = {}]: Parameters<Replays['replay']>): Promise<Replay> {
    const found = await this.#using(({ session, layout }) =>
      findRecorded({ session, layout, code: this.#code }, id, launchId, options),
    );
    return replayRecorded(whenReady(this.#startEvaluator()), found, options);
  }

  /** A session may have ended since it was last used, or end just now; what it was asked for is then asked of a new one. */
  async #using<T>(use: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      return await use(await this.#opened());
    } catch (error) {
      if (!isCronkeeperError(error, 'session-lost') || this.#closed) throw error;
      return use(await this.#opened());
    }
  }

  async #opened(): Promise<Opened> {
    this.#assertOpen();
    const current = this.#open;
    const opened = await current?.catch(() => undefined);
    if (opened !== undefined && !opened.session.signal.aborted) return opened;
    if (this.#open === current) this.#open = this.#openRegistry();
    return this.#open as Promise<Opened>;
  }

  async #openRegistry(): Promise<Opened> {
    const session = await this.#coordinator.connect();
    try {
      this.#assertOpen();
      const { namespace, shards } = this.#place();
      const layout = await openNamespace(session, namespace, shards);
      const name = this.#token();
      let made = 0;
      const maker = () => `${name}.${(made++).toString(36)}`;
      const time = new CoordinatorTime(session, this.#clock, () => `${layout.root}/time-${maker()}`);
      const registry = new Registry(
        {
          ...{ session, layout, maker, code: this.#code, trail: this.#trail, quota: this.#quota },
          now: () => time.now(),
          checkCode: (program) => whenReady(this.#startEvaluator()).check(program),
        },
        'library',
      );
      return { session, layout, registry, time };
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new CronkeeperError('session-lost', 'this Cronkeeper was closed');
  }
}

/** The sandbox starts while the coordinator is being connected to; only the first run waits for it. */
function whenReady(starting: Promise<Evaluator>): Evaluator {
  starting.catch(() => undefined); // reported to whoever uses it
  return {
    run: async (...args) => (await starting).run(...args),
    check: async (program) => (await starting).check(program),
    close: async () => (await starting).close(),
  };
}

interface Opened {
  readonly session: Session;
  readonly layout: Awaited<ReturnType<typeof openNamespace>>;
  readonly registry: Registry;
  readonly time: CoordinatorTime;
}

function openCoordinator({ url, zkAuth, sessionTimeoutMs = 10_000 }: CronkeeperOptions, clock: Clock): Coordinator {
  const parsed = parseCoordinatorUrl(url);
  if (parsed.kind === 'embedded') return openEmbedded({ path: parsed.path, sessionTimeoutMs, clock });
  const { servers, chroot } = parsed;
  return openZooKeeper({
    servers,
    sessionTimeoutMs,
    clock,
    ...(chroot !== undefined && { chroot }),
    ...(zkAuth !== undefined && { auth: zkAuth }),
  });
}

/** Where the tasks are kept: what no task may reach. */
function serversOf(url: string): readonly Server[] {
  const parsed = parseCoordinatorUrl(url);
  return parsed.kind === 'zookeeper' ? parseServers(parsed.servers) : [];
}

function assertTickOptions(options: TickOptions): void {
  for (const field of ['lingerMs', 'budgetMs'] as const) {
    const value: unknown = options[field];
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
    const allowed = 'a number of milliseconds, 0 or more';
    throw new CronkeeperError('invalid', `tick: ${field}: received ${received(value)}; allowed: ${allowed}`);
  }
}

const OPTION_NAMES: ReadonlySet<string> = new Set([
  ...['url', 'namespace', 'zkAuth', 'sessionTimeoutMs', 'shards', 'maxTasks', 'principal'],
  ...['capabilities', 'fetch', 'aws', 'workers'],
  ...['clock', 'random', 'token', 'evaluator', 'courier', 'coordinator'],
]);

function assertOptions(options: CronkeeperOptions): void {
  const refuse = (field: string, value: unknown, allowed: string): never => {
    throw new CronkeeperError('invalid', `openCronkeeper: ${field}: received ${received(value)}; allowed: ${allowed}`);
  };
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.has(name)) refuse(name, options[name as keyof CronkeeperOptions], [...OPTION_NAMES].join(', '));
  }
  if (typeof options.url !== 'string') refuse('url', options.url, 'a coordinator URL');
  parseCoordinatorUrl(options.url);
  assertNamespace(options.namespace ?? 'default');
  const whole = (field: 'sessionTimeoutMs' | 'shards' | 'workers' | 'maxTasks', min: number, max: number) => {
    const value = options[field];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
    refuse(field, value, `a whole number from ${min} to ${max}`);
  };
  whole('sessionTimeoutMs', 500, 40_000);
  whole('shards', 1, SHARDS_MAX);
  whole('workers', 1, 64);
  whole('maxTasks', 1, TASKS_MAX);
}

/** The composition root: the only file that names implementations. What it opens stays warm between invocations. */

import { assertOptions, type CronkeeperOptions } from './app-options.ts';
import { type AuditEntry, type AuditOptions, assertPrincipal } from './audit.ts';
import { createAws } from './aws/signed.ts';
import type { Aws, AwsSettings } from './aws.ts';
import { type Clock, systemClock, systemRandom, uniqueToken } from './clock.ts';
import { parseServers, type Server } from './coordinator/zookeeper/servers.ts';
import { openZooKeeper } from './coordinator/zookeeper.ts';
import type { Coordinator } from './coordinator.ts';
import { type Courier, createCourier } from './courier.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import { createQuickJsEvaluator } from './evaluator/quickjs.ts';
import type { Evaluator } from './evaluator.ts';
import type { BusEvent, Emitted, EventDocument } from './event.ts';
import type { Keeping, Opened } from './keeping.ts';
import type { Outbound } from './outbound.ts';
import type { Probe } from './probe.ts';
import type { Registry } from './registry.ts';
import type { TickReport } from './report.ts';
import { openRequests } from './sandbox.ts';
import type { Status } from './status.ts';
import { CodeCache } from './store.ts';
import type { Page, Replay, Replays, Tasks } from './tasks.ts';
import { assertTickOptions, type TickOptions, tick } from './tick.ts';
import { parseCoordinatorUrl } from './url.ts';
import type { Verification, VerifyOptions } from './verification.ts';

export type { CronkeeperOptions } from './app-options.ts';

/** A namespace, opened: its tasks, and the tick that runs them. */
export interface Cronkeeper {
  readonly tasks: Tasks & Replays;
  /** The same tasks, in the name of somebody else. @throws CronkeeperError `invalid` for a name that cannot be. */
  as(principal: string): Tasks;
  /** Who changed what, newest first. @throws CronkeeperError `invalid` */
  audit(options?: AuditOptions): Promise<Page<AuditEntry>>;
  /** Runs what is due, once. @throws CronkeeperError when the coordinator failed; nothing is lost then. */
  tick(options?: TickOptions): Promise<TickReport>;
  /**
   * Launches the tasks whose `on` wants an event of a bus, once per event: its id, where it has one, is the key.
   * @throws CronkeeperError `invalid`; anything else: at least one task could not take it now, so deliver it again.
   */
  emit(event: BusEvent | EventDocument): Promise<Emitted>;
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
  assertOptions(options);
  const clock = options.clock ?? systemClock;
  return new App(options, clock, options.coordinator ?? (await openCoordinator(options, clock)));
}

/** AWS, for what handlers do there themselves. */
export const openAws = (settings: AwsSettings, clock: Clock): Aws => createAws({ ...settings, clock });

class App implements Cronkeeper {
  readonly tasks: Tasks & Replays;
  readonly #options: CronkeeperOptions;
  readonly #clock: Clock;
  readonly #token: () => string;
  readonly #coordinator: Coordinator;
  readonly #code = new CodeCache();
  readonly #outbound: Outbound;
  readonly #aws: Aws | undefined;
  readonly #courier: Courier;
  #evaluator: Promise<Evaluator> | undefined;
  #keeping: Promise<Keeping> | undefined;
  #open: Promise<Opened> | undefined;
  #closed = false;

  constructor(options: CronkeeperOptions, clock: Clock, coordinator: Coordinator) {
    this.#options = options;
    this.#clock = clock;
    this.#coordinator = coordinator;
    this.#token = options.token ?? uniqueToken;
    this.#outbound = openRequests(options.fetch, this.#clock, serversOf(options.url));
    this.#aws = options.aws && createAws({ ...options.aws, clock: this.#clock });
    const means = { outbound: this.#outbound, aws: this.#aws, clock: this.#clock };
    this.#courier = options.courier ?? createCourier(means);
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
        holder: () => options.holder ?? this.#token(),
      },
      options,
    );
  }

  audit(options: AuditOptions = {}): Promise<Page<AuditEntry>> {
    return this.#using(({ registry }) => registry.audit(options));
  }

  async emit(event: BusEvent | EventDocument): Promise<Emitted> {
    // One id for both tries: the first may have been taken, though its session ended before it could say so.
    const parsed = (await this.#keep()).parseEvent(event, this.#token);
    return this.#using(({ registry }) => registry.emit(parsed));
  }

  status(): Promise<Status> {
    return this.#using((opened) => opened.status());
  }

  verify(options: VerifyOptions = {}): Promise<Verification> {
    return this.#using((opened) => opened.verify(options));
  }

  async probe(): Promise<Probe> {
    this.#assertOpen();
    return (await this.#keep()).probe();
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
    const found = await this.#using((opened) => opened.recorded(id, launchId, options));
    return (await this.#keep()).replay(found, options);
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
    const keeping = this.#keep(); // loaded while we connect
    keeping.catch(() => undefined); // told below
    const session = await this.#coordinator.connect();
    try {
      this.#assertOpen();
      return await (await keeping).open(session);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Loaded late, and once: see `keeping.ts`. */
  #keep(): Promise<Keeping> {
    this.#keeping ??= import('./keeping.ts').then(
      ({ Keeping }) =>
        new Keeping({
          ...this.#place(),
          maxTasks: this.#options.maxTasks,
          coordinator: this.#coordinator,
          evaluator: () => whenReady(this.#startEvaluator()),
          code: this.#code,
          clock: this.#clock,
          token: this.#token,
        }),
    );
    return this.#keeping;
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

async function openCoordinator(options: CronkeeperOptions, clock: Clock): Promise<Coordinator> {
  const { url, zkAuth, sessionTimeoutMs = 10_000 } = options;
  const parsed = parseCoordinatorUrl(url);
  if (parsed.kind === 'embedded') {
    const { openEmbedded } = await import('./coordinator/embedded.ts');
    return openEmbedded({ path: parsed.path, sessionTimeoutMs, clock });
  }
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

/** A world: the real engine in simulated processes, on one coordinator in memory, and those who watch what becomes of it. */
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import { type EmbeddedCoordinator, openEmbedded } from '../../src/coordinator/embedded.ts';
import { createLayout } from '../../src/layout.ts';
import { type CoordinatorWorld, SimCoordinator } from './coordinator.ts';
import { simCourier } from './courier.ts';
import { Dice } from './dice.ts';
import { type EvaluatorWorld, type Profile, SimEvaluator } from './evaluator.ts';
import { type FaultLimits, Faults } from './faults.ts';
import { DueIndex } from './invariants/due-index.ts';
import { Events } from './invariants/events.ts';
import { Leases } from './invariants/leases.ts';
import { Ledger } from './invariants/ledger.ts';
import { Runs } from './invariants/runs.ts';
import { ToldOf } from './invariants/told.ts';
import { Observer } from './observer.ts';
import { SimProcess } from './process.ts';
import { Violations } from './violations.ts';
import { VirtualTime } from './virtual-time.ts';

const SESSION_TIMEOUT_MS = 10_000;
const SKEW_MAX_MS = 5 * 60_000;

export const NAMESPACE = 'sim';

export interface WorldOptions {
  readonly seed: number;
  /** The coordinator's wall clock when the world begins. */
  readonly startMs: number;
  /** From then on nothing goes wrong any more. */
  readonly healMs: number;
  readonly shards: number;
  readonly limits: FaultLimits;
}

export class World {
  readonly time: VirtualTime;
  readonly faults: Faults;
  readonly observer: Observer;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly runs: Runs;
  readonly told: ToldOf;
  readonly violations: Violations;
  readonly profiles = new Map<string, Profile>();
  /** Of each invocation, by process and number, its sessions. */
  readonly sessions = new Map<string, Set<string>>();
  readonly #options: WorldOptions;
  readonly #shared: EmbeddedCoordinator;
  readonly #coordinatorWorld: CoordinatorWorld;
  readonly #evaluatorWorld: EvaluatorWorld;

  constructor(options: WorldOptions) {
    const { seed, startMs, healMs, shards, limits } = options;
    this.#options = options;
    const time = new VirtualTime(startMs);
    this.time = time;
    this.violations = new Violations(time);
    this.faults = new Faults(
      seed,
      limits,
      () => time.nowMs,
      () => time.nowMs >= healMs,
    );
    this.ledger = new Ledger(this.violations, () => time.nowMs);
    this.observer = new Observer(createLayout(NAMESPACE, shards), (transaction) => {
      this.leases.onTransaction(transaction);
      this.ledger.onTransaction(transaction);
      index.onTransaction(transaction);
      this.told.onTransaction(transaction);
      events.onTransaction(transaction);
    });
    const { observer, violations } = this;
    this.leases = new Leases(observer, violations);
    this.runs = new Runs(observer, this.ledger, time, violations);
    this.told = new ToldOf(observer, violations);
    const index = new DueIndex(observer, violations);
    const events = new Events(observer, violations);
    this.#shared = openEmbedded({ path: undefined, sessionTimeoutMs: SESSION_TIMEOUT_MS, clock: time.clock });
    this.#coordinatorWorld = this.#connect();
    this.#evaluatorWorld = {
      ...{ seed, time, faults: this.faults },
      profileOf: (taskId) => this.profiles.get(taskId) ?? { kind: 'quick', minMs: 1, maxMs: 50 },
      started: (execution) => this.runs.started(execution),
      askedFor: (taskId, nextAtMs) => this.ledger.askedFor(taskId, nextAtMs),
    };
  }

  get seed(): number {
    return this.#options.seed;
  }

  /** @param ordinal names its faults, whatever other processes there are. */
  process(name: string, ordinal: number): SimProcess {
    const skew = this.faults.draw('skew', name, ordinal);
    return new SimProcess(this.time, name, ordinal, skew?.between(-SKEW_MAX_MS, SKEW_MAX_MS) ?? 0);
  }

  keeper(process: SimProcess): Promise<Cronkeeper> {
    return openCronkeeper({
      ...{ url: 'embedded:', namespace: NAMESPACE, shards: this.#options.shards, clock: process.clock },
      random: new Dice(this.seed, 'engine', process.ordinal).next,
      token: process.token,
      evaluator: new SimEvaluator(this.#evaluatorWorld, process),
      courier: simCourier(this.seed, process, (key, url) => this.told.taken(key, url)),
      coordinator: new SimCoordinator(this.#coordinatorWorld, process),
    });
  }

  sessionsOf(process: SimProcess, invocation: number): ReadonlySet<string> {
    return this.sessions.get(`${process.name}/${invocation}`) ?? new Set();
  }

  async close(): Promise<void> {
    await this.#shared.close();
  }

  #connect(): CoordinatorWorld {
    const { time, faults, observer } = this;
    return {
      ...{ time, faults, seed: this.seed, shared: this.#shared, sessionTimeoutMs: SESSION_TIMEOUT_MS },
      expire: (sessionId) => void this.#shared.expire(sessionId),
      silence: (sessionId) => this.#shared.silence(sessionId),
      accepted: (session, ops, results) => observer.accepted(session, ops, results),
      opened: (session, inner, invocation) => {
        observer.opened(session, inner.signal);
        const key = `${session.process.name}/${invocation}`;
        this.sessions.set(key, (this.sessions.get(key) ?? new Set()).add(session.id));
      },
    };
  }
}

/**
 * All that a keeper does beside its tick: tasks, events, status, verification, replays. It is loaded when it is first asked
 * for, and with it zod and the schemas: half of the program, which the tick of a minute never needs.
 */
import { AuditTrail } from './audit-trail.ts';
import type { Clock } from './clock.ts';
import type { Coordinator, Session } from './coordinator.ts';
import { CoordinatorTime } from './coordinator-time.ts';
import type { Evaluator } from './evaluator.ts';
import { type BusEvent, type EventDocument, parseEvent } from './event.ts';
import { EventIndex } from './event-index.ts';
import { openNamespace } from './namespace.ts';
import { type Probe, probe } from './probe.ts';
import { TaskQuota } from './quota.ts';
import { Registry } from './registry.ts';
import { findRecorded, type Recorded, replayRecorded } from './replay.ts';
import { readStatus, type Status } from './status.ts';
import type { CodeCache } from './store.ts';
import type { Replay, ReplayOptions } from './tasks.ts';
import { type Verification, type VerifyOptions, verifyAll } from './verification.ts';

export interface KeepingMeans {
  readonly namespace: string;
  /** Of a namespace that is made now. */
  readonly shards: number;
  /** Undefined: any number. */
  readonly maxTasks: number | undefined;
  readonly coordinator: Coordinator;
  /** Started when it is first asked for. */
  readonly evaluator: () => Evaluator;
  readonly code: CodeCache;
  readonly clock: Clock;
  readonly token: () => string;
}

/** On one session. */
export interface Opened {
  readonly session: Session;
  readonly registry: Registry;
  status(): Promise<Status>;
  verify(options: VerifyOptions): Promise<Verification>;
  recorded(id: string, launchId: string, options: ReplayOptions): Promise<Recorded>;
}

/** What is known from one session to the next. */
export class Keeping {
  readonly #means: KeepingMeans;
  readonly #trail = new AuditTrail();
  readonly #events = new EventIndex();
  readonly #quota: TaskQuota;

  constructor(means: KeepingMeans) {
    this.#means = means;
    this.#quota = new TaskQuota(means.maxTasks);
  }

  async open(session: Session): Promise<Opened> {
    const { coordinator, namespace, shards, evaluator, code, clock, token } = this.#means;
    const layout = await openNamespace(session, namespace, shards);
    const name = token();
    let made = 0;
    const maker = () => `${name}.${(made++).toString(36)}`;
    const time = new CoordinatorTime(session, clock, () => `${layout.root}/time-${maker()}`);
    const now = () => time.now();
    const registry = new Registry(
      {
        ...{ session, layout, maker, code, trail: this.#trail, quota: this.#quota, events: this.#events, now },
        checkCode: (program) => evaluator().check(program),
      },
      'library',
    );
    return {
      ...{ session, registry },
      status: () => readStatus(session, layout, coordinator.url, namespace),
      verify: (options) => verifyAll({ session, layout, now }, options),
      recorded: (id, launchId, options) => findRecorded({ session, layout, code }, id, launchId, options),
    };
  }

  parseEvent(event: BusEvent | EventDocument, token: () => string): BusEvent {
    return parseEvent(event, token);
  }

  probe(): Promise<Probe> {
    const { coordinator, namespace, clock, token } = this.#means;
    return probe(coordinator, namespace, clock, token());
  }

  replay(found: Recorded, options: ReplayOptions): Promise<Replay> {
    return replayRecorded(this.#means.evaluator(), found, options);
  }
}

/** How one process reaches the coordinator that all share. */

import type { EmbeddedCoordinator } from '../../src/coordinator/embedded.ts';
import { type Coordinator, CoordinatorError, type Session } from '../../src/coordinator.ts';
import { Dice } from './dice.ts';
import type { SimProcess } from './process.ts';
import { type SessionWorld, SimSession } from './session.ts';

export interface CoordinatorWorld extends SessionWorld {
  readonly seed: number;
  readonly shared: EmbeddedCoordinator;
  /** `invocation`: of the process, at the time of the call. */
  readonly opened: (session: SimSession, inner: Session, invocation: number) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** Sessions of one process that faults are counted by. */
const SESSIONS_PER_PROCESS = 1_000;

export class SimCoordinator implements Coordinator {
  readonly url = 'embedded:';
  readonly #world: CoordinatorWorld;
  readonly #process: SimProcess;
  #sessions = 0;

  constructor(world: CoordinatorWorld, process: SimProcess) {
    this.#world = world;
    this.#process = process;
  }

  async connect(): Promise<Session> {
    const { invocation } = this.#process;
    const { faults, seed, shared } = this.#world;
    const ordinal = this.#process.ordinal * SESSIONS_PER_PROCESS + this.#sessions++;
    const refused = faults.draw('refuse-connect', this.#process.name, ordinal);
    if (refused?.hit(0.5)) {
      await this.#reply(CONNECT_TIMEOUT_MS);
      throw new CoordinatorError('unavailable', 'no server answered in time');
    }
    const latency = new Dice(seed, 'latency', ordinal);
    await this.#reply(latency.between(2, 10));
    const inner = await shared.connect();
    const session = new SimSession(this.#world, inner, this.#process, ordinal, latency);
    this.#world.opened(session, inner, invocation);
    if (refused !== undefined) {
      // The server has made it, and its greeting is lost.
      this.#world.silence(inner.id);
      await this.#reply(CONNECT_TIMEOUT_MS);
      throw new CoordinatorError('unavailable', 'the greeting was lost');
    }
    await this.#reply(latency.between(1, 6));
    return session;
  }

  async close(): Promise<void> {}

  #reply(afterMs: number): Promise<void> {
    return new Promise((resolve) => this.#world.time.after(afterMs, () => this.#process.deliver(resolve)));
  }
}

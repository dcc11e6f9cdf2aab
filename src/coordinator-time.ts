/** Asks the coordinator what time it is: machines differ, and all must agree on what is due. */
import type { Clock, EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { isCronkeeperError } from './errors.ts';
import { estimateSkewMs } from './skew.ts';

/** How long an answer is relied on: clocks drift, and servers' clocks are set too. */
const RELIED_ON_MS = 60_000;

/** How often it is asked when the answer is lost. */
const ASK_ATTEMPTS_MAX = 3;

/**
 * The coordinator's time from here on: found out once, and carried on by the monotonic clock. A wall clock that somebody
 * sets in between makes no slot due, or due again.
 */
export function coordinatorTime(clock: Clock, skewMs: number): () => EpochMs {
  const originMs = clock.now() - skewMs - clock.elapsed();
  return () => Math.floor(originMs + clock.elapsed());
}

/**
 * Begins a request that the coordinator answers with its time; what is returned makes of the answer the local clock minus
 * the coordinator's. How long it took is told by the monotonic clock: the wall clock may be set meanwhile.
 */
export function askingTheTime(clock: Clock): (serverMs: EpochMs) => number {
  const sentAtMs = clock.elapsed();
  return (serverMs) => {
    const receivedMs = clock.now();
    return estimateSkewMs(receivedMs - Math.ceil(clock.elapsed() - sentAtMs), receivedMs, serverMs);
  };
}

/**
 * Local clock minus the coordinator's, ms; 0 when the time that the request takes explains the difference.
 * @param path unique, for a node that is gone again with the same transaction: only a `set` says what time it is.
 */
export async function measureSkewMs(session: Session, clock: Clock, path: string): Promise<number> {
  const skewMs = askingTheTime(clock);
  const [, set] = await session.multi([
    { op: 'create', path, data: '' },
    { op: 'set', path, data: '' },
    { op: 'remove', path },
  ]);
  return set === undefined ? 0 : skewMs(set.modifiedMs);
}

/** What time the coordinator has, for whoever asks now and then over one session. */
export class CoordinatorTime {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #path: () => string;
  #asked: { readonly now: Promise<() => EpochMs>; readonly atMs: number } | undefined;

  /** `path` makes names for nodes: unique. */
  constructor(session: Session, clock: Clock, path: () => string) {
    this.#session = session;
    this.#clock = clock;
    this.#path = path;
  }

  async now(): Promise<EpochMs> {
    const nowMs = this.#clock.elapsed();
    if (this.#asked === undefined || nowMs - this.#asked.atMs > RELIED_ON_MS) {
      this.#asked = { now: this.#ask(), atMs: nowMs };
    }
    const asked = this.#asked;
    try {
      return (await asked.now)();
    } catch (error) {
      if (this.#asked === asked) this.#asked = undefined;
      throw error;
    }
  }

  /** An answer that was lost tells nothing, and has changed nothing: ask again. */
  async #ask(): Promise<() => EpochMs> {
    for (let attempt = 1; ; attempt++) {
      try {
        return coordinatorTime(this.#clock, await measureSkewMs(this.#session, this.#clock, this.#path()));
      } catch (error) {
        if (!isCronkeeperError(error, 'outcome-unknown') || attempt === ASK_ATTEMPTS_MAX) throw error;
      }
    }
  }
}

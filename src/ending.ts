/** How a tick comes to an end: asked to stop, out of time, without its session, or with an error. */
import type { Clock } from './clock.ts';
import type { Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';

/** Time kept back at the end of the budget, to record what ran and to give the leases back. */
export const CLOSING_MS = 2_000;

/** What is known of the coordinator when such a failure ends a tick: that it does not answer. */
export const isUnanswered = (failure: unknown): boolean =>
  isCronkeeperError(failure, 'unavailable', 'outcome-unknown', 'session-lost');

/** Who has lost its session may have been frozen: it says what it leaves to others, once. */
export function leavingBehind(launches: number, failure: unknown): unknown {
  if (launches === 0 || !isCronkeeperError(failure, 'session-lost')) return failure;
  const message = `${failure.message}; ${launches} launches were on their way: this tick records nothing of them, the next holder takes them on`;
  return new CronkeeperError('session-lost', message, { cause: failure });
}

/** Whether something comes to its end in time; it is told when that is over, and then to return. */
export async function isDoneWithin(
  clock: Clock,
  timeoutMs: number,
  wait: (enough: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const waited = new AbortController();
  const cancel = clock.after(timeoutMs, () => waited.abort());
  try {
    await wait(waited.signal);
  } finally {
    cancel();
  }
  return !waited.signal.aborted;
}

export class Ending {
  /** Aborted when nothing new may start. */
  readonly closing: AbortSignal;
  /** Aborted when runs must end at once. */
  readonly ending: AbortSignal;
  readonly #closing = new AbortController();
  readonly #ending = new AbortController();
  /** Apart from the others: a failure may come after they have aborted. */
  readonly #failed = new AbortController();
  readonly #clock: Clock;
  readonly #endsMs: number;
  readonly #stopWatching: () => void;
  #failure: unknown;

  /**
   * @param endsMs by `clock.elapsed()`: when everything must be over.
   * @param stop asks for an early end: nothing new starts, and what runs has two seconds.
   */
  constructor(clock: Clock, session: Session, endsMs: number, stop?: AbortSignal) {
    this.closing = this.#closing.signal;
    this.ending = this.#ending.signal;
    this.#clock = clock;
    this.#endsMs = endsMs;
    this.#stopWatching = this.#watch(session, stop);
  }

  get isClosing(): boolean {
    return this.closing.aborted;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Whether something that takes so long would be over in time. */
  leaves(durationMs: number): boolean {
    return !this.isClosing && this.#clock.elapsed() + durationMs + CLOSING_MS <= this.#endsMs;
  }

  /** The first failure ends the tick. */
  fail(error: unknown): void {
    this.#failure ??= error ?? new CronkeeperError('internal', 'the tick failed');
    this.now();
    this.#failed.abort();
  }

  now(): void {
    this.#closing.abort();
    this.#ending.abort();
  }

  /** Stops watching; what is still under way is told to end. */
  over(): void {
    this.now();
    this.#stopWatching();
  }

  /** Waits, but not beyond a failure: what waits on a lost session may wait for ever. */
  async unlessFailed<T>(done: Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise<T>((resolve, reject) => {
      const failed = () => reject(this.#failure);
      this.#failed.signal.addEventListener('abort', failed);
      done.then(resolve, reject).finally(() => this.#failed.signal.removeEventListener('abort', failed));
    });
  }

  #watch(session: Session, stop: AbortSignal | undefined): () => void {
    let endLater: (() => void) | undefined;
    const close = () => {
      this.#closing.abort();
      endLater ??= this.#clock.after(CLOSING_MS, () => this.#ending.abort());
    };
    const lost = () => this.fail(session.signal.reason);
    const remainingMs = this.#endsMs - this.#clock.elapsed() - CLOSING_MS;
    const endOnTime = Number.isFinite(remainingMs)
      ? this.#clock.after(Math.max(0, remainingMs), () => this.now())
      : undefined;
    if (stop?.aborted) close();
    stop?.addEventListener('abort', close);
    session.signal.addEventListener('abort', lost);
    return () => {
      stop?.removeEventListener('abort', close);
      session.signal.removeEventListener('abort', lost);
      endLater?.();
      endOnTime?.();
    };
  }
}

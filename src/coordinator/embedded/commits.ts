/**
 * The order of everything: calls wait in one queue, and those that arrive within one turn of the event loop share a
 * transaction, because what a durable commit costs is its fsync. Each of them is still applied whole or not at all,
 * sees those before it, and is answered only when what it did, or was refused because of, is durable.
 */
import type { Clock } from '../../clock.ts';
import { CoordinatorError } from '../../coordinator.ts';
import { messageOf } from '../../errors.ts';
import { databaseError, isBusy } from './sql-database.ts';
import type { Transaction } from './storage.ts';

export interface Work<T> {
  /** Whether it needs the one write transaction that there can be at a time. */
  readonly writes: boolean;
  /** Does it, within the transaction. A {@link CoordinatorError} refuses this work alone and undoes what it did. */
  run(): T;
  /** What else must happen once that is durable, before the caller hears of it and in the order of the works. */
  committed?(value: T): void;
}

/** What has to be done before any work can be trusted: ending the sessions whose time is up. */
export interface Upkeep {
  isDue(): boolean;
  /** Runs first in every write transaction; what it returns is called after the commit. */
  run(): () => void;
}

export interface CommitQueueOptions {
  readonly transaction: Transaction;
  readonly path: string | undefined;
  readonly clock: Clock;
  readonly upkeep: Upkeep;
  /** How long a call may wait for the lock that another process holds. */
  readonly operationTimeoutMs: number;
  /** Calls back when the current batch of callers has had its say. */
  readonly afterThisTurn: (run: () => void) => void;
}

interface Waiting {
  readonly work: Work<unknown>;
  /** By the monotonic clock. */
  readonly deadlineMs: number;
  settle(value: unknown): void;
  reject(error: unknown): void;
}

/** What is to be said after the commit, in order, and how many works of the batch were done. */
interface Transacted {
  readonly answers: readonly (() => void)[];
  readonly done: number;
}

/** Bounds of one transaction, and so of how long the event loop stands still for it. */
const BATCH_WORKS_MAX = 256;
const BATCH_MS_MAX = 20;

/** Calls that may wait at a time: more is a caller who does not look at the answers. */
const WAITING_MAX = 100_000;

const RETRY_MS_MAX = 50;

export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #failedAttempts = 0;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /** Runs `work` after all that was submitted before; settles within the operation time-out. */
  submit<T>(work: Work<T>): Promise<T> {
    const { clock, operationTimeoutMs, afterThisTurn } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#waiting.length >= WAITING_MAX) {
      reject(new CoordinatorError('unavailable', `${WAITING_MAX} calls are waiting; no more are allowed`));
      return promise;
    }
    const settle = (value: unknown) => {
      try {
        work.committed?.(value as T);
        resolve(value as T);
      } catch (error) {
        reject(error);
      }
    };
    this.#waiting.push({ work, deadlineMs: clock.elapsed() + operationTimeoutMs, settle, reject });
    this.#schedule(afterThisTurn);
    return promise;
  }

  #schedule(later: (run: () => void) => void): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    later(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#waiting.splice(0, BATCH_WORKS_MAX);
    try {
      const { answers, done } = this.#transact(batch);
      this.#failedAttempts = 0;
      this.#waiting.unshift(...batch.slice(done));
      for (const answer of answers) answer();
    } catch (error) {
      if (isBusy(error)) this.#putBack(batch);
      else for (const { reject } of batch) reject(databaseError(error, this.#options.path));
    }
    const later = this.#failedAttempts > 0 ? this.#afterPause : this.#options.afterThisTurn;
    if (this.#waiting.length > 0) this.#schedule(later);
  }

  /** Somebody else writes, and nothing was done: who still has time waits on. */
  #putBack(batch: readonly Waiting[]): void {
    const { clock, path } = this.#options;
    const nowMs = clock.elapsed();
    this.#failedAttempts += 1;
    this.#waiting = [...batch, ...this.#waiting].filter(({ deadlineMs, reject }) => {
      if (deadlineMs > nowMs) return true;
      reject(new CoordinatorError('unavailable', `${path} was locked by another process for too long`));
      return false;
    });
  }

  readonly #afterPause = (run: () => void): void => {
    this.#options.clock.after(Math.min(2 ** this.#failedAttempts, RETRY_MS_MAX), run);
  };

  /** Does as much of the batch as time allows; gives what remains to be said. Throws when none of it was done. */
  #transact(batch: readonly Waiting[]): Transacted {
    const { transaction, upkeep } = this.#options;
    if (!upkeep.isDue() && !batch.some(({ work }) => work.writes)) return this.#run(batch);
    transaction.begin();
    try {
      const tidied = upkeep.run();
      const { answers, done } = this.#run(batch);
      this.#durably();
      return { answers: [tidied, ...answers], done };
    } finally {
      transaction.rollback();
    }
  }

  #run(batch: readonly Waiting[]): Transacted {
    const { clock } = this.#options;
    const endMs = clock.elapsed() + BATCH_MS_MAX;
    const answers: (() => void)[] = [];
    for (const waiting of batch) {
      answers.push(this.#answer(waiting));
      if (clock.elapsed() > endMs) break;
    }
    return { answers, done: answers.length };
  }

  /** Runs one work, and gives how to answer its caller. A refusal is an answer; an error of the database is not. */
  #answer({ work, settle, reject }: Waiting): () => void {
    try {
      const value = work.writes ? this.#alone(work) : work.run();
      return () => settle(value);
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
      return () => reject(error);
    }
  }

  /** Runs a work so that it leaves nothing behind when it is refused. */
  #alone<T>(work: Work<T>): T {
    const { transaction } = this.#options;
    transaction.save();
    try {
      const value = work.run();
      transaction.keep();
      return value;
    } catch (error) {
      if (error instanceof CoordinatorError) transaction.undo();
      throw error;
    }
  }

  #durably(): void {
    try {
      this.#options.transaction.commit();
    } catch (error) {
      if (isBusy(error)) throw error;
      // The log may or may not have reached the disk, and be found there when the file is opened again.
      const message = `a commit to ${this.#options.path} failed: ${messageOf(error)}`;
      throw new CoordinatorError('outcome-unknown', message, { cause: error });
    }
  }
}

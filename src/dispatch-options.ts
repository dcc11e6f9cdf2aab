/** What the dispatcher works with, and whom it tells. */
import type { Clock, EpochMs } from './clock.ts';
import type { Committer } from './commit.ts';
import type { Session } from './coordinator.ts';
import type { TimedEntry } from './due.ts';
import type { CronkeeperError } from './errors.ts';
import type { Evaluator } from './evaluator.ts';
import type { Journal } from './journal.ts';
import type { Layout } from './layout.ts';
import type { Lease } from './lease.ts';
import type { Grants, Times } from './start.ts';
import type { CodeCache } from './store.ts';

export interface DispatcherOptions extends Grants, Times {
  readonly session: Session;
  readonly layout: Layout;
  readonly leases: ReadonlyMap<number, Lease>;
  readonly journal: Journal;
  readonly committer: Committer;
  readonly evaluator: Evaluator;
  readonly code: CodeCache;
  readonly clock: Clock;
  /** Whether a run of at most so many milliseconds may still start. */
  readonly mayStart: (timeoutMs: number) => boolean;
  /** The longest time-out for which a tick like this one has room at all. */
  readonly timeoutMsMax: number;
  /** Records that fall due until then are worth keeping at hand. */
  readonly warmUntil: () => EpochMs;
  /** Aborted when runs must end at once; what has not ended is left to the next tick. */
  readonly signal: AbortSignal;
  /** `isLoad`: there was not the time for it, and there would be for another tick. */
  readonly onDeferred: (entry: TimedEntry, isLoad: boolean) => void;
  readonly onQuarantined: (taskId: string, problem: CronkeeperError) => void;
  readonly onFailed: (error: unknown) => void;
}

/** What one can do with tasks: one interface, whether the registry is at hand or behind HTTP. */
import type { Destination } from './destination.ts';
import { invalidDocument } from './document.ts';
import { received } from './errors.ts';
import type { Outcome } from './launch.ts';
import type { Message } from './mail.ts';
import type { Difference } from './recording.ts';
import type { TaskDocument } from './task.ts';
import type { QuarantinedView, Run, TaskStatus, TaskView } from './view.ts';

/** A part of a list. With a `cursor` there may be more: pass it to get the next part. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

export interface Precondition {
  /** Only if the task's revision is still this (its ETag). Default: whatever it is. */
  readonly ifMatch?: number;
}

export interface PutOptions extends Precondition {
  /** Only if there is no such task yet. */
  readonly ifNoneMatch?: '*';
}

export interface ListOptions {
  /** Ids that begin with this. */
  readonly prefix?: string;
  readonly status?: TaskStatus;
  /** `name` or `name=value`. */
  readonly label?: string;
  /** 1 to 1,000; default 100. A page may hold fewer, even none, and still have a cursor. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RunsOptions {
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RunRequest {
  /** In place of the task's input. */
  readonly input?: unknown;
  /** Asking twice with one key launches once. At most 128 characters. */
  readonly key?: string;
}

export interface LaunchAsked {
  readonly launchId: string;
  /** ISO; the moment it was asked for. */
  readonly slot: string;
}

export interface RedrivenLaunch extends LaunchAsked {
  /** The launch that it repeats. */
  readonly redriveOf: string;
}

export interface Redrive {
  /** Oldest first. */
  readonly launches: readonly RedrivenLaunch[];
  /** Dead letters of the task that are left. */
  readonly left: number;
}

export interface BackfillRequest {
  /** ISO; a slot at this very moment is launched. */
  readonly from: string;
  /** ISO, not later than now; a slot at this very moment is launched. */
  readonly to: string;
  /** Asking again with the key of the latest backfill is that backfill. At most 128 characters. */
  readonly key?: string;
}

export interface BackfillAsked {
  /** Slots of the schedule from `from` to `to`, as it was when it was asked for. */
  readonly count: number;
  readonly from: string;
  readonly to: string;
}

export interface DeadLettersOptions {
  /** Those of one task, oldest first. Of a removed one they can be read for a week. */
  readonly taskId?: string;
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface UndeliveredOptions {
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A message that was given up: refused, or not taken for three days. */
export interface UndeliveredView {
  readonly destination: Destination;
  readonly attempts: number;
  /** What came of the last one. */
  readonly problem: string;
  readonly message: Message;
}

export type PutResult = TaskView & {
  /** There was no such task before. */
  readonly created: boolean;
};

export interface DeadLetterView {
  readonly launchId: string;
  readonly taskId: string;
  readonly codeHash: string;
  readonly input: unknown;
  readonly run: Run;
}

export interface Tasks {
  /**
   * Stores a task, or changes it: an idempotent upsert. The same document again changes nothing.
   * @throws CronkeeperError `invalid`; `conflict` when a precondition does not hold.
   */
  put(document: TaskDocument, options?: PutOptions): Promise<PutResult>;
  /** Stores many tasks: all documents are checked before the first is stored. Results in the same order. */
  putMany(documents: readonly TaskDocument[]): Promise<PutResult[]>;
  get(id: string): Promise<TaskView | QuarantinedView | undefined>;
  /** Every task once, in a stable order that is not that of the ids; sorted by id within a page. */
  list(options?: ListOptions): Promise<Page<TaskView | QuarantinedView>>;
  /** Removes a task; false when there is none. A run under way ends, and is recorded. */
  remove(id: string, options?: Precondition): Promise<boolean>;
  /** @throws CronkeeperError `not-found` */
  pause(id: string): Promise<TaskView>;
  /** @throws CronkeeperError `not-found` */
  resume(id: string): Promise<TaskView>;
  /** Asks for a launch now. It does not move the schedule. @throws CronkeeperError `not-found`, `too-large` */
  run(id: string, request?: RunRequest): Promise<LaunchAsked>;
  /** The latest runs first. Those of a removed task can be read for a week. @throws CronkeeperError `not-found` */
  runs(id: string, options?: RunsOptions): Promise<Page<Run>>;
  /** Launches that failed for good. */
  deadLetters(options?: DeadLettersOptions): Promise<Page<DeadLetterView>>;
  /** Messages that no destination has taken, and that are not tried any more; the latest of each shard are kept. */
  undelivered(options?: UndeliveredOptions): Promise<Page<UndeliveredView>>;
  /**
   * Launches again what failed for good: that launch, or all dead letters of the task, oldest first, as far as so many
   * may wait. Each is a new launch, of the code as it is now, that is told the input, slot and idempotency key of the one
   * it repeats; its dead letter goes. Asking again for the same launch answers with the one it became.
   * @throws CronkeeperError `not-found`: the task, or that launch is no dead letter; `too-large`: too many wait.
   */
  redrive(id: string, launchId?: string): Promise<Redrive>;
  /**
   * Launches every slot of the schedule in a range of the past, oldest first, one after the other, with `ctx.slot` as it
   * would have been. The schedule does not move, and what it has due goes first.
   * @throws CronkeeperError `not-found`; `invalid`; `conflict`: another one is under way; `too-large`: too many slots.
   */
  backfill(id: string, request: BackfillRequest): Promise<BackfillAsked>;
}

export interface ReplayOptions {
  /** Which attempt at the launch. Default: the last that is recorded. */
  readonly attempt?: number;
  /** Source text to run in place of the code that ran: would it have made a difference? */
  readonly code?: string;
  /** In place of the input that the run was given. Needed where the task's has changed since. */
  readonly input?: unknown;
  /** In place of the state that the run saw. */
  readonly state?: unknown;
  /** Ends the replay as `Cancelled`. */
  readonly signal?: AbortSignal;
}

/** A recorded run beside its repetition. */
export interface Replay {
  readonly recorded: Run;
  /** What the repetition came to. Nothing of it was stored, and nobody outside was asked. */
  readonly outcome: Outcome;
  /** Whether there are no differences. */
  readonly same: boolean;
  readonly differences: readonly Difference[];
}

export interface Replays {
  /**
   * Repeats a recorded run in the sandbox: with the same code, input, state, times and chance, and the answers that its
   * host calls got then. What depends on the machine may differ: whether a run is over before its time-out.
   * @throws CronkeeperError `not-found`: the launch, the attempt, what ran or its code is not there (any more);
   * `too-large`: too much to keep was needed to repeat it; `invalid`: the task's input has changed since.
   */
  replay(id: string, launchId: string, options?: ReplayOptions): Promise<Replay>;
}

const PAGE_LIMIT_DEFAULT = 100;
const PAGE_LIMIT_MAX = 1_000;

/** @throws CronkeeperError `invalid` */
export function pageLimit(limit: number = PAGE_LIMIT_DEFAULT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE_LIMIT_MAX) return limit;
  const message = `received ${received(limit)}; allowed: a whole number from 1 to ${PAGE_LIMIT_MAX}`;
  throw invalidDocument('request', [{ field: 'limit', message }]);
}

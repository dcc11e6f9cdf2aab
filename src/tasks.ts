/** What one can do with tasks: one interface, whether the registry is at hand or behind HTTP. */
import { received } from './errors.ts';
import { invalidDocument, type TaskDocument } from './task.ts';
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
  deadLetters(options?: { readonly limit?: number }): Promise<Page<DeadLetterView>>;
}

const PAGE_LIMIT_DEFAULT = 100;
const PAGE_LIMIT_MAX = 1_000;

/** @throws CronkeeperError `invalid` */
export function pageLimit(limit: number = PAGE_LIMIT_DEFAULT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE_LIMIT_MAX) return limit;
  const message = `received ${received(limit)}; allowed: a whole number from 1 to ${PAGE_LIMIT_MAX}`;
  throw invalidDocument('request', [{ field: 'limit', message }]);
}

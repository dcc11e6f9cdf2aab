/**
 * What the embedded coordinator keeps, wherever it keeps it: in SQLite's file, which processes share and which outlives them,
 * or in this process's memory. Both are held to the same contract.
 */
import type { Sessions } from './sessions.ts';
import type { Tree } from './tree.ts';

export interface Storage {
  readonly tree: Tree;
  readonly sessions: Sessions;
  readonly transaction: Transaction;
  /** Changes whenever another process has written. */
  foreignChanges(): number;
  close(): void;
}

/** One at a time, over the tree and the sessions together; a part of it can be undone alone. */
export interface Transaction {
  begin(): void;
  /** Throws what the storage throws when it cannot be made durable. */
  commit(): void;
  /** Undoes everything, if a transaction is open. */
  rollback(): void;
  /** Marks the place that {@link undo} goes back to; ended by one of the two that follow. */
  save(): void;
  keep(): void;
  undo(): void;
}

/** Takes back one change that was made in memory. */
export type Undo = () => void;

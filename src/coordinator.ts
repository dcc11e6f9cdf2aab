/**
 * The coordinator port: a tree of small nodes with ZooKeeper's semantics, seen through sessions.
 *
 * What every implementation must keep (held by `test/contract/coordinator.ts`):
 * - a node's version starts at 0 and grows by one with each `set`; an expected version of 0 means 0, not "any";
 * - a `multi` is applied whole or not at all, and in the order in which it was submitted by its session;
 * - an ephemeral node lives as long as the session that made it, and has no children;
 * - a session that is not heard of for its time-out expires, and then writes nothing any more;
 * - a watch fires at most once, after its node changed, or when the session ends;
 * - every call settles within the operation deadline, with a value or a {@link CoordinatorError}.
 *
 * Source of the semantics: ZooKeeper Programmer's Guide, sections "Data Model", "Sessions" and "Watches".
 */
import { CronkeeperError, type ErrorCode } from './errors.ts';

/** Opens sessions. Holds no connection of its own, but may hold local resources (a file): close it in the end. */
export interface Coordinator {
  /** Where this is, without secrets, for messages: `zookeeper://…` or `embedded:…`. */
  readonly url: string;
  /** A new session, never one shared with another caller. Rejects with `unavailable` after `connectTimeoutMs`. */
  connect(options?: ConnectOptions): Promise<Session>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** How long the session outlives its last sign of life. Default: the coordinator's own setting. */
  readonly sessionTimeoutMs?: number;
}

export interface Session {
  /** The server's name for the session. */
  readonly id: string;
  /** Aborted when the session has ended, whatever the reason; `reason` is the {@link CoordinatorError}. */
  readonly signal: AbortSignal;
  /** The node, or undefined when there is none. `onChange` sets a watch on it (also on a node that is not there yet). */
  get(path: string, onChange?: () => void): Promise<Node | undefined>;
  /** Many reads at once, in order; as cheap per node as the implementation can make it. Any number of paths. */
  getMany(paths: readonly string[]): Promise<(Node | undefined)[]>;
  /** Names of the children, in no particular order; undefined when the node does not exist. */
  children(path: string): Promise<string[] | undefined>;
  /** The same of many nodes at once, in order: for directories whose names together are well below 1 MB. */
  childrenMany(paths: readonly string[]): Promise<(string[] | undefined)[]>;
  /** All or nothing. Results in the order of `ops`. Rejects with a {@link CoordinatorError}; see `opIndex` there. */
  multi(ops: readonly Op[]): Promise<OpResult[]>;
  /** Ends the session; its ephemerals are gone when this resolves. Never rejects. */
  close(): Promise<void>;
}

export interface Node {
  /** UTF-8 text; empty when the node holds nothing. */
  readonly data: string;
  readonly version: number;
  /** Time of the last change by the coordinator's clock, epoch ms. */
  readonly modifiedMs: number;
  /** The session that an ephemeral node belongs to. */
  readonly owner?: string;
}

export type CreateMode = 'persistent' | 'ephemeral' | 'sequential' | 'ephemeral-sequential';

/** `version` left out means any version. Paths are absolute, without a trailing slash. */
export type Op =
  | { readonly op: 'create'; readonly path: string; readonly data: string; readonly mode?: CreateMode }
  | { readonly op: 'set'; readonly path: string; readonly data: string; readonly version?: number }
  | { readonly op: 'remove'; readonly path: string; readonly version?: number }
  | { readonly op: 'check'; readonly path: string; readonly version?: number };

export interface OpResult {
  /** The node's path; for a sequential create with the ten digits that were added. */
  readonly path: string;
  /** The node's version afterwards: 0 for a create; for `remove` and `check` -1. */
  readonly version: number;
  /** For `set`: the coordinator's clock when the change was made, epoch ms. Elsewhere -1. */
  readonly modifiedMs: number;
}

/** Why a single operation of a multi was refused. */
export type Refusal =
  | 'node-exists'
  | 'no-node'
  | 'bad-version'
  | 'not-empty'
  | 'no-children-for-ephemerals'
  | 'no-auth';

/**
 * `code` says what is known of the outcome: `conflict` (an op was refused, see `refusal`), `too-large`, `unavailable`
 * and `forbidden`: nothing was applied; `session-lost`: nothing after it will be; `outcome-unknown`: read back.
 */
export class CoordinatorError extends CronkeeperError {
  override readonly name: string = 'CoordinatorError';
  readonly refusal: Refusal | undefined;
  /** Index in `ops` of the refused operation. */
  readonly opIndex: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    details: { cause?: unknown; refusal?: Refusal; opIndex?: number } = {},
  ) {
    super(code, message, { cause: details.cause });
    this.refusal = details.refusal;
    this.opIndex = details.opIndex;
  }
}

export const isRefused = (error: unknown, ...refusals: readonly Refusal[]): error is CoordinatorError =>
  error instanceof CoordinatorError &&
  error.refusal !== undefined &&
  (refusals.length === 0 || refusals.includes(error.refusal));

/** Bounds that every implementation enforces alike, so that what works on one works on the other. */
export const COORDINATOR_LIMITS = {
  /** UTF-8 bytes of one node. ZooKeeper's own limit is jute.maxbuffer, 1 MiB for a whole packet. */
  nodeBytesMax: 256 * 1024,
  /** Bytes of one multi as ZooKeeper would encode it; a larger one would be answered by a cut connection. */
  multiBytesMax: 512 * 1024,
  /** A path's length in characters. */
  pathLengthMax: 512,
} as const;

/** Sees every transaction that the coordinator applies, in order, and keeps a copy of the tree: what is true, and when. */
import { createHash } from 'node:crypto';
import type { Op, OpResult } from '../../src/coordinator.ts';
import { decodeChunk } from '../../src/history.ts';
import type { Layout } from '../../src/layout.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { decodeRecord } from '../../src/record-text.ts';
import type { SimSession } from './session.ts';

export interface Stored {
  readonly data: string;
  readonly version: number;
  readonly owner: string | undefined;
}

/** What a transaction did to a task. */
export interface RecordChange {
  readonly taskId: string;
  readonly before: TaskRecord | undefined;
  readonly after: TaskRecord | undefined;
  /** Oldest first. */
  readonly added: readonly RunRecord[];
}

export interface NodeChange {
  readonly path: string;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

export interface Transaction {
  readonly session: SimSession;
  /** Versions that it asked for, by path. */
  readonly checks: ReadonlyMap<string, number | undefined>;
  readonly nodes: readonly NodeChange[];
  readonly records: readonly RecordChange[];
}

/** Only the making of a namespace writes so many. */
const NAMESPACE_NODES = 500;

export class Observer {
  readonly tree = new Map<string, Stored>();
  readonly records = new Map<string, TaskRecord>();
  readonly livingSessions = new Set<string>();
  transactions = 0;
  /** Ephemerals by session. */
  readonly #owned = new Map<string, Set<string>>();
  readonly #hash = createHash('sha1');
  readonly #layout: Layout;
  readonly #record: RegExp;
  readonly #onTransaction: (transaction: Transaction) => void;

  constructor(layout: Layout, onTransaction: (transaction: Transaction) => void) {
    this.#layout = layout;
    this.#record = new RegExp(`^${layout.root}/tasks/[0-9a-f]{2}/([^/]+)$`);
    this.#onTransaction = onTransaction;
  }

  get layout(): Layout {
    return this.#layout;
  }

  /** The same for the same history. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  note(what: string): void {
    this.#hash.update(what);
  }

  fenceOf(shard: number): number {
    return this.tree.get(this.#layout.epoch(shard))?.version ?? -1;
  }

  opened(session: SimSession, whenEnded: AbortSignal): void {
    this.livingSessions.add(session.id);
    whenEnded.addEventListener('abort', () => {
      this.livingSessions.delete(session.id);
      for (const path of this.#owned.get(session.id) ?? []) {
        if (this.tree.get(path)?.owner === session.id) this.tree.delete(path);
      }
      this.#owned.delete(session.id);
    });
  }

  accepted(session: SimSession, ops: readonly Op[], results: readonly OpResult[]): void {
    this.transactions++;
    this.#hash.update(`${session.id} ${JSON.stringify(ops)}\n`);
    const nodes = new Map<string, NodeChange>();
    for (const [i, op] of ops.entries()) {
      if (op.op === 'check') continue;
      const { path, version } = results[i] as OpResult;
      const before = this.tree.get(path);
      const after = stored(op, version, session.id, before);
      if (after === undefined) this.tree.delete(path);
      else this.tree.set(path, after);
      if (after?.owner !== undefined)
        this.#owned.set(after.owner, (this.#owned.get(after.owner) ?? new Set()).add(path));
      nodes.set(path, { path, before: nodes.get(path)?.before ?? before, after });
    }
    const changes = [...nodes.values()];
    const records = changes.flatMap((change) => this.#recordChange(change, changes) ?? []);
    const checks = new Map(ops.flatMap((op) => (op.op === 'check' ? [[op.path, op.version]] : [])));
    if (changes.length < NAMESPACE_NODES) this.#onTransaction({ session, checks, nodes: changes, records });
  }

  #recordChange({ path, after }: NodeChange, changes: readonly NodeChange[]): RecordChange | undefined {
    const taskId = this.#record.exec(path)?.[1];
    if (taskId === undefined) return undefined;
    const before = this.records.get(taskId);
    const record = after === undefined ? undefined : decodeRecord(taskId, after.data);
    if (record === undefined) this.records.delete(taskId);
    else this.records.set(taskId, record);
    const chunks = changes.filter((change) => change.path.startsWith(`${path}/`));
    const moved = chunks.flatMap((change) => (change.after === undefined ? [] : decodeChunk(change.after.data)));
    return { taskId, before, after: record, added: newRuns(before?.runs ?? [], [...(record?.runs ?? []), ...moved]) };
  }
}

function stored(op: Op, version: number, session: string, before: Stored | undefined): Stored | undefined {
  if (op.op === 'create') {
    const isEphemeral = op.mode === 'ephemeral' || op.mode === 'ephemeral-sequential';
    return { data: op.data, version, owner: isEphemeral ? session : undefined };
  }
  return op.op === 'set' ? { data: op.data, version, owner: before?.owner } : undefined;
}

/** What is in the new list and was not in the old one: as often as it is there more often. */
function newRuns(before: readonly RunRecord[], after: readonly RunRecord[]): RunRecord[] {
  const known = new Map<string, number>();
  for (const run of before) {
    const key = JSON.stringify(run);
    known.set(key, (known.get(key) ?? 0) + 1);
  }
  const added = after.filter((run) => {
    const key = JSON.stringify(run);
    const left = known.get(key) ?? 0;
    known.set(key, left - 1);
    return left <= 0;
  });
  return added.toReversed();
}

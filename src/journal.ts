/**
 * The launch journal: what a holder has begun and not recorded yet, so that its successor knows. Written under the
 * lease before a run starts; a node is used again once all its launches are recorded, and removed at the end.
 */
import type { EpochMs } from './clock.ts';
import { isRefused, type Op, type Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import { launchId } from './launch.ts';
import { decodeJournal, encodeJournal, type JournalEntry, type Layout } from './layout.ts';
import { guardsOf, type Lease, lostLease } from './lease.ts';
import type { InFlight, Launch } from './plan.ts';
import { isAskedFor, isRemoved, type TaskRecord } from './record.ts';

/** How often a write whose outcome is unknown is tried. */
const WRITE_ATTEMPTS_MAX = 20;

interface JournalNode {
  readonly path: string;
  exists: boolean;
  /** Launches in it that are not recorded yet. */
  open: number;
  /** While it is being written. */
  writing?: Promise<void> | undefined;
}

/** What is to be written under one lease. */
interface Writing {
  readonly lease: Lease;
  readonly node: JournalNode;
  readonly launches: Begun[];
}

/** A task's record, none, or one that cannot be read. */
type Recorded = TaskRecord | CronkeeperError | undefined;

/** A launch that an earlier holder had begun, and the node that says so. */
interface Inherited {
  readonly attempt: number;
  readonly node: JournalNode;
}

/** A launch as the journal knows it. Call `done` with it once it is recorded. */
export interface Begun extends JournalEntry {
  readonly lease: Lease;
}

/** The nodes that there are in the journal of a shard. */
export interface Journals {
  readonly lease: Lease;
  readonly journals: readonly string[];
}

export const journalled = (lease: Lease, taskId: string, { slotMs, attempt, manual }: Launch): Begun => ({
  lease,
  taskId,
  slotMs,
  attempt,
  isManual: manual !== undefined,
});

export class Journal {
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #onFenced: (lease: Lease) => void;
  readonly #nodes = new Map<Lease, JournalNode[]>();
  readonly #begun = new Map<string, JournalNode>();
  /** By task and slot. */
  readonly #inherited = new Map<string, Map<EpochMs, Inherited>>();
  readonly #inheritedNodes = new Map<Lease, JournalNode[]>();

  /** `onFenced` is told of a lease that a newer holder has: what is begun under it is not written, and must not start. */
  constructor(session: Session, layout: Layout, onFenced: (lease: Lease) => void) {
    this.#session = session;
    this.#layout = layout;
    this.#onFenced = onFenced;
  }

  /** Writes launches down, whatever their shards, in one fenced transaction. Resolves when all are in the journal. */
  async begin(launches: readonly Begun[]): Promise<void> {
    const ahead: Promise<void>[] = [];
    const byLease = new Map<Lease, Writing>();
    for (const launch of launches) {
      const id = launchId(launch.taskId, launch.slotMs);
      const known = this.#begun.get(id);
      if (known === undefined) this.#begun.set(id, this.#addTo(byLease, launch));
      // What is being written ahead of its time just now may be due before that is done.
      else if (known.writing !== undefined) ahead.push(known.writing);
    }
    const writings = [...byLease.values()];
    const writing = this.#write(writings).finally(() => {
      for (const { node } of writings) node.writing = undefined;
    });
    for (const { node } of writings) node.writing = writing;
    await Promise.all([...ahead, writing]);
  }

  #addTo(byLease: Map<Lease, Writing>, launch: Begun): JournalNode {
    const { lease } = launch;
    let writing = byLease.get(lease);
    if (writing === undefined) {
      writing = { lease, node: this.#freeNode(lease), launches: [] };
      byLease.set(lease, writing);
    }
    writing.launches.push(launch);
    writing.node.open++;
    return writing.node;
  }

  /** Writing the same again is harmless, so an unknown outcome is simply repeated. */
  async #write(writings: readonly Writing[]): Promise<void> {
    let left = writings;
    for (let attempt = 1; left.length > 0; attempt++) {
      const leases = left.map(({ lease }) => lease);
      const ops = left.map(({ node: { exists, path }, launches }): Op => {
        const data = encodeJournal(launches);
        return exists ? { op: 'set', path, data } : { op: 'create', path, data };
      });
      try {
        await this.#session.multi([...guardsOf(leases), ...ops]);
        for (const { node } of left) node.exists = true;
        return;
      } catch (error) {
        const lost = lostLease(leases, error);
        if (lost !== undefined) {
          this.#onFenced(lost);
          left = left.filter(({ lease }) => lease !== lost);
        } else await this.#lookAgain(left, error, attempt);
      }
    }
  }

  /** A node that was not there a moment ago and is now was made by a write that is applied late: its name is ours. */
  async #lookAgain(writings: readonly Writing[], error: unknown, attempt: number): Promise<void> {
    const isUnsure = isCronkeeperError(error, 'outcome-unknown') || isRefused(error, 'node-exists');
    if (!isUnsure || attempt >= WRITE_ATTEMPTS_MAX) throw error;
    const found = await this.#session.getMany(writings.map(({ node }) => node.path));
    for (const [i, { node }] of writings.entries()) node.exists = found[i] !== undefined;
  }

  /** The launch is recorded: the journal need not hold it any more, whoever had begun it. */
  done(taskId: string, slotMs: number): void {
    this.withdraw(taskId, slotMs);
    const slots = this.#inherited.get(taskId);
    const inherited = slots?.get(slotMs);
    if (inherited !== undefined) inherited.node.open--;
    slots?.delete(slotMs);
  }

  /** The launch will not start here after all. What an earlier holder had begun of it is still to be known. */
  withdraw(taskId: string, slotMs: number): void {
    const id = launchId(taskId, slotMs);
    const node = this.#begun.get(id);
    if (node !== undefined) node.open--;
    this.#begun.delete(id);
  }

  /** Tasks with launches that earlier holders had begun and not recorded. */
  get inheritedTasks(): string[] {
    return [...this.#inherited.keys()];
  }

  /** What earlier holders had begun at a task's launches and not recorded; undefined for nothing. */
  inherited(taskId: string): InFlight | undefined {
    return this.#inherited.get(taskId);
  }

  /**
   * Reads what earlier holders of the shards left, by the names of their nodes, and keeps what is not recorded. The
   * nodes stay until it is: should this holder die too, the next one must still learn of it.
   */
  async takeOver(shards: readonly Journals[], readRecords: (ids: readonly string[]) => Promise<readonly Recorded[]>) {
    await Promise.all(
      shards.map(async ({ lease, journals }) => {
        const paths = journals.map((name) => `${this.#layout.journal(lease.shard)}/${name}`);
        if (paths.length === 0) return;
        const nodes = await this.#session.getMany(paths);
        for (const [i, found] of nodes.entries()) {
          const entries = decodeJournal(found?.data ?? '');
          const node: JournalNode = { path: paths[i] as string, exists: found !== undefined, open: 0 };
          this.#inherit(node, entries, await readRecords(entries.map(({ taskId }) => taskId)));
          this.#inheritedNodes.set(lease, [...(this.#inheritedNodes.get(lease) ?? []), node]);
        }
      }),
    );
  }

  #inherit(node: JournalNode, entries: readonly JournalEntry[], records: readonly Recorded[]) {
    for (const [i, entry] of entries.entries()) {
      const { taskId, slotMs, attempt } = entry;
      const record = records[i];
      if (record instanceof CronkeeperError) {
        node.open++; // it stays for somebody who understands the record
        continue;
      }
      if (record === undefined || !isUnfinished(record, entry)) continue;
      const slots = this.#inherited.get(taskId) ?? new Map<EpochMs, Inherited>();
      this.#inherited.set(taskId, slots);
      const known = slots.get(slotMs);
      if (known !== undefined && known.attempt >= attempt) continue;
      if (known !== undefined) known.node.open--;
      slots.set(slotMs, { attempt, node });
      node.open++;
    }
  }

  /** What to write when the lease is given back: nodes with nothing open are removed. */
  closing(lease: Lease): Op[] {
    const nodes = [...(this.#nodes.get(lease) ?? []), ...(this.#inheritedNodes.get(lease) ?? [])];
    return nodes.filter(({ exists, open }) => exists && open <= 0).map(({ path }) => ({ op: 'remove', path }));
  }

  #freeNode(lease: Lease): JournalNode {
    const nodes = this.#nodes.get(lease) ?? [];
    this.#nodes.set(lease, nodes);
    const free = nodes.find(({ open, writing }) => open <= 0 && writing === undefined);
    if (free !== undefined) {
      free.open = 0;
      return free;
    }
    const name = `${lease.fence.toString(36)}-${nodes.length.toString(36)}`;
    const node: JournalNode = { path: `${this.#layout.journal(lease.shard)}/${name}`, exists: false, open: 0 };
    nodes.push(node);
    return node;
  }
}

/** Whether the record still waits for this attempt's end. An edit since then may have moved the schedule elsewhere. */
export function isUnfinished(record: TaskRecord, { slotMs, attempt, isManual }: JournalEntry): boolean {
  if (isRemoved(record)) return false;
  if (record.retry?.slotMs === slotMs) return record.retry.attempt <= attempt;
  if (isManual) return isAskedFor(record, slotMs);
  // A run that completes its task is the only one of it; an edit that ends a task may come in the middle of a run.
  return record.ended !== 'completed' && slotMs > (record.decidedMs ?? -Infinity);
}

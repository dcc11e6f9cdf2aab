/**
 * The launch journal: what a holder has begun and not recorded yet, so that its successor knows. Written under the
 * lease before a run starts; a node is used again once all its launches are recorded, and removed at the end.
 */
import type { Op, Session } from './coordinator.ts';
import { isCronkeeperError } from './errors.ts';
import { launchId } from './launch.ts';
import { decodeJournal, encodeJournal, type JournalEntry, type Layout } from './layout.ts';
import { guardsOf, type Lease } from './lease.ts';
import { isRemoved, type TaskRecord } from './record.ts';

/** How often a write whose outcome is unknown is tried. */
const WRITE_ATTEMPTS_MAX = 4;

interface JournalNode {
  readonly path: string;
  exists: boolean;
  /** Launches in it that are not recorded yet. */
  open: number;
}

/** A launch as the journal knows it. Call `done` with it once it is recorded. */
export interface Begun extends JournalEntry {
  readonly lease: Lease;
}

export class Journal {
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #nodes = new Map<Lease, JournalNode[]>();
  readonly #begun = new Map<string, JournalNode>();
  /** Left by earlier holders: attempts begun per launch, and the nodes that say so. */
  readonly #inherited = new Map<string, { readonly attempt: number; readonly node: JournalNode }>();
  readonly #inheritedNodes = new Map<Lease, JournalNode[]>();

  constructor(session: Session, layout: Layout) {
    this.#session = session;
    this.#layout = layout;
  }

  /** Writes launches down, whatever their shards, in one fenced transaction. */
  async begin(launches: readonly Begun[]): Promise<void> {
    const byLease = new Map<Lease, Begun[]>();
    for (const launch of launches) {
      if (this.#begun.has(launchId(launch.taskId, launch.slotMs))) continue;
      const group = byLease.get(launch.lease);
      if (group === undefined) byLease.set(launch.lease, [launch]);
      else group.push(launch);
    }
    if (byLease.size === 0) return;
    const writes = [...byLease].map(([lease, group]) => ({ node: this.#freeNode(lease), group }));
    for (const { node, group } of writes) {
      node.open = group.length;
      for (const { taskId, slotMs } of group) this.#begun.set(launchId(taskId, slotMs), node);
    }
    await this.#write([...byLease.keys()], writes);
  }

  /** Writing the same again is harmless, so an unknown outcome is simply repeated. */
  async #write(
    leases: readonly Lease[],
    writes: readonly { node: JournalNode; group: readonly Begun[] }[],
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const ops = writes.map(({ node: { exists, path }, group }): Op => {
        const data = encodeJournal(group);
        return exists ? { op: 'set', path, data } : { op: 'create', path, data };
      });
      try {
        await this.#session.multi([...guardsOf(leases), ...ops]);
        for (const { node } of writes) node.exists = true;
        return;
      } catch (error) {
        if (!isCronkeeperError(error, 'outcome-unknown') || attempt === WRITE_ATTEMPTS_MAX) throw error;
        const found = await this.#session.getMany(writes.map(({ node }) => node.path));
        for (const [i, { node }] of writes.entries()) node.exists = found[i] !== undefined;
      }
    }
  }

  /** Whether a launch is written down already. */
  has(taskId: string, slotMs: number): boolean {
    return this.#begun.has(launchId(taskId, slotMs));
  }

  /** The launch is recorded, or will not be run: the journal need not hold it any more. */
  done(taskId: string, slotMs: number): void {
    const id = launchId(taskId, slotMs);
    for (const node of [this.#begun.get(id), this.#inherited.get(id)?.node]) if (node !== undefined) node.open--;
    this.#begun.delete(id);
    this.#inherited.delete(id);
  }

  /** Attempts that an earlier holder had begun at a launch; undefined for none. */
  inherited(taskId: string, slotMs: number): number | undefined {
    return this.#inherited.get(launchId(taskId, slotMs))?.attempt;
  }

  /**
   * Reads what earlier holders of the shards left, and keeps what is not recorded. Their nodes stay until it is:
   * should this holder die too, the next one must still learn of it.
   */
  async takeOver(
    leases: readonly Lease[],
    readRecords: (ids: readonly string[]) => Promise<(TaskRecord | undefined)[]>,
  ) {
    await Promise.all(
      leases.map(async (lease) => {
        const directory = this.#layout.journal(lease.shard);
        const paths = ((await this.#session.children(directory)) ?? []).map((name) => `${directory}/${name}`);
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

  #inherit(node: JournalNode, entries: readonly JournalEntry[], records: readonly (TaskRecord | undefined)[]) {
    for (const [i, { taskId, slotMs, attempt }] of entries.entries()) {
      const record = records[i];
      if (record === undefined || !isUnfinished(record, slotMs, attempt)) continue;
      const id = launchId(taskId, slotMs);
      const known = this.#inherited.get(id);
      if (known !== undefined && known.attempt >= attempt) continue;
      if (known !== undefined) known.node.open--;
      this.#inherited.set(id, { attempt, node });
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
    const free = nodes.find(({ open }) => open <= 0);
    if (free !== undefined) return free;
    const name = `${lease.fence.toString(36)}-${nodes.length.toString(36)}`;
    const node: JournalNode = { path: `${this.#layout.journal(lease.shard)}/${name}`, exists: false, open: 0 };
    nodes.push(node);
    return node;
  }
}

/** Whether the record still waits for this attempt's end. */
function isUnfinished(record: TaskRecord, slotMs: number, attempt: number): boolean {
  if (isRemoved(record)) return false;
  if (record.retry?.slotMs === slotMs) return record.retry.attempt <= attempt;
  if (record.manual.some((manual) => manual.slotMs === slotMs)) return true;
  return record.nextSlotMs !== undefined && record.nextSlotMs <= slotMs;
}

/**
 * Records what was decided and run: one fenced transaction for many launches, whatever their shards. It holds the task
 * records (by version), chunks of history, dead letters, and the due pages that are used up, shortened or new.
 *
 * Commits follow each other without waiting, and share pages: each expects a page at the version that the one before
 * leaves. So when one is refused, those behind it that depend on it are refused as well; then everything that was
 * refused is read again, settled again on what is there now, and committed one after the other.
 */
import type { Cancel, Clock } from './clock.ts';
import { CoordinatorError, isRefused, type Op, type Session } from './coordinator.ts';
import {
  type DueDirectories,
  type NewPages,
  newPages,
  type Page,
  reloadPages,
  type TimedEntry,
  takeOff,
} from './due.ts';
import { isCronkeeperError } from './errors.ts';
import { encodeChunk } from './history.ts';
import type { Layout } from './layout.ts';
import { GUARD_OPS, guardsOf, type Lease, refusingLease } from './lease.ts';
import { encodeRecord } from './record.ts';
import { type Done, isRecorded, type Settled, settle } from './settle.ts';
import { isLoaded, type Loaded, loadRecords } from './store.ts';

/** Launches of one commit, and the bytes of what they write: well below what a coordinator takes in one multi. */
export const COMMIT_ITEMS_MAX = 64;
const COMMIT_BYTES_MAX = 384 * 1024;

/** Commits on their way at a time. */
const COMMITS_IN_FLIGHT_MAX = 4;

/** Outcomes that come within so many milliseconds share a commit. */
const GROUP_MS = 5;

/** How often what was refused is settled again before the tick gives up: each time somebody else was faster. */
const REBUILDS_MAX = 20;

/** What is to be recorded for one due entry. */
export interface Item {
  readonly entry: TimedEntry;
  readonly lease: Lease;
  /** `stale`: the entry counts no more; `purge`: a tombstone's time is over; otherwise what to settle. */
  readonly done: 'stale' | 'purge' | Done;
  /** The record that this is based on; none for a stale entry. */
  readonly loaded?: Loaded;
}

/** What came of an item: for a settled one, the record as it was written. */
export interface Committed {
  readonly item: Item;
  readonly settled?: Settled;
  readonly loaded?: Loaded;
}

export interface CommitterOptions {
  readonly session: Session;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly directories: DueDirectories;
  /** Makes names for new pages, unique in the namespace. */
  readonly maker: () => string;
  /** Told of new pages before they are sent: whoever scans meanwhile must not take them for somebody else's. */
  readonly onPages: (pages: readonly Page[]) => void;
  /** Called for each commit, with the entries that it made. */
  readonly onCommitted: (committed: readonly Committed[], next: readonly TimedEntry[]) => void;
  /** A newer holder has the lease: nothing of this was written, or will be. */
  readonly onFenced: (lease: Lease, dropped: readonly Item[]) => void;
  /** Nothing more can be recorded. Called once. */
  readonly onFailed: (error: unknown) => void;
}

/** An item with what it writes beside pages. */
interface Prepared {
  readonly item: Item;
  readonly settled: Settled | undefined;
  readonly ops: readonly Op[];
  readonly bytes: number;
}

interface Built {
  readonly prepared: readonly Prepared[];
  readonly leases: readonly Lease[];
  readonly later: NewPages;
  readonly ops: readonly Op[];
}

export class Committer {
  readonly #options: CommitterOptions;
  readonly #lost = new Set<Lease>();
  readonly #inFlight = new Set<Promise<void>>();
  #queue: Prepared[] = [];
  #refused: Built[] = [];
  #grouping: Cancel | undefined;
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Queues an item; it is sent with others that come within a few milliseconds. */
  add(item: Item): void {
    if (this.#failed) return;
    this.#queue.push(prepare(this.#options.layout, item, NOTHING_KNOWN));
    if (this.#queue.length >= COMMIT_ITEMS_MAX) this.#start();
    else this.#grouping ??= this.#options.clock.after(GROUP_MS, () => this.#start());
  }

  /** Resolves when all that was added is recorded or dropped, or nothing more can be. */
  async flush(): Promise<void> {
    while (!this.#failed && (this.#queue.length > 0 || this.#running !== undefined)) {
      this.#start();
      await this.#running;
    }
  }

  #start(): void {
    this.#grouping?.();
    this.#grouping = undefined;
    if (this.#failed) return;
    this.#running ??= this.#drain()
      .catch((error: unknown) => {
        this.#failed = true;
        this.#queue = [];
        this.#options.onFailed(error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 || this.#inFlight.size > 0 || this.#refused.length > 0) {
      if (this.#refused.length > 0) {
        await Promise.all(this.#inFlight);
        await this.#recover();
      } else if (this.#queue.length === 0 || this.#inFlight.size >= COMMITS_IN_FLIGHT_MAX) {
        await Promise.race(this.#inFlight);
      } else {
        const batch = this.#withoutLost(this.#take());
        await this.#options.directories.ensure(dueEntries(batch), this.#options.layout);
        this.#send(this.#build(batch));
      }
    }
  }

  #take(): Prepared[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: more } of this.#queue) {
      if (count === COMMIT_ITEMS_MAX || (count > 0 && bytes + more > COMMIT_BYTES_MAX)) break;
      bytes += more;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** Nothing waits between building and sending: commits reach the coordinator in the order in which they were built. */
  #send(built: Built): void {
    const sending = this.#write(built)
      .catch((error: unknown) => {
        if (!isRebuildable(error)) throw error;
        this.#noteFence(built.leases, error);
        this.#refused.push(built);
      })
      .finally(() => this.#inFlight.delete(sending));
    sending.catch(() => undefined); // it is awaited by whoever drains; until then it must not count as unhandled
    this.#inFlight.add(sending);
  }

  async #write(built: Built): Promise<void> {
    if (built.prepared.length === 0) return;
    await this.#options.session.multi(built.ops);
    this.#report(built);
  }

  #report({ prepared, later }: Built): void {
    const committed = prepared.map(({ item, settled }): Committed => {
      if (settled === undefined || item.loaded === undefined) return { item };
      return { item, settled, loaded: { record: settled.record, version: item.loaded.version + 1 } };
    });
    this.#options.onCommitted(committed, later.entries);
  }

  #build(prepared: readonly Prepared[]): Built {
    const later = newPages(this.#options.layout, dueEntries(prepared), this.#options.maker);
    this.#options.onPages(later.pages);
    const leases = [...new Set(prepared.map(({ item }) => item.lease))];
    const taken = takeOff(prepared.map(({ item }) => item.entry));
    const ops = [...guardsOf(leases), ...prepared.flatMap((each) => each.ops), ...taken, ...later.ops];
    return { prepared, leases, later, ops };
  }

  /** One refused commit after the other, on what is there now. Nothing else is in flight. */
  async #recover(): Promise<void> {
    const refused = this.#refused;
    this.#refused = [];
    for (const built of refused) {
      if (await this.#wasApplied(built)) this.#report(built);
      else await this.#rebuild(built.prepared.map(({ item }) => item));
    }
  }

  /** A commit is atomic, so one launch that is recorded shows that all are. */
  async #wasApplied({ prepared }: Built): Promise<boolean> {
    const witness = prepared.find(({ settled }) => settled !== undefined)?.item;
    if (witness === undefined || typeof witness.done === 'string') return false;
    const { session, layout } = this.#options;
    const [found] = await loadRecords(session, layout, [witness.entry.taskId]);
    return isLoaded(found) && isRecorded(found.record, witness.done);
  }

  async #rebuild(items: readonly Item[]): Promise<void> {
    const { session, directories, layout } = this.#options;
    for (let attempt = 1; ; attempt++) {
      await reloadPages(session, [...new Set(items.map(({ entry }) => entry.page))]);
      const prepared = this.#withoutLost(await this.#prepareAgain(items));
      directories.forget();
      await directories.ensure(dueEntries(prepared), layout);
      const built = this.#build(prepared);
      try {
        return await this.#write(built);
      } catch (error) {
        if (!isRebuildable(error) || attempt === REBUILDS_MAX) throw error;
        this.#noteFence(built.leases, error);
        if (await this.#wasApplied(built)) return this.#report(built);
      }
    }
  }

  /** Settles on the records as they are now. A task whose node is gone leaves only its due entry to clear away. */
  async #prepareAgain(items: readonly Item[]): Promise<Prepared[]> {
    const { session, layout } = this.#options;
    const found = await loadRecords(
      session,
      layout,
      items.map(({ entry }) => entry.taskId),
    );
    const fresh = items.map((item, i): Item => {
      const loaded = found[i];
      if (isLoaded(loaded)) return { ...item, loaded };
      const { loaded: _, ...rest } = item;
      return { ...rest, done: 'stale' };
    });
    const paths = fresh.flatMap((item) => prepare(layout, item, NOTHING_KNOWN).ops.map(({ path }) => path));
    const nodes = await session.getMany(paths);
    const known = new Map(paths.map((path, i) => [path, nodes[i] !== undefined]));
    return fresh.map((item) => prepare(layout, item, known));
  }

  #noteFence(leases: readonly Lease[], error: unknown): void {
    if (!(error instanceof CoordinatorError) || error.opIndex === undefined) return;
    const lease = error.opIndex < leases.length * GUARD_OPS ? refusingLease(leases, error.opIndex) : undefined;
    if (lease !== undefined) this.#lost.add(lease);
  }

  #withoutLost(prepared: readonly Prepared[]): readonly Prepared[] {
    if (this.#lost.size === 0) return prepared;
    const dropped = Map.groupBy(
      prepared.filter(({ item }) => this.#lost.has(item.lease)),
      ({ item }) => item.lease,
    );
    for (const [lease, group] of dropped)
      this.#options.onFenced(
        lease,
        group.map(({ item }) => item),
      );
    return prepared.filter(({ item }) => !this.#lost.has(item.lease));
  }
}

/** Refused because somebody else was faster, or not known: to be looked at again. */
const isRebuildable = (error: unknown): boolean =>
  (isRefused(error) && error.refusal !== 'no-auth') || isCronkeeperError(error, 'outcome-unknown');

const NOTHING_KNOWN: ReadonlyMap<string, boolean> = new Map();

const dueEntries = (prepared: readonly Prepared[]) =>
  prepared.flatMap(({ settled }) => {
    if (settled?.record.dueMs === undefined) return [];
    const { task, dueMs, timer } = settled.record;
    return [{ taskId: task.id, dueMs, timer }];
  });

/** `known` says of paths whether they are there, where that was looked up after a refusal. */
function prepare(layout: Layout, item: Item, known: ReadonlyMap<string, boolean>): Prepared {
  const { done, loaded } = item;
  if (done === 'stale' || loaded === undefined) return { item, settled: undefined, ops: [], bytes: 0 };
  if (done === 'purge') return { item, settled: undefined, ops: purgeOps(layout, loaded, known), bytes: 0 };
  const settled = settle(loaded.record, done);
  const ops = [recordOp(layout, settled, loaded.version), ...besideOps(layout, settled, known)];
  const bytes = ops.reduce((sum, op) => sum + 128 + ('data' in op ? Buffer.byteLength(op.data) : 0), 0);
  return { item, settled, ops, bytes };
}

const recordOp = (layout: Layout, { record }: Settled, version: number): Op => ({
  op: 'set',
  path: layout.task(record.task.id),
  version,
  data: encodeRecord(record),
});

/** Chunks of history and dead letters. */
function besideOps(layout: Layout, settled: Settled, known: ReadonlyMap<string, boolean>): Op[] {
  const { record, history, dead, evictedSlotMs } = settled;
  const { id } = record.task;
  const put = (path: string, data: string, exists: boolean): Op =>
    (known.get(path) ?? exists) ? { op: 'set', path, data } : { op: 'create', path, data };
  const drop = (path: string): Op[] => (known.get(path) === false ? [] : [{ op: 'remove', path }]);
  return [
    ...(history.write === undefined
      ? []
      : [put(layout.chunk(id, history.write.index), encodeChunk(history.write.runs), history.write.exists)]),
    ...history.removed.flatMap((index) => drop(layout.chunk(id, index))),
    ...(dead === undefined ? [] : [put(layout.dead(id, dead.slotMs), JSON.stringify(dead), false)]),
    ...(evictedSlotMs === undefined ? [] : drop(layout.dead(id, evictedSlotMs))),
  ];
}

/** A tombstone goes with all that was kept for it; children before their parent. */
function purgeOps(layout: Layout, { record, version }: Loaded, known: ReadonlyMap<string, boolean>): Op[] {
  const { id } = record.task;
  const beside = [
    ...record.chunks.map(({ index }) => layout.chunk(id, index)),
    ...record.deadSlots.map((slotMs) => layout.dead(id, slotMs)),
  ].filter((path) => known.get(path) !== false);
  return [...beside.map((path): Op => ({ op: 'remove', path })), { op: 'remove', path: layout.task(id), version }];
}

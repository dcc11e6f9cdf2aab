/**
 * Records what was decided and run: one fenced transaction for many launches, whatever their shards. It holds the task
 * records (by version), chunks of history, dead letters, and the due pages that are used up, shortened or new.
 *
 * Commits follow each other without waiting, and share pages: each expects a page at the version that the one before
 * leaves. So when one is refused, those behind it that depend on it are refused as well; then everything that was
 * refused is read again, settled again on what is there now, and committed one after the other.
 */
import type { Cancel, Clock } from './clock.ts';
import { isRefused, type Op, type Session } from './coordinator.ts';
import { type NewPages, newPages, type Page, reloadPages, type TimedEntry, takeOff } from './due.ts';
import type { DueDirectories } from './due-directories.ts';
import { isCronkeeperError } from './errors.ts';
import {
  dueEntries,
  type Item,
  mayWait,
  NOTHING_KNOWN,
  type Prepared,
  pageBytes,
  prepare,
  renewed,
  wasApplied,
} from './item.ts';
import type { Layout } from './layout.ts';
import { guardsOf, type Lease, lostLease } from './lease.ts';
import type { Mail } from './mail.ts';
import { outboxesOf, outboxOps } from './outbox.ts';
import { codeNamedBy, hintOps } from './retention.ts';
import type { Settled } from './settle.ts';
import { type Found, type Loaded, loadRecords } from './store.ts';

/** Launches of one commit, and the bytes of what they write: well below what a coordinator takes in one multi. */
export const COMMIT_ITEMS_MAX = 128;
const COMMIT_BYTES_MAX = 384 * 1024;

/** Commits on their way at a time. */
const COMMITS_IN_FLIGHT_MAX = 4;

/** Outcomes that come within so many milliseconds share a commit; and those that nobody waits for (see `mayWait`). */
const GROUP_MS = 5;
const PATIENT_GROUP_MS = 40;

/** How often what was refused is settled again before the tick gives up: each time somebody else was faster. */
const REBUILDS_MAX = 20;

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
  /** Whether launches come one by one, so that they are to wait for each other where nobody waits for them. */
  readonly lingers?: boolean;
  readonly directories: DueDirectories;
  /** Makes names for new pages, unique in the namespace. */
  readonly maker: () => string;
  /** Told of new pages before they are sent: whoever scans meanwhile must not take them for somebody else's. */
  readonly onPages: (pages: readonly Page[]) => void;
  /** Called for each commit, with the entries that it made. */
  readonly onCommitted: (committed: readonly Committed[], next: readonly TimedEntry[]) => void;
  /** Called for each commit after which there is something to tell, with the shards in whose outbox it is. */
  readonly onMail?: (shards: ReadonlySet<number>) => void;
  /** A newer holder has the lease: nothing of this was written, or will be. */
  readonly onFenced: (lease: Lease, dropped: readonly Item[]) => void;
  /** Nothing more can be recorded. Called once. */
  readonly onFailed: (error: unknown) => void;
}

interface Built {
  readonly prepared: readonly Prepared[];
  readonly leases: readonly Lease[];
  readonly later: NewPages;
  readonly mail: readonly Mail[];
  readonly ops: readonly Op[];
}

export class Committer {
  readonly #options: CommitterOptions;
  readonly #lost = new Set<Lease>();
  readonly #inFlight = new Set<Promise<void>>();
  #queue: Prepared[] = [];
  #refused: Built[] = [];
  #grouping: { readonly isPatient: boolean; readonly cancel: Cancel } | undefined;
  /** What is queued has waited for as long as it may. */
  #isDue = false;
  #running: Promise<void> | undefined;
  /** Told when as many wait as one commit takes. */
  #onFilled: (() => void) | undefined;
  #failed = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Queues an item; it is sent with others that come within a few milliseconds. */
  add(item: Item): void {
    if (this.#failed) return;
    const prepared = prepare(this.#options.layout, item, NOTHING_KNOWN);
    this.#queue.push(prepared);
    if (this.#queue.length >= COMMIT_ITEMS_MAX) {
      this.#onFilled?.();
      this.#start();
    } else this.#startLater(this.#options.lingers === true && mayWait(prepared));
  }

  #startLater(isPatient: boolean): void {
    if (this.#grouping !== undefined && (isPatient || !this.#grouping.isPatient)) return;
    this.#stopGrouping();
    const cancel = this.#options.clock.after(isPatient ? PATIENT_GROUP_MS : GROUP_MS, () => this.#start());
    this.#grouping = { isPatient, cancel };
  }

  #stopGrouping(): void {
    this.#grouping?.cancel();
    this.#grouping = undefined;
  }

  /** Resolves when all that was added is recorded or dropped, or nothing more can be. */
  async flush(): Promise<void> {
    while (!this.#failed && (this.#queue.length > 0 || this.#running !== undefined)) {
      this.#start();
      await this.#running;
    }
  }

  #start(): void {
    this.#stopGrouping();
    this.#isDue = true;
    if (this.#failed) return;
    this.#running ??= this.#drain()
      .catch((error: unknown) => {
        this.#failed = true;
        this.#queue = [];
        this.#options.onFailed(error);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#hasDue()) this.#start(); // what came after the last look
      });
  }

  /** Whether something is to be sent, as soon as it can be. */
  #hasDue(): boolean {
    return this.#queue.length > 0 && (this.#isDue || this.#grouping?.isPatient === false);
  }

  async #drain(): Promise<void> {
    while (this.#hasDue() || this.#inFlight.size > 0 || this.#refused.length > 0) {
      if (this.#refused.length > 0) {
        await Promise.all(this.#inFlight);
        await this.#recover();
      } else if (this.#inFlight.size >= COMMITS_IN_FLIGHT_MAX) {
        await Promise.race(this.#inFlight);
      } else if (this.#inFlight.size > 0 && this.#queue.length < COMMIT_ITEMS_MAX) {
        // While one is on its way, few gain nothing by going alone: a commit costs the coordinator as much as a launch.
        await Promise.race([...this.#inFlight, this.#filled()]);
      } else {
        const batch = this.#withoutLost(this.#take());
        await this.#haveDirectories(batch);
        this.#send(this.#build(batch));
      }
    }
  }

  #filled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFilled = resolve;
    });
  }

  #take(): Prepared[] {
    const pages = new Set<Page>();
    let bytes = 0;
    let count = 0;
    for (const { item, bytes: own } of this.#queue) {
      const { page } = item.entry;
      const more = own + (pages.has(page) ? 0 : pageBytes(page));
      if (count === COMMIT_ITEMS_MAX || (count > 0 && bytes + more > COMMIT_BYTES_MAX)) break;
      pages.add(page);
      bytes += more;
      count++;
    }
    this.#isDue = count < this.#queue.length;
    if (!this.#isDue) this.#stopGrouping();
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

  async #haveDirectories(batch: readonly Prepared[]): Promise<void> {
    const { directories, layout } = this.#options;
    await directories.ensure(dueEntries(batch), layout);
    const mail = mailIn(batch);
    if (mail.length > 0) await directories.have(outboxesOf(layout, mail));
  }

  #report({ prepared, later, mail }: Built): void {
    const committed = prepared.map(({ item, settled }): Committed => {
      if (settled === undefined || item.loaded === undefined) return { item };
      return { item, settled, loaded: { record: settled.record, version: item.loaded.version + 1 } };
    });
    this.#options.onCommitted(committed, later.entries);
    if (mail.length > 0)
      this.#options.onMail?.(new Set(mail.map(({ taskId }) => this.#options.layout.shardOf(taskId))));
  }

  #build(prepared: readonly Prepared[]): Built {
    const later = newPages(this.#options.layout, dueEntries(prepared), this.#options.maker);
    this.#options.onPages(later.pages);
    const leases = [...new Set(prepared.map(({ item }) => item.lease))];
    const taken = takeOff(prepared.map(({ item }) => item.entry));
    const hints = this.#hintsAt(prepared);
    const mail = mailIn(prepared);
    const told = outboxOps(this.#options.layout, mail, this.#options.maker);
    const records = prepared.flatMap((each) => each.ops);
    const ops = [...guardsOf(leases), ...records, ...taken, ...later.ops, ...hints, ...told];
    return { prepared, leases, later, mail, ops };
  }

  /** Of tombstones that are purged: they are the last to name their code, maybe. */
  #hintsAt(prepared: readonly Prepared[]): Op[] {
    const purged = prepared.flatMap(({ item: { done, loaded } }) =>
      done === 'purge' && loaded !== undefined ? [loaded.record] : [],
    );
    const droppedMs = Math.max(0, ...purged.map(({ dueMs = 0 }) => dueMs));
    const { layout, maker } = this.#options;
    return hintOps(layout, droppedMs, maker, new Set(purged.flatMap(codeNamedBy)));
  }

  /** One refused commit after the other, on what is there now. Nothing else is in flight. */
  async #recover(): Promise<void> {
    const refused = this.#refused;
    this.#refused = [];
    for (const built of refused) await this.#rebuild(built);
  }

  /**
   * Settles on the records as they are now, unless they show that it was applied though the reply was lost. That is
   * looked for in the very records that are settled on: what is applied late, behind a first look, is then seen in
   * the next one or refuses the write by its version.
   */
  async #rebuild(refused: Built): Promise<void> {
    const { session, directories, layout } = this.#options;
    for (let built = refused, attempt = 1; ; attempt++) {
      const items = built.prepared.map(({ item }) => item);
      const ids = items.map(({ entry }) => entry.taskId);
      const found = await loadRecords(session, layout, ids);
      if (wasApplied(items, found)) return this.#report(built);
      await reloadPages(session, [...new Set(items.map(({ entry }) => entry.page))]);
      const prepared = this.#withoutLost(await this.#prepareAgain(items, found));
      directories.forget();
      await this.#haveDirectories(prepared);
      built = this.#build(prepared);
      try {
        return await this.#write(built);
      } catch (error) {
        if (!isRebuildable(error) || attempt === REBUILDS_MAX) throw error;
        this.#noteFence(built.leases, error);
      }
    }
  }

  async #prepareAgain(items: readonly Item[], found: readonly Found[]): Promise<Prepared[]> {
    const { session, layout } = this.#options;
    const fresh = items.map((item, i) => renewed(item, found[i]));
    const paths = fresh.flatMap((item) => prepare(layout, item, NOTHING_KNOWN).ops.map(({ path }) => path));
    const nodes = await session.getMany(paths);
    const known = new Map(paths.map((path, i) => [path, nodes[i] !== undefined]));
    return fresh.map((item) => prepare(layout, item, known));
  }

  #noteFence(leases: readonly Lease[], error: unknown): void {
    const lease = lostLease(leases, error);
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

const mailIn = (prepared: readonly Prepared[]): Mail[] => prepared.flatMap(({ mail }) => mail ?? []);

/** Refused because somebody else was faster, or not known: to be looked at again. */
const isRebuildable = (error: unknown): boolean =>
  (isRefused(error) && error.refusal !== 'no-auth') || isCronkeeperError(error, 'outcome-unknown');

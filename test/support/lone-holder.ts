/**
 * A holder of leases without an engine around it: a test decides what is due, what became of it, and when it is
 * committed. Beside it stand the users, with a registry of their own, and eyes for what is stored.
 */

import { expect } from '@jest/globals';
import { AuditTrail } from '../../src/audit-trail.ts';
import { systemClock } from '../../src/clock.ts';
import { type Committed, Committer } from '../../src/commit.ts';
import { type EmbeddedCoordinator, openEmbedded } from '../../src/coordinator/embedded.ts';
import type { Session } from '../../src/coordinator.ts';
import { type Page, scanDue, type TimedEntry } from '../../src/due.ts';
import { DueDirectories } from '../../src/due-directories.ts';
import { EventIndex } from '../../src/event-index.ts';
import { decodeChunk } from '../../src/history.ts';
import type { Item } from '../../src/item.ts';
import type { Outcome } from '../../src/launch.ts';
import { decodeDueEntry, type Layout } from '../../src/layout.ts';
import { acquire, type Lease } from '../../src/lease.ts';
import { openNamespace } from '../../src/namespace.ts';
import { plan } from '../../src/plan.ts';
import { TaskQuota } from '../../src/quota.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { Registry } from '../../src/registry.ts';
import { CodeCache, isLoaded, loadRecords } from '../../src/store.ts';
import { FaultySession } from './faulty-session.ts';
import { at, isTerminal, succeeding } from './task-records.ts';

export const START_MS = at('2027-01-01T00:00:00Z');
const SHARDS = 3;

export class Holder {
  /** What is due is looked for at this time. */
  nowMs = START_MS;
  readonly session: FaultySession;
  readonly layout: Layout;
  readonly leases: readonly Lease[];
  readonly users: Registry;
  readonly eyes: Session;
  readonly committer: Committer;
  readonly committed: Committed[] = [];
  /** Entries that its own commits have made, and that it has not taken up yet. */
  #waiting: TimedEntry[] = [];
  readonly fenced: { readonly lease: Lease; readonly dropped: readonly Item[] }[] = [];
  readonly pages = new Map<string, Page>();
  failure: unknown;
  readonly #coordinator: EmbeddedCoordinator;

  static async open(): Promise<Holder> {
    const coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 30_000, clock: systemClock });
    const session = new FaultySession(await coordinator.connect());
    const eyes = await coordinator.connect();
    const layout = await openNamespace(session, 'test', SHARDS);
    const leases = await Promise.all([0, 1, 2].map((shard) => acquire(session, layout, shard, 'holder')));
    session.sent.length = 0;
    return new Holder(coordinator, session, eyes, layout, leases as Lease[]);
  }

  constructor(
    coordinator: EmbeddedCoordinator,
    session: FaultySession,
    eyes: Session,
    layout: Layout,
    leases: readonly Lease[],
  ) {
    this.#coordinator = coordinator;
    this.session = session;
    this.eyes = eyes;
    this.layout = layout;
    this.leases = leases;
    let made = 0;
    const maker = () => `m${made++}`;
    this.users = new Registry(
      {
        ...{ session: eyes, layout, maker, code: new CodeCache() },
        now: async () => this.nowMs,
        checkCode: async () => undefined,
        ...{ trail: new AuditTrail(), quota: new TaskQuota(undefined), events: new EventIndex() },
      },
      'tester',
    );
    this.committer = new Committer({
      session,
      layout,
      clock: systemClock,
      directories: new DueDirectories(session),
      maker,
      onPages: (pages) => {
        for (const page of pages) this.pages.set(page.path, page);
      },
      onCommitted: (committed, next) => {
        this.committed.push(...committed);
        this.#waiting.push(...next);
      },
      onFenced: (lease, dropped) => this.fenced.push({ lease, dropped }),
      onFailed: (error) => {
        this.failure ??= error;
      },
    });
  }

  /** Lines of the entries that it waits for. */
  get waiting(): string[] {
    return this.#waiting.map(({ line }) => line);
  }

  async close(): Promise<void> {
    await Promise.all([this.session.close(), this.eyes.close()]);
    await this.#coordinator.close();
  }

  /** Entries that are due: those that it has made, and those of pages that it has not read yet. */
  async due(): Promise<TimedEntry[]> {
    const entries = this.#waiting.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs > this.nowMs);
    const scan = scanDue(this.session, this.layout, [0, 1, 2], this.nowMs, this.pages);
    for await (const page of scan.pages) {
      this.pages.set(page.path, page);
      for (const entry of page.left.values()) (entry.dueMs <= this.nowMs ? entries : this.#waiting).push(entry);
    }
    return entries;
  }

  /** What is to be committed for an entry: a run with this outcome, or whatever else is decided. */
  async item(entry: TimedEntry, outcome: Outcome = succeeding()): Promise<Item> {
    const lease = this.leases[entry.shard] as Lease;
    const [loaded] = await loadRecords(this.session, this.layout, [entry.taskId]);
    if (!isLoaded(loaded) || loaded.record.timer !== entry.timer) return { entry, lease, done: 'stale' };
    const decision = plan(loaded.record, this.nowMs);
    if (decision.do === 'wait') throw new Error(`${entry.taskId} is not due`);
    if (decision.do === 'purge') return { entry, lease, loaded, done: 'purge' };
    const { skipped, launch } = decision;
    const when = { startedMs: this.nowMs, finishedMs: this.nowMs, fence: lease.fence };
    const run = launch === undefined ? {} : { launch, outcome };
    return {
      entry,
      lease,
      loaded,
      done: { skipped, ...run, ...when, createdMs: loaded.record.createdMs, revision: loaded.record.revision },
    };
  }

  /** Everything that is due, as items, in the order of their pages. */
  async items(outcome?: Outcome): Promise<Item[]> {
    const entries = await this.due();
    return Promise.all(entries.map((entry) => this.item(entry, outcome)));
  }

  async commit(items: readonly Item[]): Promise<void> {
    for (const item of items) this.committer.add(item);
    await this.committer.flush();
  }

  /** Another holder takes a shard's lease, as when this one was taken for dead. */
  async takeAway(shard: number): Promise<void> {
    await this.eyes.multi([
      { op: 'set', path: this.layout.epoch(shard), data: 'another' },
      { op: 'set', path: this.layout.lock(shard), data: 'another' },
    ]);
  }

  async record(id: string): Promise<TaskRecord | undefined> {
    const [found] = await loadRecords(this.eyes, this.layout, [id]);
    return isLoaded(found) ? found.record : undefined;
  }

  /** All runs of a task that are kept, newest first. */
  async runs(id: string): Promise<RunRecord[]> {
    const record = await this.record(id);
    if (record === undefined) return [];
    const chunks = await this.eyes.getMany(record.chunks.map(({ index }) => this.layout.chunk(id, index)));
    return [...record.runs, ...chunks.flatMap((node) => decodeChunk(node?.data ?? ''))];
  }

  /** Every page of the due index with its lines. */
  async storedPages(): Promise<Map<string, string[]>> {
    const pages = new Map<string, string[]>();
    const children = async (path: string) => ((await this.eyes.children(path)) ?? []).map((name) => `${path}/${name}`);
    for (let shard = 0; shard < SHARDS; shard++) {
      for (const day of await children(this.layout.due(shard))) {
        for (const minute of await children(day)) {
          for (const path of await children(minute)) {
            pages.set(path, ((await this.eyes.get(path))?.data ?? '').split('\n'));
          }
        }
      }
    }
    return pages;
  }

  /**
   * What must be so whatever happened: each task that waits for something has its due entry, nobody has two, no page is
   * empty, and no slot has two ends.
   */
  async holdTree(ids: readonly string[]): Promise<void> {
    const pages = await this.storedPages();
    const entries = [...pages.values()].flat().map((line) => decodeDueEntry(line));
    expect(entries).not.toContain(undefined);
    for (const id of ids) {
      const record = await this.record(id);
      const live = entries.filter((entry) => entry?.taskId === id && entry.timer === record?.timer);
      expect(live).toEqual(
        record?.dueMs === undefined ? [] : [{ taskId: id, dueMs: record.dueMs, timer: record.timer }],
      );
      const ends = (await this.runs(id)).filter(isTerminal).map(({ slotMs }) => slotMs);
      expect(new Set(ends).size).toBe(ends.length);
    }
  }
}

/** The due pages that a tick knows: those that it has read, and those that it has made. */
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { type Days, GONE, type Page, scanDue, type TimedEntry } from './due.ts';
import { DueDirectories } from './due-directories.ts';
import { dueMinute, type Layout } from './layout.ts';

/** Directories of past minutes that one tick removes. */
const SWEEP_MAX = 2_000;

/** A minute is past when nobody can write into its directory any more but in error. */
const PAST_MS = 60_000;

export class Agenda {
  readonly directories: DueDirectories;
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #pages = new Map<string, Page>();
  readonly #visited = new Set<string>();

  constructor(session: Session, layout: Layout) {
    this.#session = session;
    this.#layout = layout;
    this.directories = new DueDirectories(session);
  }

  /** Pages with entries due until `untilMs` that were not known; a page on which nothing can be read is removed. */
  async *read(shards: Iterable<number>, untilMs: EpochMs, days?: Days): AsyncGenerator<Page, void> {
    const scan = scanDue(this.#session, this.#layout, [...shards], untilMs, this.#pages, days);
    for await (const page of scan.pages) {
      this.#visited.add(page.directory);
      if (page.left.size === 0) {
        await this.directories.drop(page);
        continue;
      }
      this.#pages.set(page.path, page);
      yield page;
    }
    for (const directory of scan.visited) this.#visited.add(directory);
  }

  /** Pages that this tick makes itself: none of them is to be read as somebody else's. */
  add(pages: readonly Page[]): void {
    for (const page of pages) this.#pages.set(page.path, page);
  }

  /** As if it had not been read. */
  forget(page: Page): void {
    this.#pages.delete(page.path);
  }

  /** Whether it is this very page that is known, and not what was read since under its name. */
  has(page: Page): boolean {
    return this.#pages.get(page.path) === page;
  }

  /** Forgets a page once its node is gone. */
  settle(page: Page): void {
    if (page.version === GONE) this.#pages.delete(page.path);
  }

  *entriesAfter(dueMs: EpochMs): Generator<TimedEntry, void> {
    for (const { left } of this.#pages.values())
      for (const entry of left.values()) if (entry.dueMs > dueMs) yield entry;
  }

  /** Empty directories of past minutes go; one that somebody uses again meanwhile is refused, and stays. */
  async sweep(nowMs: EpochMs): Promise<void> {
    const { day, minute } = dueMinute(nowMs - PAST_MS);
    const inUse = new Set(
      [...this.#pages.values()].filter(({ version }) => version !== GONE).map((page) => page.directory),
    );
    const past = [...this.#visited].filter(
      (directory) => directory.split('/').slice(-2).join('/') <= `${day}/${minute}`,
    );
    const empty = past.filter((directory) => !inUse.has(directory)).slice(0, SWEEP_MAX);
    if (empty.length > 0) await this.directories.sweep(empty);
  }
}

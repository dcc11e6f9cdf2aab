/**
 * The due index: which tasks are due when. A page under `due/<day>/<minute>/` holds the entries that one write made for
 * that minute, so a tick reads what is due and nothing else, however many tasks there are. An entry counts only while
 * its timer number is the task's; so an edit never searches for the entry it replaces, which is swept when it is due.
 */
import type { EpochMs } from './clock.ts';
import type { Op, Session } from './coordinator.ts';
import {
  type DueEntry,
  type DueMinute,
  decodeDueEntry,
  dueMinute,
  encodeDueEntry,
  type Layout,
  pageFirstDueMs,
} from './layout.ts';
import { contentsOf, minutePath, pathOfPage } from './new-pages.ts';

/** As in the name of a directory. */
const FIRST_MINUTE = '0000';

/** Directories of minutes that are listed together: one minute of eight shards, as there are by default. */
const MINUTES_AT_A_TIME = 8;

/**
 * Pages that are read together, and how often that is under way ahead of whoever works on them: some 12,000 entries at
 * most are in memory before they begin, however many are due.
 */
const PAGES_AT_A_TIME = 64;
const READS_AHEAD = 3;

/** A page as its holder sees it: what is left of it, and the version that the next change must find. */
export interface Page {
  readonly shard: number;
  readonly directory: string;
  readonly path: string;
  version: number;
  readonly left: Map<string, TimedEntry>;
}

export interface TimedEntry extends DueEntry {
  readonly shard: number;
  readonly line: string;
  readonly page: Page;
}

interface MinuteDirectory extends DueMinute {
  readonly shard: number;
  readonly path: string;
}

export interface DueScan {
  /** Pages with entries due at or before `untilMs`, some minutes of all shards at a time; pages in `known` are left out. */
  readonly pages: AsyncGenerator<Page, void>;
  /** Directories of past minutes that the scan came by; remove them when their pages are gone. */
  readonly visited: ReadonlySet<string>;
}

/** Reads what is due until `untilMs`, a few pages ahead of whoever consumes it, the oldest first as their names tell. */
export function scanDue(
  session: Session,
  layout: Layout,
  shards: readonly number[],
  untilMs: EpochMs,
  known: ReadonlyMap<string, Page>,
  days?: Days,
): DueScan {
  const visited = new Set<string>();
  async function* pages(): AsyncGenerator<Page, void> {
    const minutes = await dueMinutes(session, layout, shards, untilMs, days);
    const ahead: Promise<Page[]>[] = [];
    for await (const names of namesIn(session, minutes, untilMs, visited)) {
      const fresh = names.filter(({ path }) => !known.has(path));
      for (let i = 0; i < fresh.length; i += PAGES_AT_A_TIME) {
        const reading = readPages(session, fresh.slice(i, i + PAGES_AT_A_TIME));
        reading.catch(() => undefined); // reported when it is awaited; until then it must not count as unhandled
        ahead.push(reading);
        if (ahead.length >= READS_AHEAD) yield* (await ahead.shift()) ?? [];
      }
    }
    for (const reading of ahead) yield* await reading;
  }
  return { pages: pages(), visited };
}

/** A page that was listed and not read. */
interface PageName {
  readonly minute: MinuteDirectory;
  readonly path: string;
  readonly firstDueMs: EpochMs;
}

/** Names of pages, some minutes at a time; of them, the page that falls due first comes first, whatever its shard. */
async function* namesIn(
  session: Session,
  minutes: readonly MinuteDirectory[],
  untilMs: EpochMs,
  visited: Set<string>,
): AsyncGenerator<PageName[], void> {
  for (let i = 0; i < minutes.length; i += MINUTES_AT_A_TIME) {
    const some = minutes.slice(i, i + MINUTES_AT_A_TIME);
    const names = await session.childrenMany(some.map(({ path }) => path));
    for (const { path } of some) visited.add(path);
    const pages = some.flatMap((minute, k) =>
      (names[k] ?? []).flatMap((name): PageName[] => {
        // One whose name tells no time is somebody's mistake: it is read, to be swept.
        const firstDueMs = pageFirstDueMs(name) || 0;
        return firstDueMs > untilMs ? [] : [{ minute, path: `${minute.path}/${name}`, firstDueMs }];
      }),
    );
    yield pages.sort((a, b) => a.firstDueMs - b.firstDueMs);
  }
}

/** The days that shards have, for whoever has looked already. */
export type Days = ReadonlyMap<number, readonly string[]>;

/** Directories of the minutes up to `untilMs`, oldest first: two round trips, whatever the number of shards. */
export async function dueMinutes(
  session: Session,
  layout: Layout,
  shards: readonly number[],
  untilMs: EpochMs,
  known?: Days,
): Promise<MinuteDirectory[]> {
  const last = dueMinute(untilMs);
  const names = known === undefined ? await session.childrenMany(shards.map((shard) => layout.due(shard))) : [];
  const days = shards.flatMap((shard, i) =>
    (known?.get(shard) ?? names[i] ?? []).flatMap((day) => (day <= last.day ? [{ shard, day }] : [])),
  );
  const minutes = await session.childrenMany(days.map(({ shard, day }) => `${layout.due(shard)}/${day}`));
  const directories = days.flatMap(({ shard, day }, i) => {
    const found = minutes[i] ?? [];
    // Whoever made the day, or removed its last minute, did not live to go on: it is swept as if it had one.
    const own = found.length === 0 && day < last.day ? [FIRST_MINUTE] : found;
    return own
      .filter((minute) => day < last.day || minute <= last.minute)
      .map((minute) => ({ shard, day, minute, path: minutePath(layout, shard, { day, minute }) }));
  });
  const order = ({ day, minute }: DueMinute) => `${day}/${minute}`;
  return directories.sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : a.shard - b.shard));
}

async function readPages(session: Session, names: readonly PageName[]): Promise<Page[]> {
  const nodes = await session.getMany(names.map(({ path }) => path));
  return names.flatMap(({ minute: { shard, path: directory }, path }, i) => {
    const node = nodes[i];
    return node === undefined ? [] : [readPage(shard, directory, path, node.data, node.version)];
  });
}

function readPage(shard: number, directory: string, path: string, text: string, version: number): Page {
  const page: Page = { shard, directory, path, version, left: new Map() };
  for (const line of text.split('\n')) {
    const entry = decodeDueEntry(line);
    if (entry !== undefined) page.left.set(line, { ...entry, shard, line, page });
  }
  return page;
}

/** Brings pages back to what the coordinator holds; one that is gone has nothing left and no version. */
export async function reloadPages(session: Session, pages: readonly Page[]): Promise<void> {
  const nodes = await session.getMany(pages.map(({ path }) => path));
  for (const [i, page] of pages.entries()) {
    const node = nodes[i];
    page.version = node?.version ?? GONE;
    const lines = new Set(node?.data.split('\n'));
    for (const line of page.left.keys()) if (!lines.has(line)) page.left.delete(line);
    for (const line of lines) restoreLine(page, line);
  }
}

/** The version of a page whose node is gone. */
export const GONE = -1;

function restoreLine(page: Page, line: string): void {
  if (page.left.has(line)) return;
  const entry = decodeDueEntry(line);
  if (entry !== undefined) page.left.set(line, { ...entry, shard: page.shard, line, page });
}

/** Takes entries off their pages; every page is written once, and found at the version that its last write left. */
export function takeOff(entries: readonly TimedEntry[]): Op[] {
  const touched = new Set<Page>();
  for (const { page, line } of entries) {
    page.left.delete(line);
    touched.add(page);
  }
  return [...touched].flatMap((page): Op[] => {
    const { path, version } = page;
    if (version === GONE) return [];
    if (page.left.size === 0) {
      page.version = GONE;
      return [{ op: 'remove', path, version }];
    }
    page.version = version + 1;
    return [{ op: 'set', path, version, data: [...page.left.keys()].join('\n') }];
  });
}

export interface NewPages {
  readonly pages: readonly Page[];
  readonly entries: readonly TimedEntry[];
  readonly ops: readonly Op[];
}

/** Pages for new entries, one for each shard and minute (more when they are many). `maker` makes a unique name. */
export function newPages(layout: Layout, entries: readonly DueEntry[], maker: () => string): NewPages {
  const pages = contentsOf(layout, entries).map((content) => {
    const { shard, directory } = content;
    const page: Page = { shard, directory, path: pathOfPage(content, maker), version: 0, left: new Map() };
    for (const entry of content.entries) {
      const line = encodeDueEntry(entry);
      page.left.set(line, { ...entry, shard, line, page });
    }
    return page;
  });
  return {
    pages,
    entries: pages.flatMap(({ left }) => [...left.values()]),
    ops: pages.map(({ path, left }) => ({ op: 'create', path, data: [...left.keys()].join('\n') })),
  };
}

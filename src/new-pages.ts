/** Which pages of the due index new entries make: those of one shard and minute together, the earliest first. Pure. */
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import { type DueEntry, type DueMinute, dueMinute, encodeDueEntry, type Layout, minuteOf, pageName } from './layout.ts';
import { SHARDS_MAX } from './shard.ts';

/** Entries of one page: a commit takes two such pages, so that most are used up whole. */
export const PAGE_ENTRIES_MAX = 64;

/** What is to be on a page: at least one entry. */
export interface PageContent {
  readonly shard: number;
  readonly directory: string;
  readonly entries: readonly DueEntry[];
}

export const minutePath = (layout: Layout, shard: number, { day, minute }: DueMinute): string =>
  `${layout.due(shard)}/${day}/${minute}`;

/** Entries of one commit are of few minutes: each name is made once. */
export function directoriesOf(layout: Layout, entries: readonly DueEntry[]): Iterable<string> {
  const found = new Map<number, string>();
  for (const { taskId, dueMs } of entries) {
    const shard = layout.shardOf(taskId);
    const key = keyOf(shard, dueMs);
    if (!found.has(key)) found.set(key, minutePath(layout, shard, dueMinute(dueMs)));
  }
  return found.values();
}

/** One number for each shard and minute. */
const keyOf = (shard: number, dueMs: EpochMs): number => minuteOf(dueMs) * SHARDS_MAX + shard;

/** One page for each shard and minute, more where they are many. */
export function contentsOf(layout: Layout, entries: readonly DueEntry[]): PageContent[] {
  const groups = new Map<
    number,
    { readonly shard: number; readonly directory: string; readonly entries: DueEntry[] }
  >();
  for (const entry of entries) {
    const shard = layout.shardOf(entry.taskId);
    const key = keyOf(shard, entry.dueMs);
    const group = groups.get(key);
    if (group !== undefined) group.entries.push(entry);
    else groups.set(key, { shard, directory: minutePath(layout, shard, dueMinute(entry.dueMs)), entries: [entry] });
  }
  return [...groups.values()].flatMap(({ shard, directory, entries }) => {
    const sorted = entries.sort((a, b) => a.dueMs - b.dueMs);
    return Array.from({ length: Math.ceil(sorted.length / PAGE_ENTRIES_MAX) }, (_, i) => ({
      ...{ shard, directory },
      entries: sorted.slice(i * PAGE_ENTRIES_MAX, (i + 1) * PAGE_ENTRIES_MAX),
    }));
  });
}

/** `maker` makes a unique name. */
export const pathOfPage = ({ directory, entries }: PageContent, maker: () => string): string =>
  `${directory}/${pageName((entries[0] as DueEntry).dueMs, maker())}`;

/** For whoever writes them and has no use for them afterwards, unlike `newPages` in `due.ts`. */
export function newPageOps(layout: Layout, entries: readonly DueEntry[], maker: () => string) {
  const contents = contentsOf(layout, entries);
  return {
    directories: new Set(contents.map(({ directory }) => directory)),
    ops: contents.map((content): Op => {
      const data = content.entries.map(encodeDueEntry).join('\n');
      return { op: 'create', path: pathOfPage(content, maker), data };
    }),
  };
}

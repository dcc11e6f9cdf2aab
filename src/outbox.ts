/**
 * The outbox of a shard: what is still to be told of its launches. A page is made in the transaction that records them,
 * and changed by the shard's holder alone. Its name says when it is due, since when it waits and how much is on it, so
 * that nobody reads a page without need.
 */
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import type { Layout } from './layout.ts';
import { countOf, dueMsOf, encodeMail, type Mail, pagesOfMail } from './mail.ts';

export interface OutboxPage {
  readonly path: string;
  readonly dueMs: EpochMs;
  /** When the oldest launch on it came to its end. */
  readonly sinceMs: EpochMs;
  /** Messages on it. */
  readonly count: number;
}

export interface OutboxWriting {
  readonly pages: readonly OutboxPage[];
  readonly ops: readonly Op[];
}

/** New pages in one directory. */
export function writeMail(directory: string, mails: readonly Mail[], maker: () => string): OutboxWriting {
  const written = pagesOfMail(mails).map((page) => {
    const [dueMs, sinceMs, count] = [dueMsOf(page), Math.min(...page.map(({ run }) => run.finishedMs)), countOf(page)];
    const path = `${directory}/${dueMs}-${sinceMs}-${count}-${maker()}`;
    return { page: { path, dueMs, sinceMs, count }, op: { op: 'create', path, data: encodeMail(page) } satisfies Op };
  });
  return { pages: written.map(({ page }) => page), ops: written.map(({ op }) => op) };
}

/** The outboxes that these go into. */
export const outboxesOf = (layout: Layout, mails: readonly Mail[]): string[] =>
  mails.map(({ taskId }) => layout.outbox(layout.shardOf(taskId)));

/** New pages, each in the outbox of its task's shard. */
export function outboxOps(layout: Layout, mails: readonly Mail[], maker: () => string): Op[] {
  const byShard = Map.groupBy(mails, ({ taskId }) => layout.shardOf(taskId));
  return [...byShard].flatMap(([shard, own]) => writeMail(layout.outbox(shard), own, maker).ops);
}

/** Names that are none are left out. */
export function readPages(directory: string, names: readonly string[] | undefined): OutboxPage[] {
  return (names ?? []).flatMap((name) => {
    const [, dueMs, sinceMs, count] = /^(\d{1,16})-(\d{1,16})-(\d{1,9})-/.exec(name) ?? [];
    if (dueMs === undefined) return [];
    return [{ path: `${directory}/${name}`, dueMs: Number(dueMs), sinceMs: Number(sinceMs), count: Number(count) }];
  });
}

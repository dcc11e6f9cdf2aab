/**
 * Pages of one outbox that are worked on together: what came of their messages is written in one fenced transaction,
 * and what is left of them becomes few pages again.
 */
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import type { Layout } from './layout.ts';
import type { Lease } from './lease.ts';
import { afterAttempt, countOf, dueMsOf, type Mail, type Pending, type Told } from './mail.ts';
import { type OutboxPage, writeMail } from './outbox.ts';

export interface Sack {
  readonly lease: Lease;
  readonly pages: readonly OutboxPage[];
  readonly mails: readonly Mail[];
}

export interface Sorted {
  readonly left: readonly Mail[];
  /** Given up. */
  readonly over: readonly Mail[];
  readonly delivered: number;
}

/** What is left, and what is given up, after these outcomes. Pure. */
export function sorted(mails: readonly Mail[], outcomes: ReadonlyMap<Pending, Told>, nowMs: EpochMs): Sorted {
  const left: Mail[] = [];
  const over: Mail[] = [];
  let delivered = 0;
  for (const mail of mails) {
    const kept: Pending[] = [];
    const lost: Pending[] = [];
    for (const pending of mail.to) {
      const told = outcomes.get(pending);
      const after = told === undefined ? { pending, isOver: false } : afterAttempt(mail, pending, told, nowMs);
      if (after === undefined) delivered++;
      else (after.isOver ? lost : kept).push(after.pending);
    }
    if (kept.length > 0) left.push({ ...mail, to: kept });
    if (lost.length > 0) over.push({ ...mail, to: lost });
  }
  return { left, over, delivered };
}

export interface SackWriting {
  readonly sack: Sack;
  readonly ops: readonly Op[];
  /** Messages that were given up. */
  readonly undelivered: number;
  readonly delivered: number;
}

/** The transaction that brings the outbox to `sorted`, and the sack that is there then. */
export function rewritten(
  layout: Layout,
  { lease, pages }: Sack,
  to: Sorted,
  nowMs: EpochMs,
  maker: () => string,
): SackWriting {
  // What is due at different times is not on one page: none is written again before its time.
  const byTime = Map.groupBy(to.left, (mail) => Math.max(dueMsOf([mail]), nowMs));
  const writings = [...byTime.values()].map((mails) => ({
    mails,
    ...writeMail(layout.outbox(lease.shard), mails, maker),
  }));
  const over = writeMail(layout.undelivered(lease.shard), to.over, maker);
  const gone = pages.map(({ path }): Op => ({ op: 'remove', path }));
  return {
    sack: { lease, pages: writings.flatMap((each) => each.pages), mails: to.left },
    ops: [...lease.guard, ...gone, ...writings.flatMap((each) => each.ops), ...over.ops],
    undelivered: countOf(to.over),
    delivered: to.delivered,
  };
}

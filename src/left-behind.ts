/**
 * Launches that a dead holder had begun and that an edit has moved the schedule past meanwhile. No due entry leads to them
 * any more, so whoever takes over closes them, before anything of their tasks is on its way.
 */
import type { EpochMs } from './clock.ts';
import { isRefused, type Session } from './coordinator.ts';
import { newPages } from './due.ts';
import type { DueDirectories } from './due-directories.ts';
import { isCronkeeperError } from './errors.ts';
import { dueEntryOf, settleOps } from './item.ts';
import type { Journal } from './journal.ts';
import type { Layout } from './layout.ts';
import { type Lease, lostLease } from './lease.ts';
import { outboxesOf, outboxOps } from './outbox.ts';
import { leftBehind } from './plan.ts';
import { type Done, decidedAt, isRecorded, type Settled } from './settle.ts';
import { isLoaded, loadRecords } from './store.ts';

/** How often it is tried for a task against faster edits. What is not closed stays in the journal, for the next holder. */
const ATTEMPTS_MAX = 20;

export interface Takeover {
  readonly session: Session;
  readonly layout: Layout;
  readonly journal: Journal;
  readonly directories: DueDirectories;
  /** Makes names for new pages, unique in the namespace. */
  readonly maker: () => string;
  readonly now: () => EpochMs;
  readonly onClosed: (done: Done, settled: Settled) => void;
}

/** @param leases of the shards that were taken over just now. Gives how many were closed, or may have been. */
export async function closeLeftBehind(takeover: Takeover, leases: readonly Lease[]): Promise<number> {
  const { journal, layout } = takeover;
  let closed = 0;
  for (const taskId of journal.inheritedTasks) {
    const lease = leases.find(({ shard }) => shard === layout.shardOf(taskId));
    if (lease === undefined) continue;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      if (!(await closeOne(takeover, lease, taskId))) break;
      closed++;
    }
  }
  return closed;
}

/** False when there is nothing (more) to close. */
async function closeOne(takeover: Takeover, lease: Lease, taskId: string): Promise<boolean> {
  const { session, layout, journal, directories, maker, now, onClosed } = takeover;
  const [found] = await loadRecords(session, layout, [taskId]);
  const inFlight = journal.inherited(taskId);
  if (!isLoaded(found) || inFlight === undefined) return false;
  const closed = leftBehind(found.record, inFlight);
  if (closed === undefined) return false;
  const done: Done = { skipped: [], ...closed, ...decidedAt(found.record, lease.fence, now()) };
  const { settled, ops, mail } = settleOps(layout, found, done);
  const tell = () => {
    journal.done(taskId, closed.launch.slotMs);
    onClosed(done, settled);
    return true;
  };
  if (isRecorded(found.record, done)) return tell(); // the reply to the last attempt was lost
  const entries = dueEntryOf(settled.record);
  const told = mail === undefined ? [] : [mail];
  await directories.ensure(entries, layout);
  await directories.have(outboxesOf(layout, told));
  const later = [...newPages(layout, entries, maker).ops, ...outboxOps(layout, told, maker)];
  try {
    await session.multi([...lease.guard, ...ops, ...later]);
    return tell();
  } catch (error) {
    if (lostLease([lease], error) !== undefined) return false; // the next write finds that out, too
    if (isRefused(error)) directories.forget();
    else if (!isCronkeeperError(error, 'outcome-unknown')) throw error;
    return true;
  }
}

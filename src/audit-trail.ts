/** The audit trail as it is kept: where the next change is noted, what is listed, and what is swept. */
import {
  AUDIT_NAME_PATTERN,
  AUDIT_NODES_MAX,
  type AuditEntry,
  type AuditLine,
  type AuditOptions,
  auditDirectory,
  auditName,
  auditOps,
  dayOf,
  dayOfDirectory,
  decodeAudit,
  expiredDirectories,
  madeMs,
  numberOfDirectory,
} from './audit.ts';
import type { EpochMs } from './clock.ts';
import { isRefused, type Op, type Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError, received } from './errors.ts';
import { parseInstant } from './instant.ts';
import type { Layout } from './layout.ts';
import type { Lease } from './lease.ts';

/** Changes of our own after which others are counted again. */
const COUNT_AGAIN = 512;

/** Nodes that are read at a time, and for one page: one that finds little in them has a cursor nevertheless. */
const READ_AT_A_TIME = 64;
const READS_MAX = 2_048;

/** Nodes that one transaction removes, and one tick. */
const REMOVED_AT_A_TIME = 256;
const REMOVED_MAX = 2_048;

/** How often the making of a directory is tried while others make theirs. */
const MAKE_ATTEMPTS_MAX = 20;

/** Where changes are noted. Known beyond a session: a function opens one for every request. */
export class AuditTrail {
  #directory: string | undefined;
  #left = 0;
  /** A look at them that is under way: whoever comes meanwhile waits for it, as thousands of names are read. */
  #look: { readonly session: Session; readonly day: string; readonly done: Promise<void> } | undefined;

  /** The directory for a change that is made now; made if it is not there. */
  async open(session: Session, layout: Layout, nowMs: EpochMs): Promise<void> {
    const known = this.#directory;
    const day = dayOf(nowMs);
    if (known !== undefined && dayOfDirectory(known) === day && this.#left > 0) return;
    if (this.#look?.session !== session || this.#look.day !== day) {
      const look = { session, day, done: this.#lookFor(session, layout, nowMs) };
      const isOver = () => {
        if (this.#look === look) this.#look = undefined;
      };
      look.done.then(isOver, isOver);
      this.#look = look;
    }
    return this.#look.done;
  }

  async #lookFor(session: Session, layout: Layout, nowMs: EpochMs): Promise<void> {
    const names = (await session.children(layout.audit)) ?? [];
    const today = names.filter((name) => dayOfDirectory(name) === dayOf(nowMs)).sort();
    const last = today.at(-1) ?? auditDirectory(nowMs, 0);
    const found = await session.children(layout.auditDirectory(last));
    const isFull = (found?.length ?? 0) >= AUDIT_NODES_MAX;
    const directory = isFull ? auditDirectory(nowMs, numberOfDirectory(last) + 1) : last;
    if (found === undefined || isFull) await make(session, [layout.audit, layout.auditDirectory(directory)]);
    this.#directory = directory;
    this.#left = COUNT_AGAIN;
  }

  /** The note of a transaction, for the directory that was opened last. */
  ops(layout: Layout, nowMs: EpochMs, maker: () => string, principal: string, lines: readonly AuditLine[]): Op[] {
    if (lines.length === 0) return [];
    this.#left--;
    const directory = this.#directory ?? auditDirectory(nowMs, 0);
    return auditOps(`${layout.auditDirectory(directory)}/${auditName(nowMs, maker())}`, principal, lines);
  }

  /** A write was refused: perhaps the directory is gone, with its namespace. */
  forget(): void {
    this.#directory = undefined;
  }
}

async function make(session: Session, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (let attempt = 1; (await session.get(path)) === undefined; attempt++) {
      try {
        await session.multi([{ op: 'create', path, data: '' }]);
      } catch (error) {
        const isHarmless = isRefused(error, 'node-exists') || isCronkeeperError(error, 'outcome-unknown');
        if (!isHarmless || attempt === MAKE_ATTEMPTS_MAX) throw error;
      }
    }
  }
}

/** What is asked for, checked. */
interface Wanted {
  readonly taskId: string | undefined;
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly limit: number;
  readonly after: Position | undefined;
}

/** The last entry of the page before: the node, and which of its lines. */
interface Position {
  readonly name: string;
  readonly line: number;
}

/** Newest first; within one transaction in the order in which it changed them. @throws CronkeeperError `invalid` */
export async function listAudit(
  session: Session,
  layout: Layout,
  { taskId, from, to, cursor }: AuditOptions,
  limit: number,
): Promise<{ readonly items: AuditEntry[]; readonly cursor?: string }> {
  const wanted: Wanted = {
    taskId,
    limit,
    fromMs: from === undefined ? -Infinity : instantOf('from', from),
    untilMs: to === undefined ? Infinity : instantOf('to', to),
    after: cursor === undefined ? undefined : positionOf(cursor),
  };
  const items: AuditEntry[] = [];
  let reads = 0;
  let last: Position | undefined;
  for await (const paths of nodesOf(session, layout, wanted)) {
    const nodes = await session.getMany(paths);
    for (const [i, path] of paths.entries()) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      for (const [line, entry] of decodeAudit(name, nodes[i]?.data ?? '').entries()) {
        if (name === wanted.after?.name && line <= wanted.after.line) continue;
        if (taskId !== undefined && entry.taskId !== taskId) continue;
        items.push(entry);
        last = { name, line };
        if (items.length === limit) return { items, cursor: cursorAt(last) };
      }
      last = { name, line: Number.MAX_SAFE_INTEGER };
    }
    reads += paths.length;
    if (reads >= READS_MAX && last !== undefined) return { items, cursor: cursorAt(last) };
  }
  return { items };
}

/** Paths of the nodes that may hold what is wanted, the newest first: all directories of a day are one list. */
async function* nodesOf(session: Session, layout: Layout, wanted: Wanted): AsyncGenerator<string[], void> {
  const { fromMs, untilMs, after } = wanted;
  const latestMs = Math.min(untilMs, after === undefined ? Infinity : madeMs(after.name));
  const directories = (await session.children(layout.audit)) ?? [];
  const days = [...new Set(directories.map(dayOfDirectory))].sort().reverse();
  for (const day of days) {
    if (day < dayOf(fromMs) || (Number.isFinite(latestMs) && day > dayOf(latestMs))) continue;
    const ofDay = directories.filter((name) => dayOfDirectory(name) === day);
    const listed = await Promise.all(
      ofDay.map(async (directory) => ({
        directory,
        names: (await session.children(layout.auditDirectory(directory))) ?? [],
      })),
    );
    const nodes = listed
      .flatMap(({ directory, names }) =>
        names.map((name) => ({ name, path: `${layout.auditDirectory(directory)}/${name}` })),
      )
      .filter(
        ({ name }) => madeMs(name) >= fromMs && madeMs(name) <= untilMs && (after === undefined || name <= after.name),
      )
      .sort((a, b) => (a.name < b.name ? 1 : -1));
    for (let i = 0; i < nodes.length; i += READ_AT_A_TIME) {
      yield nodes.slice(i, i + READ_AT_A_TIME).map(({ path }) => path);
    }
  }
}

const cursorAt = ({ name, line }: Position): string => `${name}~${line}`;

function positionOf(cursor: string): Position {
  const [name = '', line = '', ...rest] = cursor.split('~');
  if (AUDIT_NAME_PATTERN.test(name) && /^\d{1,16}$/.test(line) && rest.length === 0)
    return { name, line: Number(line) };
  throw invalidRequest('cursor', cursor, 'the cursor of an earlier answer');
}

function instantOf(field: 'from' | 'to', text: string): EpochMs {
  try {
    return parseInstant(text);
  } catch {
    throw invalidRequest(field, text, 'an ISO 8601 instant with Z or an offset');
  }
}

function invalidRequest(field: string, value: unknown, allowed: string): CronkeeperError {
  const message = `received ${received(value)}; allowed: ${allowed}`;
  return new CronkeeperError('invalid', `invalid request: ${field}: ${message}`, { problems: [{ field, message }] });
}

export interface AuditSweepOptions {
  readonly nowMs: EpochMs;
  /** Whether there is time for another step. */
  readonly leaves: () => boolean;
}

/** Removes what is beyond its days, a part at a time, under the lease. What is refused is left to the next tick. */
export async function sweepAudit(
  session: Session,
  layout: Layout,
  lease: Lease | undefined,
  { nowMs, leaves }: AuditSweepOptions,
): Promise<void> {
  if (lease === undefined || !leaves()) return;
  try {
    let removed = 0;
    for (const name of expiredDirectories((await session.children(layout.audit)) ?? [], nowMs)) {
      const directory = layout.auditDirectory(name);
      const paths = ((await session.children(directory)) ?? []).map((node) => `${directory}/${node}`);
      while (paths.length > 0) {
        if (removed >= REMOVED_MAX || !leaves()) return;
        const some = paths.splice(0, REMOVED_AT_A_TIME);
        await session.multi([...lease.guard, ...some.map((path): Op => ({ op: 'remove', path }))]);
        removed += some.length;
      }
      await session.multi([...lease.guard, { op: 'remove', path: directory }]);
    }
  } catch (error) {
    if (!isRefused(error) && !isCronkeeperError(error, 'outcome-unknown')) throw error;
  }
}

/** The table of sessions: who they belong to, and until when they live unless they are heard of again. */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import { row, rows } from './database.ts';
import type { SessionId } from './tree.ts';

/** A process, as far as another one can ask the system about it. */
export interface Home {
  /** Process numbers mean something only within it. */
  readonly host: string;
  readonly pid: number;
}

export function thisProcess(): Home {
  return { host: `${hostname()} ${processNamespace()}`, pid: process.pid };
}

/** Containers may share a file and a host name, and yet not see each other's processes. Empty where there are none. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Whether the process of `home` has ended for certain. A number that was given away again looks alive. */
function hasEnded(home: Home, here: Home): boolean {
  if (home.host !== here.host || home.pid === here.pid) return false;
  try {
    process.kill(home.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function prepare(database: DatabaseSync) {
  const statement = (sql: string) => database.prepare(sql);
  return {
    add: statement('INSERT INTO sessions (timeout_ms, deadline_ms, host, pid) VALUES (?, ?, ?, ?)'),
    isKnown: statement('SELECT 1 FROM sessions WHERE id = ?'),
    overdue: statement('SELECT id FROM sessions WHERE deadline_ms <= ? ORDER BY id'),
    homes: statement('SELECT id, host, pid FROM sessions ORDER BY id'),
    earliest: statement('SELECT min(deadline_ms) AS deadline FROM sessions'),
    renew: statement('UPDATE sessions SET deadline_ms = ? + timeout_ms WHERE id = ?'),
    shorten: statement('UPDATE sessions SET deadline_ms = ?1 + timeout_ms WHERE deadline_ms > ?1 + timeout_ms'),
    remove: statement('DELETE FROM sessions WHERE id = ?'),
  };
}

export class Sessions {
  readonly #sql: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    this.#sql = prepare(database);
  }

  add(timeoutMs: number, now: number, { host, pid }: Home): SessionId {
    return Number(this.#sql.add.run(timeoutMs, now + timeoutMs, host, pid).lastInsertRowid);
  }

  isKnown(id: SessionId): boolean {
    return row(this.#sql.isKnown, id) !== undefined;
  }

  /** Those that have not been heard of for their time-out. */
  overdue(now: number): SessionId[] {
    return rows<{ id: SessionId }>(this.#sql.overdue, now).map(({ id }) => id);
  }

  /** Those whose process has ended: nobody has to wait for their time-out. */
  orphaned(here: Home): SessionId[] {
    const homes = rows<Home & { id: SessionId }>(this.#sql.homes);
    return homes.filter((home) => hasEnded(home, here)).map(({ id }) => id);
  }

  /** When the next one becomes overdue unless it is heard of. */
  earliestDeadline(): number {
    return row<{ deadline: number | null }>(this.#sql.earliest)?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Says that the session is alive. */
  renew(id: SessionId, now: number): void {
    this.#sql.renew.run(now, id);
  }

  /** After the clock was set back, no session may outlive its time-out by that. */
  shorten(now: number): void {
    this.#sql.shorten.run(now);
  }

  remove(id: SessionId): void {
    this.#sql.remove.run(id);
  }
}

/** The table of sessions. */
import type { DatabaseSync } from 'node:sqlite';
import type { Home, Sessions } from './sessions.ts';
import { row, rows } from './sql-database.ts';
import type { SessionId } from './tree.ts';

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

export class SqlSessions implements Sessions {
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

  overdue(now: number): SessionId[] {
    return rows<{ id: SessionId }>(this.#sql.overdue, now).map(({ id }) => id);
  }

  orphaned(here: Home): SessionId[] {
    const homes = rows<Home & { id: SessionId }>(this.#sql.homes);
    return homes.filter((home) => hasEnded(home, here)).map(({ id }) => id);
  }

  earliestDeadline(): number {
    return row<{ deadline: number | null }>(this.#sql.earliest)?.deadline ?? Number.POSITIVE_INFINITY;
  }

  renew(id: SessionId, now: number): void {
    this.#sql.renew.run(now, id);
  }

  shorten(now: number): void {
    this.#sql.shorten.run(now);
  }

  remove(id: SessionId): void {
    this.#sql.remove.run(id);
  }
}

/** The tree of nodes in its table, and what each operation does to it. */
import type { DatabaseSync } from 'node:sqlite';
import type { Op, OpResult } from '../../coordinator.ts';
import { isSequential } from '../limits.ts';
import { row, rows } from './sql-database.ts';
import {
  type Author,
  isEphemeral,
  type OpOf,
  pathOf,
  placeOf,
  Refusals,
  type SessionId,
  type StoredNode,
  sequenceText,
  sessionName,
  type Tree,
} from './tree.ts';

interface NodeRow {
  readonly id: number;
  readonly data: string;
  readonly version: number;
  readonly modified_ms: number;
  readonly owner: SessionId | null;
}

const AT = 'parent = ? AND name = ?';
const EXPECTED = '(? IS NULL OR version = ?)';

function prepare(database: DatabaseSync) {
  const statement = (sql: string) => database.prepare(sql);
  return {
    find: statement(`SELECT id, data, version, modified_ms, owner FROM nodes WHERE ${AT}`),
    children: statement('SELECT name FROM nodes WHERE parent = ?'),
    // One statement: nothing is made where the parent is missing or ephemeral, or the node exists.
    create: statement(`INSERT INTO nodes (parent, name, data, modified_ms, owner)
      SELECT ?, ?, ?, ?, ? FROM nodes WHERE ${AT} AND owner IS NULL ON CONFLICT DO NOTHING`),
    sequence: statement(`UPDATE nodes SET sequence = sequence + 1 WHERE ${AT} RETURNING sequence - 1 AS number`),
    set: statement(`UPDATE nodes SET data = ?, modified_ms = ?, version = version + 1
      WHERE ${AT} AND ${EXPECTED} RETURNING version`),
    remove: statement(`DELETE FROM nodes
      WHERE ${AT} AND ${EXPECTED} AND NOT EXISTS (SELECT 1 FROM nodes WHERE parent = ?)`),
    version: statement(`SELECT version FROM nodes WHERE ${AT}`),
    ownedBy: statement('SELECT parent, name FROM nodes WHERE owner = ? ORDER BY id'),
    removeOwnedBy: statement('DELETE FROM nodes WHERE owner = ?'),
  };
}

export class SqlTree implements Tree {
  readonly #sql: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    this.#sql = prepare(database);
  }

  find(path: string): StoredNode | undefined {
    const found = row<NodeRow>(this.#sql.find, ...placeOf(path));
    if (!found) return undefined;
    const { id, data, version, modified_ms: modifiedMs, owner } = found;
    return { id, node: { data, version, modifiedMs, ...(owner !== null && { owner: sessionName(owner) }) } };
  }

  children(path: string): string[] | undefined {
    const names = rows<{ name: string }>(this.#sql.children, path).map(({ name }) => name);
    return names.length > 0 || this.#version(path) !== undefined ? names : undefined;
  }

  apply(op: Op, opIndex: number, author: Author): OpResult {
    switch (op.op) {
      case 'create':
        return this.#create(op, author, opIndex);
      case 'set':
        return this.#set(op, author, opIndex);
      case 'remove':
        return this.#remove(op, opIndex);
      case 'check':
        return this.#check(op, opIndex);
    }
  }

  removeOwnedBy(session: SessionId): string[] {
    const owned = rows<{ parent: string; name: string }>(this.#sql.ownedBy, session);
    if (owned.length > 0) this.#sql.removeOwnedBy.run(session);
    return owned.map(({ parent, name }) => pathOf(parent, name));
  }

  #create(op: OpOf<'create'>, { session, nowMs }: Author, opIndex: number): OpResult {
    const [parent, prefix] = placeOf(op.path);
    const parentPlace = placeOf(parent);
    const name = isSequential(op) ? `${prefix}${this.#nextNumber(parentPlace)}` : prefix;
    const owner = isEphemeral(op) ? session : null;
    const { changes } = this.#sql.create.run(parent, name, op.data, nowMs, owner, ...parentPlace);
    const path = pathOf(parent, name);
    if (changes === 1) return { path, version: 0, modifiedMs: -1 };
    const refusals = new Refusals(opIndex);
    if (path === '/' || this.#version(path) !== undefined) throw refusals.exists(path);
    if (this.#version(parent) === undefined) throw refusals.hasNoParent(path);
    throw refusals.isEphemeral(parent);
  }

  #nextNumber(parent: Place): string {
    return sequenceText(row<{ number: number }>(this.#sql.sequence, ...parent)?.number ?? 0);
  }

  #set({ path, data, version }: OpOf<'set'>, { nowMs }: Author, opIndex: number): OpResult {
    const done = row<{ version: number }>(this.#sql.set, data, nowMs, ...placeOf(path), ...expected(version));
    if (!done) throw new Refusals(opIndex).mismatch(path, this.#version(path), version);
    return { path, version: done.version, modifiedMs: nowMs };
  }

  #remove({ path, version }: OpOf<'remove'>, opIndex: number): OpResult {
    const { changes } = this.#sql.remove.run(...placeOf(path), ...expected(version), path);
    if (changes === 1) return { path, version: -1, modifiedMs: -1 };
    this.#requireVersion(path, version, opIndex);
    throw new Refusals(opIndex).hasChildren(path);
  }

  #check({ path, version }: OpOf<'check'>, opIndex: number): OpResult {
    this.#requireVersion(path, version, opIndex);
    return { path, version: -1, modifiedMs: -1 };
  }

  #requireVersion(path: string, version: number | undefined, opIndex: number): void {
    const found = this.#version(path);
    if (found === undefined || (version !== undefined && found !== version)) {
      throw new Refusals(opIndex).mismatch(path, found, version);
    }
  }

  #version(path: string): number | undefined {
    return row<{ version: number }>(this.#sql.version, ...placeOf(path))?.version;
  }
}

/** Where a node is in the table. */
type Place = ReturnType<typeof placeOf>;

/** The values of {@link EXPECTED}. */
const expected = (version: number | undefined): [number | null, number | null] => [version ?? null, version ?? null];

/** The tree of nodes in its table, and what each operation does to it. Runs within the caller's transaction. */
import type { DatabaseSync } from 'node:sqlite';
import { CoordinatorError, type Node, type Op, type OpResult, type Refusal } from '../../coordinator.ts';
import { isSequential, SEQUENCE_DIGITS } from '../limits.ts';
import { row, rows } from './database.ts';

/** A session's id in the tables; its name to the outside is {@link sessionName}. */
export type SessionId = number;

/** Written as ZooKeeper writes them. */
export const sessionName = (id: SessionId): string => `0x${id.toString(16)}`;

/** A node, and its row's id: with the version it says whether anything happened to the node since. */
export interface StoredNode {
  readonly id: number;
  readonly node: Node;
}

/** Who does an operation, and when. */
export interface Author {
  readonly session: SessionId;
  readonly nowMs: number;
}

interface NodeRow {
  readonly id: number;
  readonly data: string;
  readonly version: number;
  readonly modified_ms: number;
  readonly owner: SessionId | null;
}

/** Where a node is in the table: the root's parent is the empty text. */
type Place = [parent: string, name: string];

function placeOf(path: string): Place {
  if (path === '/') return ['', ''];
  const slash = path.lastIndexOf('/');
  return [slash === 0 ? '/' : path.slice(0, slash), path.slice(slash + 1)];
}

const pathOf = ([parent, name]: Place): string => (parent === '/' ? `/${name}` : `${parent}/${name}`);

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
    version: statement(`SELECT version, owner FROM nodes WHERE ${AT}`),
    ownedBy: statement('SELECT parent, name FROM nodes WHERE owner = ? ORDER BY id'),
    removeOwnedBy: statement('DELETE FROM nodes WHERE owner = ?'),
  };
}

export class Tree {
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
    return names.length > 0 || this.#version(path) ? names : undefined;
  }

  /** Applies one operation, or throws why it is refused, having changed nothing but perhaps a sequence. */
  apply(op: Op, opIndex: number, author: Author): OpResult {
    const refuse: Refuse = (refusal, message) => new CoordinatorError('conflict', message, { refusal, opIndex });
    switch (op.op) {
      case 'create':
        return this.#create(op, author, refuse);
      case 'set':
        return this.#set(op, author, refuse);
      case 'remove':
        return this.#remove(op, refuse);
      case 'check':
        return this.#check(op, refuse);
    }
  }

  /** Removes the ephemerals of a session; gives their paths. */
  removeOwnedBy(session: SessionId): string[] {
    const owned = rows<{ parent: string; name: string }>(this.#sql.ownedBy, session);
    if (owned.length > 0) this.#sql.removeOwnedBy.run(session);
    return owned.map(({ parent, name }) => pathOf([parent, name]));
  }

  #create(op: Op & { op: 'create' }, { session, nowMs }: Author, refuse: Refuse): OpResult {
    const [parent, prefix] = placeOf(op.path);
    const parentPlace = placeOf(parent);
    const name = isSequential(op) ? `${prefix}${this.#nextNumber(parentPlace)}` : prefix;
    const owner = op.mode === 'ephemeral' || op.mode === 'ephemeral-sequential' ? session : null;
    const { changes } = this.#sql.create.run(parent, name, op.data, nowMs, owner, ...parentPlace);
    const path = pathOf([parent, name]);
    if (changes === 1) return { path, version: 0, modifiedMs: -1 };
    if (path === '/' || this.#version(path)) throw refuse('node-exists', `${path} exists already`);
    if (!this.#version(parent)) throw refuse('no-node', `${path} has no parent node`);
    throw refuse('no-children-for-ephemerals', `${parent} is ephemeral and has no children`);
  }

  #nextNumber(parent: Place): string {
    const { number } = row<{ number: number }>(this.#sql.sequence, ...parent) ?? { number: 0 };
    return String(number).padStart(SEQUENCE_DIGITS, '0');
  }

  #set({ path, data, version }: Op & { op: 'set' }, { nowMs }: Author, refuse: Refuse): OpResult {
    const done = row<{ version: number }>(this.#sql.set, data, nowMs, ...placeOf(path), ...expected(version));
    if (!done) throw this.#mismatch(path, version, refuse);
    return { path, version: done.version, modifiedMs: nowMs };
  }

  #remove({ path, version }: Op & { op: 'remove' }, refuse: Refuse): OpResult {
    const { changes } = this.#sql.remove.run(...placeOf(path), ...expected(version), path);
    if (changes === 1) return { path, version: -1, modifiedMs: -1 };
    throw this.#matches(path, version)
      ? refuse('not-empty', `${path} has children`)
      : this.#mismatch(path, version, refuse);
  }

  #check({ path, version }: Op & { op: 'check' }, refuse: Refuse): OpResult {
    if (!this.#matches(path, version)) throw this.#mismatch(path, version, refuse);
    return { path, version: -1, modifiedMs: -1 };
  }

  #version(path: string): { readonly version: number } | undefined {
    return row(this.#sql.version, ...placeOf(path));
  }

  #matches(path: string, version: number | undefined): boolean {
    const found = this.#version(path);
    return found !== undefined && (version === undefined || found.version === version);
  }

  #mismatch(path: string, version: number | undefined, refuse: Refuse): CoordinatorError {
    const found = this.#version(path);
    if (!found) return refuse('no-node', `${path} does not exist`);
    return refuse('bad-version', `${path} has version ${found.version}, not ${version}`);
  }
}

type Refuse = (refusal: Refusal, message: string) => CoordinatorError;

/** The values of {@link EXPECTED}. */
const expected = (version: number | undefined): [number | null, number | null] => [version ?? null, version ?? null];

/** The tree as a table of nodes by path, each with the names of its children. */
import type { Node, Op, OpResult } from '../../coordinator.ts';
import { isSequential } from '../limits.ts';
import type { Undo } from './storage.ts';
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

interface Entry {
  /** Replaced by every change, never changed itself: whoever has read it holds what it was. */
  stored: StoredNode;
  /** Undefined for a persistent node. */
  readonly owner: SessionId | undefined;
  /** The number of the next sequential child. */
  sequence: number;
  readonly children: Set<string>;
}

const NO_ANSWER = { version: -1, modifiedMs: -1 } as const;

export class MemoryTree implements Tree {
  readonly #changed: (undo: Undo) => void;
  readonly #entries = new Map<string, Entry>();
  /** Paths of ephemerals. */
  readonly #owned = new Map<SessionId, Set<string>>();
  #lastId = 0;

  constructor(changed: (undo: Undo) => void) {
    this.#changed = changed;
    this.#entries.set('/', this.#newEntry('', 0, undefined));
  }

  find(path: string): StoredNode | undefined {
    return this.#entries.get(path)?.stored;
  }

  /** In order, as the file has them: a simulated world must be the same each time. */
  children(path: string): string[] | undefined {
    const entry = this.#entries.get(path);
    return entry && [...entry.children].sort();
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
        this.#expected(op, opIndex);
        return { path: op.path, ...NO_ANSWER };
    }
  }

  removeOwnedBy(session: SessionId): string[] {
    const paths = [...(this.#owned.get(session) ?? [])];
    const idOf = (path: string) => this.#entries.get(path)?.stored.id ?? 0;
    paths.sort((one, other) => idOf(one) - idOf(other));
    for (const path of paths) this.#take(path);
    return paths;
  }

  #create(op: OpOf<'create'>, { session, nowMs }: Author, opIndex: number): OpResult {
    const [parentPath, prefix] = placeOf(op.path);
    const parent = this.#entries.get(parentPath);
    const name = isSequential(op) ? `${prefix}${sequenceText(this.#nextNumber(parent))}` : prefix;
    const path = op.path === '/' ? '/' : pathOf(parentPath, name);
    if (this.#entries.has(path)) throw new Refusals(opIndex).exists(path);
    if (parent === undefined) throw new Refusals(opIndex).hasNoParent(path);
    if (parent.owner !== undefined) throw new Refusals(opIndex).isEphemeral(parentPath);
    this.#put(path, this.#newEntry(op.data, nowMs, isEphemeral(op) ? session : undefined));
    this.#changed(() => void this.#drop(path));
    return { path, version: 0, modifiedMs: -1 };
  }

  #nextNumber(parent: Entry | undefined): number {
    if (parent === undefined) return 0;
    const number = parent.sequence++;
    this.#changed(() => {
      parent.sequence = number;
    });
    return number;
  }

  #set(op: OpOf<'set'>, { nowMs }: Author, opIndex: number): OpResult {
    const entry = this.#expected(op, opIndex);
    const before = entry.stored;
    const version = before.node.version + 1;
    entry.stored = { id: before.id, node: { ...before.node, data: kept(op.data), version, modifiedMs: nowMs } };
    this.#changed(() => {
      entry.stored = before;
    });
    return { path: op.path, version, modifiedMs: nowMs };
  }

  #remove(op: OpOf<'remove'>, opIndex: number): OpResult {
    if (this.#expected(op, opIndex).children.size > 0) throw new Refusals(opIndex).hasChildren(op.path);
    this.#take(op.path);
    return { path: op.path, ...NO_ANSWER };
  }

  /** The node of an operation, in the version that it names. */
  #expected({ path, version }: OpOf<'set' | 'remove' | 'check'>, opIndex: number): Entry {
    const entry = this.#entries.get(path);
    if (entry !== undefined && (version === undefined || entry.stored.node.version === version)) return entry;
    throw new Refusals(opIndex).mismatch(path, entry?.stored.node.version, version);
  }

  #take(path: string): void {
    const entry = this.#drop(path);
    if (entry !== undefined) this.#changed(() => this.#put(path, entry));
  }

  #newEntry(text: string, modifiedMs: number, owner: SessionId | undefined): Entry {
    const base = { data: kept(text), version: 0, modifiedMs };
    const node: Node = owner === undefined ? base : { ...base, owner: sessionName(owner) };
    return { stored: { id: ++this.#lastId, node }, owner, sequence: 0, children: new Set() };
  }

  #put(path: string, entry: Entry): void {
    const [parent, name] = placeOf(path);
    this.#entries.set(path, entry);
    this.#entries.get(parent)?.children.add(name);
    if (entry.owner === undefined) return;
    const owned = this.#owned.get(entry.owner);
    if (owned === undefined) this.#owned.set(entry.owner, new Set([path]));
    else owned.add(path);
  }

  #drop(path: string): Entry | undefined {
    const entry = this.#entries.get(path);
    const [parent, name] = placeOf(path);
    this.#entries.delete(path);
    this.#entries.get(parent)?.children.delete(name);
    if (entry?.owner === undefined) return entry;
    const owned = this.#owned.get(entry.owner);
    owned?.delete(path);
    if (owned?.size === 0) this.#owned.delete(entry.owner);
    return entry;
  }
}

/** Elsewhere text is kept as UTF-8, which has no place for half a character. */
const kept = (text: string): string => text.toWellFormed();

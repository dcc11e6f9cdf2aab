/** Who wants to be told once when a node changes. */
import { CoordinatorError } from '../../coordinator.ts';
import type { SessionId, StoredNode } from './tree.ts';

/** Across all sessions of one coordinator: a leak shows before it fills the memory. */
const WATCHES_MAX = 100_000;

/** What a node looked like when it was read: differs whenever anything has happened to it since. */
const stampOf = (found: StoredNode | undefined): string => (found ? `${found.id} ${found.node.version}` : '');

interface Watch {
  readonly session: SessionId;
  readonly path: string;
  readonly stamp: string;
  readonly onChange: () => void;
}

export class Watches {
  readonly #byPath = new Map<string, Set<Watch>>();
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Throws `too-large` when too many are waiting. */
  add(session: SessionId, path: string, found: StoredNode | undefined, onChange: () => void): void {
    if (this.#count >= WATCHES_MAX) {
      const message = `there are ${this.#count} watches; no more are allowed`;
      throw new CoordinatorError('too-large', message);
    }
    const watch = { session, path, stamp: stampOf(found), onChange };
    const there = this.#byPath.get(path);
    if (there) there.add(watch);
    else this.#byPath.set(path, new Set([watch]));
    this.#count += 1;
  }

  /** The node at `path` changed. */
  fire(path: string): void {
    for (const watch of this.#byPath.get(path) ?? []) this.#fire(watch);
  }

  /** The session ended, and with it everything that it waits for. */
  fireAllOf(session: SessionId): void {
    for (const watch of this.#all()) if (watch.session === session) this.#fire(watch);
  }

  /** Somebody else changed something: fires for every node that does not look any more as it did. */
  fireChanged(find: (path: string) => StoredNode | undefined): void {
    for (const watch of this.#all()) if (stampOf(find(watch.path)) !== watch.stamp) this.#fire(watch);
  }

  #all(): Watch[] {
    return [...this.#byPath.values()].flatMap((watches) => [...watches]);
  }

  #fire(watch: Watch): void {
    const there = this.#byPath.get(watch.path);
    if (!there?.delete(watch)) return;
    if (there.size === 0) this.#byPath.delete(watch.path);
    this.#count -= 1;
    // Not now: what it does, or throws, must not come between a commit and the answers to it.
    queueMicrotask(watch.onChange);
  }
}

/**
 * The watches of one session, in the place of the client's table: that one throws at event types it does not know,
 * and makes Node warn of a leak when eleven callers watch one path.
 *
 * After a reconnect the client asks this table for the paths and sets the watches again; the server then fires those
 * whose node changed in the meantime (`SetWatches` in ZooKeeper's protocol).
 */
import { CoordinatorError } from '../../coordinator.ts';

/** `data` watches a node that is there, `existence` one that is not. They are told apart to be set again. */
export type WatchKind = 'data' | 'existence';

export interface Watch {
  /** Makes the watch count, once the server has confirmed it. */
  arm(kind: WatchKind): void;
  /** The server could not be asked: the watch will never fire. */
  drop(): void;
}

/** All of them are sent in one packet after a reconnect, which must stay below the server's limit of 1 MiB. */
const WATCHES_MAX = 256;

const CHILDREN_CHANGED = 4;

interface Entry {
  readonly path: string;
  readonly onChange: () => void;
  kind: WatchKind | undefined;
}

export class Watches {
  readonly #entries = new Set<Entry>();

  /** @throws CoordinatorError `too-large` when the session has too many watches that have not fired yet. */
  add(path: string, onChange: () => void): Watch {
    if (this.#entries.size >= WATCHES_MAX) {
      throw new CoordinatorError('too-large', `watch ${path}: a session has at most ${WATCHES_MAX} watches`);
    }
    const entry: Entry = { path, onChange, kind: undefined };
    this.#entries.add(entry);
    return {
      arm: (kind) => {
        entry.kind = kind;
      },
      drop: () => this.#entries.delete(entry),
    };
  }

  /** The session has ended: nobody will hear of a change any more. */
  fireAll(): void {
    this.#fire(() => true);
  }

  /** Called by the client with every event from the server. */
  emit(event: { readonly type: number; readonly path: string }): void {
    if (event.type !== CHILDREN_CHANGED) this.#fire((entry) => entry.path === event.path);
  }

  isEmpty(): boolean {
    return this.#paths('data').length + this.#paths('existence').length === 0;
  }

  getDataWatcherPaths(): string[] {
    return this.#paths('data');
  }

  getExistenceWatcherPaths(): string[] {
    return this.#paths('existence');
  }

  getChildWatcherPaths(): string[] {
    return [];
  }

  #paths(kind: WatchKind): string[] {
    return [...new Set([...this.#entries].filter((entry) => entry.kind === kind).map(({ path }) => path))];
  }

  #fire(concerns: (entry: Entry) => boolean): void {
    for (const entry of this.#entries) {
      if (entry.kind === undefined || !concerns(entry)) continue;
      this.#entries.delete(entry);
      // On a stack of its own, so that an error in it cannot be taken for one of the connection.
      queueMicrotask(entry.onChange);
    }
  }
}

/** The tree of the embedded coordinator: what it is asked, and in which words it refuses. */
import { CoordinatorError, type Node, type Op, type OpResult, type Refusal } from '../../coordinator.ts';
import { SEQUENCE_DIGITS } from '../limits.ts';

/** A session's number; its name to the outside is {@link sessionName}. */
export type SessionId = number;

/** Written as ZooKeeper writes them. */
export const sessionName = (id: SessionId): string => `0x${id.toString(16)}`;

/** A node, and an id that is never given twice: with the version it says whether anything happened to the node since. */
export interface StoredNode {
  readonly id: number;
  readonly node: Node;
}

/** Who does an operation, and when. */
export interface Author {
  readonly session: SessionId;
  readonly nowMs: number;
}

/** Runs within the caller's transaction. */
export interface Tree {
  find(path: string): StoredNode | undefined;
  children(path: string): string[] | undefined;
  /** Applies one operation, or throws why it is refused, having changed nothing but perhaps a sequence. */
  apply(op: Op, opIndex: number, author: Author): OpResult;
  /** Removes the ephemerals of a session, the oldest first; gives their paths. */
  removeOwnedBy(session: SessionId): string[];
}

export type OpOf<Kind extends Op['op']> = Op & { readonly op: Kind };

export const isEphemeral = ({ mode }: OpOf<'create'>): boolean =>
  mode === 'ephemeral' || mode === 'ephemeral-sequential';

/** What a sequential create adds to its path. */
export const sequenceText = (number: number): string => String(number).padStart(SEQUENCE_DIGITS, '0');

/** The node that holds `path`, and the name of `path` in it. Of the root both are empty. */
export function placeOf(path: string): [parent: string, name: string] {
  if (path === '/') return ['', ''];
  const slash = path.lastIndexOf('/');
  return [slash === 0 ? '/' : path.slice(0, slash), path.slice(slash + 1)];
}

export const pathOf = (parent: string, name: string): string => (parent === '/' ? `/${name}` : `${parent}/${name}`);

/** Why one operation of a multi is not done. */
export class Refusals {
  readonly #opIndex: number;

  constructor(opIndex: number) {
    this.#opIndex = opIndex;
  }

  exists(path: string): CoordinatorError {
    return this.#of('node-exists', `${path} exists already`);
  }

  hasNoParent(path: string): CoordinatorError {
    return this.#of('no-node', `${path} has no parent node`);
  }

  isEphemeral(parent: string): CoordinatorError {
    return this.#of('no-children-for-ephemerals', `${parent} is ephemeral and has no children`);
  }

  hasChildren(path: string): CoordinatorError {
    return this.#of('not-empty', `${path} has children`);
  }

  /** `found`: the version that is there, undefined when the node is not. */
  mismatch(path: string, found: number | undefined, expected: number | undefined): CoordinatorError {
    if (found === undefined) return this.#of('no-node', `${path} does not exist`);
    return this.#of('bad-version', `${path} has version ${found}, not ${expected}`);
  }

  #of(refusal: Refusal, message: string): CoordinatorError {
    return new CoordinatorError('conflict', message, { refusal, opIndex: this.#opIndex });
  }
}

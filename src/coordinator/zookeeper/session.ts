/** The session port spoken over a {@link Link}. */
import type { EpochMs } from '../../clock.ts';
import { isRefused, type Node, type Op, type OpResult, type Session } from '../../coordinator.ts';
import { assertPath } from '../limits.ts';
import { Link, type LinkOptions } from './link.ts';
import { absolute, ancestry } from './paths.ts';
import { decodeChildren, decodeChildrenMany, decodeExists, decodeMulti, decodeMultiRead, decodeNode } from './reply.ts';
import { childrenRequest, multiReadRequest, multiRequest, OP, readRequest, type Tree } from './request.ts';

/**
 * Nodes per multiRead. It bounds the request (paths of 2 × 512 characters of three bytes: below 1 MiB) and the reply
 * (64 MiB if every node were as large as it can be).
 */
const READS_PER_REQUEST = 256;
/** Directories per multiRead: the names in one of them may be many. */
const LISTS_PER_REQUEST = 32;
/** MultiReads on the way at the same time; where there is no multiRead, single reads. */
const MULTI_READS_IN_FLIGHT = 4;
const SINGLE_READS_IN_FLIGHT = 256;

/** What all sessions of one coordinator know of its servers. */
export interface Ensemble {
  /** Servers before 3.6 do not know multiRead, and cut the connection when asked: it is tried once, on connecting. */
  hasMultiRead: boolean;
}

export interface SessionOptions extends LinkOptions {
  readonly tree: Tree;
  readonly ensemble: Ensemble;
}

/** How many nodes are read by one request. */
interface MultiRead<T> {
  readonly type: typeof OP.getData | typeof OP.children;
  readonly decode: (frame: Buffer, paths: readonly string[]) => T[] | undefined;
  readonly perRequest: number;
}

/** Connects, and makes the chroot when it is missing. Leaves nothing behind when it rejects. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const session = new ZooKeeperSession(options);
  try {
    await session.established();
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

class ZooKeeperSession implements Session {
  readonly signal: AbortSignal;
  readonly #link: Link;
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#link = new Link(options);
    this.signal = this.#link.signal;
    this.signal.addEventListener('abort', () => options.watches.fireAll(), { once: true });
  }

  get id(): string {
    return this.#link.sessionId;
  }

  async established(): Promise<void> {
    await this.#link.established();
    const deadlineMs = this.#link.connectDeadlineMs;
    const [root] = await this.#getMany(['/'], deadlineMs);
    if (root === undefined) await this.#createRoot(deadlineMs);
  }

  async get(path: string, onChange?: () => void): Promise<Node | undefined> {
    assertPath(path);
    const deadlineMs = this.#link.deadline();
    return onChange === undefined ? this.#get(path, deadlineMs) : this.#getWatched(path, onChange, deadlineMs);
  }

  async getMany(paths: readonly string[]): Promise<(Node | undefined)[]> {
    for (const path of paths) assertPath(path);
    // A copy: it is read again later, whatever the caller does with its array meanwhile.
    return this.#getMany([...paths], this.#link.deadline());
  }

  async children(path: string): Promise<string[] | undefined> {
    assertPath(path);
    return this.#children(path, this.#link.deadline());
  }

  async childrenMany(paths: readonly string[]): Promise<(string[] | undefined)[]> {
    for (const path of paths) assertPath(path);
    const deadlineMs = this.#link.deadline();
    const many = { type: OP.children, decode: decodeChildrenMany, perRequest: LISTS_PER_REQUEST } as const;
    return this.#readMany([...paths], deadlineMs, many, (path) => this.#children(path, deadlineMs));
  }

  /** Encoded and submitted before the first `await`: two calls in a row reach the server in that order. */
  async multi(ops: readonly Op[]): Promise<OpResult[]> {
    if (ops.length === 0) {
      this.signal.throwIfAborted();
      return [];
    }
    const { tree } = this.#options;
    const sent = [...ops]; // the reply is read with these, whatever the caller does with its array meanwhile
    const request = multiRequest(sent, tree);
    return this.#link.exchange(request, (frame) => decodeMulti(frame, sent, tree.root), this.#link.deadline());
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #getMany(paths: readonly string[], deadlineMs: EpochMs): Promise<(Node | undefined)[]> {
    const many = { type: OP.getData, decode: decodeMultiRead, perRequest: READS_PER_REQUEST } as const;
    return this.#readMany(paths, deadlineMs, many, (path) => this.#get(path, deadlineMs));
  }

  #children(path: string, deadlineMs: EpochMs): Promise<string[] | undefined> {
    return this.#link.exchangeIdempotent(
      () => childrenRequest(this.#absolute(path)),
      (frame) => decodeChildren(frame, path),
      deadlineMs,
    );
  }

  #get(path: string, deadlineMs: EpochMs): Promise<Node | undefined> {
    return this.#link.exchangeIdempotent(
      () => readRequest(OP.getData, this.#absolute(path)),
      (frame) => decodeNode(frame, path),
      deadlineMs,
    );
  }

  /** `getData` sets no watch where there is no node; `exists` does. If the node comes between the two, once more. */
  async #getWatched(path: string, onChange: () => void, deadlineMs: EpochMs): Promise<Node | undefined> {
    const fullPath = this.#absolute(path);
    const watch = this.#options.watches.add(fullPath, onChange);
    const getData = () =>
      this.#link.exchangeIdempotent(
        () => readRequest(OP.getData, fullPath, true),
        (frame) => {
          const node = decodeNode(frame, path);
          if (node !== undefined) watch.arm('data');
          return node;
        },
        deadlineMs,
      );
    const exists = () =>
      this.#link.exchangeIdempotent(
        () => readRequest(OP.exists, fullPath, true),
        (frame) => {
          const found = decodeExists(frame, path);
          if (!found) watch.arm('existence');
          return found;
        },
        deadlineMs,
      );
    try {
      for (;;) {
        const node = await getData();
        if (node !== undefined || !(await exists())) return node;
      }
    } catch (error) {
      watch.drop();
      throw error;
    }
  }

  /** By multiRead, or one by one where the servers do not know it. */
  async #readMany<T>(
    paths: readonly string[],
    deadlineMs: EpochMs,
    { type, decode, perRequest }: MultiRead<T>,
    readOne: (path: string) => Promise<T>,
  ): Promise<T[]> {
    if (this.#options.ensemble.hasMultiRead) {
      const parts = Array.from({ length: Math.ceil(paths.length / perRequest) }, (_, part) =>
        paths.slice(part * perRequest, (part + 1) * perRequest),
      );
      const results = await mapLimited(parts, MULTI_READS_IN_FLIGHT, (part) =>
        this.#link.exchangeIdempotent(
          () =>
            multiReadRequest(
              type,
              part.map((path) => this.#absolute(path)),
            ),
          (frame) => decode(frame, part),
          deadlineMs,
        ),
      );
      if (results.every((part) => part !== undefined)) return results.flat();
      this.#options.ensemble.hasMultiRead = false;
    }
    return mapLimited(paths, SINGLE_READS_IN_FLIGHT, readOne);
  }

  /** Only what is missing is created: whoever may not write above the chroot may still use it. */
  async #createRoot(deadlineMs: EpochMs): Promise<void> {
    const { acl, root } = this.#options.tree;
    for (const path of ancestry(root)) {
      const found = await this.#link.exchangeIdempotent(
        () => readRequest(OP.exists, path),
        (frame) => decodeExists(frame, path),
        deadlineMs,
      );
      if (found) continue;
      const ops: readonly Op[] = [{ op: 'create', path, data: '' }];
      await this.#link
        .exchangeIdempotent(
          () => multiRequest(ops, { root: '', acl }),
          (frame) => decodeMulti(frame, ops, ''),
          deadlineMs,
        )
        .catch((error: unknown) => {
          if (!isRefused(error, 'node-exists')) throw error;
        });
    }
  }

  #absolute(path: string): string {
    return absolute(this.#options.tree.root, path);
  }
}

/** Like `Promise.all(items.map(map))` with at most `limit` of them begun; the first failure stops the rest. */
async function mapLimited<T, R>(items: readonly T[], limit: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  // A generator, since all workers share its end: a `for` loop that is left by an error closes it.
  const left = (function* () {
    yield* items.entries();
  })();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

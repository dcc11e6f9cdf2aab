/**
 * What ZooKeeper's server is to its clients, in this process: it keeps the tree, the sessions and the watches of one
 * file or one memory, and decides when a session has ended. Several processes may each have one on the same file.
 */
import { atEndOfTurn, type Cancel, type Clock } from '../../clock.ts';
import { CoordinatorError, type Node, type Op, type OpResult } from '../../coordinator.ts';
import { isCronkeeperError } from '../../errors.ts';
import { CommitQueue, type Work } from './commits.ts';
import type { Home, Sessions } from './sessions.ts';
import type { Storage } from './storage.ts';
import { type SessionId, type StoredNode, sessionName, type Tree } from './tree.ts';
import { Watches } from './watches.ts';

export interface ServerOptions {
  readonly storage: Storage;
  /** The file; undefined for memory. */
  readonly path: string | undefined;
  readonly home: Home;
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  /** How often to look for what other processes changed, while there are watches. */
  readonly pollIntervalMs: number;
}

/** A session that this process keeps alive. */
interface Guest {
  readonly timeoutMs: number;
  renewedAtMs: number;
  isSilent: boolean;
  /** Told once, when the session has ended for whatever reason. */
  onEnd(reason: CoordinatorError): void;
}

/** A session that ended within a transaction, and the paths of its ephemerals. */
interface Ended {
  readonly id: SessionId;
  readonly paths: readonly string[];
  readonly why: string;
}

/** Three signs of life within a time-out: two may be late before it is missed. As ZooKeeper's clients do. */
const RENEWALS_PER_TIMEOUT = 3;

/** How often to look for sessions of other processes that have ended. It costs a read, not a commit. */
const SWEEP_INTERVAL_MS = 500;

/** All that is known when a session's row is gone. */
const ENDED_ELSEWHERE = 'it expired, or was ended by somebody else';

/** Reads in one piece of work, so that a long list does not hold up everybody else. */
const READS_PER_WORK = 1_000;
/** Lists of children in one piece of work: each may be long. */
const LISTS_PER_WORK = 32;

export class Server {
  readonly #options: ServerOptions;
  readonly #tree: Tree;
  readonly #sessions: Sessions;
  readonly #queue: CommitQueue;
  readonly #watches = new Watches();
  readonly #guests = new Map<SessionId, Guest>();
  #seenForeignChanges: number | undefined;
  #cancelPulse: Cancel | undefined;
  #cancelPoll: Cancel | undefined;

  constructor(options: ServerOptions) {
    const { storage, path, clock, operationTimeoutMs } = options;
    const { transaction } = storage;
    this.#options = options;
    this.#tree = storage.tree;
    this.#sessions = storage.sessions;
    const upkeep = { isDue: () => this.#sessions.overdue(this.#time()).length > 0, run: () => this.#endOverdue() };
    // In memory there is no fsync to share, and nothing but promises may decide the order: it is a simulator's world.
    const afterThisTurn = path === undefined ? queueMicrotask : atEndOfTurn;
    this.#queue = new CommitQueue({ transaction, path, clock, upkeep, operationTimeoutMs, afterThisTurn });
  }

  /** Begins a session and keeps it alive; `onEnd` is called once, when it has ended for whatever reason. */
  async connect(timeoutMs: number, onEnd: (reason: CoordinatorError) => void): Promise<SessionId> {
    const { clock, home } = this.#options;
    const { id } = await this.#queue.submit({
      writes: true,
      run: () => ({ ended: this.#endOrphans(), id: this.#sessions.add(timeoutMs, this.#time(), home) }),
      committed: ({ ended, id }) => {
        this.#announce(ended);
        this.#guests.set(id, { timeoutMs, renewedAtMs: clock.elapsed(), isSilent: false, onEnd });
        this.#armPulse();
      },
    });
    return id;
  }

  async get(session: SessionId, path: string, onChange?: () => void): Promise<Node | undefined> {
    const watch = (found: StoredNode | undefined) => {
      if (!onChange) return;
      this.#watches.add(session, path, found, onChange);
      this.#armPoll();
    };
    const found = await this.#read(session, () => this.#tree.find(path), watch);
    return found?.node;
  }

  getMany(session: SessionId, paths: readonly string[]): Promise<(Node | undefined)[]> {
    return this.#readMany(session, paths, READS_PER_WORK, (path) => this.#tree.find(path)?.node);
  }

  children(session: SessionId, path: string): Promise<string[] | undefined> {
    return this.#read(session, () => this.#tree.children(path));
  }

  childrenMany(session: SessionId, paths: readonly string[]): Promise<(string[] | undefined)[]> {
    return this.#readMany(session, paths, LISTS_PER_WORK, (path) => this.#tree.children(path));
  }

  multi(session: SessionId, ops: readonly Op[]): Promise<OpResult[]> {
    const run = () => {
      const author = { session, nowMs: Math.floor(this.#options.clock.now()) };
      return ops.map((op, opIndex) => this.#tree.apply(op, opIndex, author));
    };
    const committed = (results: OpResult[]) => {
      for (const [index, { path }] of results.entries()) if (ops[index]?.op !== 'check') this.#watches.fire(path);
    };
    return this.#call(session, { writes: true, run, committed });
  }

  /** Ends a session, of this process or another, with its ephemerals. */
  async end(session: SessionId, why: string): Promise<void> {
    await this.#queue.submit({
      writes: true,
      run: () => [this.#end(session, why)],
      committed: (ended) => this.#announce(ended),
    });
  }

  /** Ends a session of this process. When that cannot be written down, it lives on without us until its time-out. */
  async leave(session: SessionId): Promise<void> {
    const why = 'it was closed';
    try {
      await this.end(session, why);
    } catch {
      this.#sayGoodbye(session, lost(session, why));
    }
  }

  /** Gives no signs of life for a session until the returned function is called, or it has expired. */
  silence(session: SessionId): () => void {
    const hold = (isSilent: boolean) => {
      const guest = this.#guests.get(session);
      if (!guest) return;
      guest.isSilent = isSilent;
      this.#armPulse();
    };
    hold(true);
    return () => hold(false);
  }

  async close(): Promise<void> {
    // What was submitted before comes first; a session that is being opened is then known, and closed too.
    await this.#queue.submit({ writes: false, run: () => {} }).catch(() => {});
    await Promise.all([...this.#guests.keys()].map((id) => this.leave(id)));
    this.#cancelPulse?.();
    this.#cancelPoll?.();
    this.#options.storage.close();
  }

  async #readMany<T>(
    session: SessionId,
    paths: readonly string[],
    perWork: number,
    readOne: (path: string) => T,
  ): Promise<T[]> {
    const parts: Promise<T[]>[] = [];
    for (let start = 0; start < paths.length; start += perWork) {
      const part = paths.slice(start, start + perWork);
      parts.push(this.#read(session, () => part.map(readOne)));
    }
    return (await Promise.all(parts)).flat();
  }

  #read<T>(session: SessionId, run: () => T, committed: (value: T) => void = () => {}): Promise<T> {
    return this.#call(session, { writes: false, run, committed });
  }

  async #call<T>(session: SessionId, { writes, run, committed }: Required<Work<T>>): Promise<T> {
    const known = () => {
      if (!this.#sessions.isKnown(session)) throw lost(session, ENDED_ELSEWHERE);
      return run();
    };
    try {
      return await this.#queue.submit({ writes, run: known, committed });
    } catch (error) {
      if (isCronkeeperError(error, 'session-lost')) this.#sayGoodbye(session, error as CoordinatorError);
      throw error;
    }
  }

  /**
   * The time that deadlines of sessions are in. Processes have only the wall clock in common; when it jumps ahead,
   * sessions end early, which fences them, and when it jumps back, they are shortened. Memory has no such trouble.
   */
  #time(): number {
    const { path, clock } = this.#options;
    return path === undefined ? clock.elapsed() : clock.now();
  }

  #end(id: SessionId, why: string): Ended {
    const paths = this.#tree.removeOwnedBy(id);
    this.#sessions.remove(id);
    return { id, paths, why };
  }

  #endOverdue(): () => void {
    const why = 'it was not heard of for its time-out';
    const ended = this.#sessions.overdue(this.#time()).map((id) => this.#end(id, why));
    return () => this.#announce(ended);
  }

  #endOrphans(): Ended[] {
    return this.#sessions.orphaned(this.#options.home).map((id) => this.#end(id, 'its process has ended'));
  }

  #announce(ended: readonly Ended[]): void {
    for (const { id, paths, why } of ended) {
      for (const path of paths) this.#watches.fire(path);
      this.#sayGoodbye(id, lost(id, why));
    }
  }

  #sayGoodbye(id: SessionId, reason: CoordinatorError): void {
    const guest = this.#guests.get(id);
    if (!guest) return;
    this.#guests.delete(id);
    this.#watches.fireAllOf(id);
    guest.onEnd(reason);
  }

  /** Sets the timer for the next thing that is due for any session; none when nobody is here. */
  #armPulse(): void {
    this.#cancelPulse?.();
    if (this.#guests.size === 0) return;
    const { clock, path } = this.#options;
    const renewals = [...this.#guests.values()].filter(({ isSilent }) => !isSilent).map(renewalDueMs);
    const delayMs = Math.min(
      path === undefined ? this.#sessions.earliestDeadline() - this.#time() : SWEEP_INTERVAL_MS,
      ...renewals.map((dueMs) => dueMs - clock.elapsed()),
    );
    const beat = () => void this.#beat();
    this.#cancelPulse = clock.after(Math.max(1, Math.ceil(delayMs)), beat, { background: true });
  }

  async #beat(): Promise<void> {
    try {
      if (this.#isBeatNeeded()) {
        await this.#queue.submit({
          writes: true,
          run: () => this.#renew(),
          committed: ({ ended, renewed }) => {
            this.#announce(ended);
            for (const guest of renewed) guest.renewedAtMs = this.#options.clock.elapsed();
          },
        });
      }
    } catch {
      // The file is locked or failing: the next beat tries again, and the deadlines decide in the meantime.
    }
    this.#armPulse();
  }

  #isBeatNeeded(): boolean {
    const nowMs = this.#options.clock.elapsed();
    const isDue = ([id, guest]: [SessionId, Guest]) =>
      (!guest.isSilent && renewalDueMs(guest) <= nowMs) || !this.#sessions.isKnown(id);
    return (
      [...this.#guests].some(isDue) ||
      this.#sessions.overdue(this.#time()).length > 0 ||
      this.#sessions.orphaned(this.#options.home).length > 0
    );
  }

  /** A sign of life for every session of this process, unless it turns out to have ended. */
  #renew(): { ended: Ended[]; renewed: Guest[] } {
    const ended = this.#endOrphans();
    const renewed: Guest[] = [];
    this.#sessions.shorten(this.#time());
    for (const [id, guest] of this.#guests) {
      if (!this.#sessions.isKnown(id)) ended.push({ id, paths: [], why: ENDED_ELSEWHERE });
      else if (!guest.isSilent) {
        this.#sessions.renew(id, this.#time());
        renewed.push(guest);
      }
    }
    return { ended, renewed };
  }

  /** Other processes announce nothing: as long as somebody watches, look whether they wrote. */
  #armPoll(): void {
    const { path, clock, pollIntervalMs } = this.#options;
    if (path === undefined || this.#cancelPoll || this.#watches.isEmpty) return;
    const look = () => {
      this.#cancelPoll = undefined;
      this.#look();
      this.#armPoll();
    };
    this.#cancelPoll = clock.after(pollIntervalMs, look, { background: true });
  }

  #look(): void {
    try {
      const changes = this.#options.storage.foreignChanges();
      if (changes === this.#seenForeignChanges) return;
      this.#watches.fireChanged((path) => this.#tree.find(path));
      this.#seenForeignChanges = changes;
    } catch {
      // Locked or failing: what is missed now is found by the next look, which compares again.
    }
  }
}

const renewalDueMs = ({ renewedAtMs, timeoutMs }: Guest): number => renewedAtMs + timeoutMs / RENEWALS_PER_TIMEOUT;

const lost = (id: SessionId, why: string): CoordinatorError =>
  new CoordinatorError('session-lost', `the session ${sessionName(id)} has ended: ${why}`);

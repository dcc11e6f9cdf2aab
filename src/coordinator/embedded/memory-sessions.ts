/** The sessions of one process, which end with it. */
import type { Sessions } from './sessions.ts';
import type { Undo } from './storage.ts';
import type { SessionId } from './tree.ts';

interface Entry {
  readonly timeoutMs: number;
  readonly deadlineMs: number;
}

export class MemorySessions implements Sessions {
  readonly #changed: (undo: Undo) => void;
  readonly #entries = new Map<SessionId, Entry>();
  #lastId = 0;

  constructor(changed: (undo: Undo) => void) {
    this.#changed = changed;
  }

  add(timeoutMs: number, now: number): SessionId {
    const id = ++this.#lastId;
    this.#put(id, { timeoutMs, deadlineMs: now + timeoutMs });
    return id;
  }

  isKnown(id: SessionId): boolean {
    return this.#entries.has(id);
  }

  overdue(now: number): SessionId[] {
    const ids: SessionId[] = [];
    for (const [id, { deadlineMs }] of this.#entries) if (deadlineMs <= now) ids.push(id);
    return ids.sort((one, other) => one - other);
  }

  /** None outlives its process. */
  orphaned(): SessionId[] {
    return [];
  }

  earliestDeadline(): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#entries.values()) earliestMs = Math.min(earliestMs, deadlineMs);
    return earliestMs;
  }

  renew(id: SessionId, now: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#put(id, { ...entry, deadlineMs: now + entry.timeoutMs });
  }

  /** The monotonic clock, which is the one that counts in memory, is never set back. */
  shorten(): void {}

  remove(id: SessionId): void {
    this.#put(id, undefined);
  }

  #put(id: SessionId, entry: Entry | undefined): void {
    const before = this.#entries.get(id);
    this.#write(id, entry);
    this.#changed(() => this.#write(id, before));
  }

  #write(id: SessionId, entry: Entry | undefined): void {
    if (entry === undefined) this.#entries.delete(id);
    else this.#entries.set(id, entry);
  }
}

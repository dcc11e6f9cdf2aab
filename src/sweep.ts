/**
 * Removes code that no task names any more: mark and sweep with a trash between, a few steps per tick. Where it stands
 * is in the coordinator, and every write is guarded by one shard's lease, so any successor goes on with it.
 *
 * 1. Code that hints of past days name is *moved* to the trash; when all of it is there, a cursor begins a pass.
 * 2. The pass reads every record, and brings back what one names.
 * 3. When it has seen them all, what is left in the trash goes, and then the cursor.
 *
 * Why nothing is lost: a put checks its code's node, or creates it. One that committed before the move is seen by the
 * pass, which begins after; one that comes after it finds no node, and creates it anew.
 */
import { expiredDirectories } from './audit.ts';
import { sweepAudit } from './audit-trail.ts';
import type { EpochMs } from './clock.ts';
import { isRefused, type Op, type Session } from './coordinator.ts';
import { isCronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';
import type { Lease } from './lease.ts';
import {
  CODE_GRACE_MS,
  type Cursor,
  decodeCursor,
  dueHints,
  encodeCursor,
  hashesIn,
  hintOps,
  isOver,
  LOOK_AGAIN_MS,
  type Naming,
  namedBy,
  START,
} from './retention.ts';
import { bucketNames } from './shard.ts';

/** The holder of this shard sweeps. */
export const SWEEPING_SHARD = 0;

/** What one step may take; none begins when the tick has less time left. */
export const SWEEP_STEP_MS = 1_000;

/** Hashes in the trash at a time, about: a hint more or less. */
export const TRASH_MAX = 1_024;

/** Hints of one pass. */
const HINTS_MAX = 512;

/** Sources that one tick moves, and that it reads at a time. */
const MOVES_MAX = 256;
const MOVED_AT_A_TIME = 16;

/** Bytes of one move: well below what a coordinator takes in one multi. */
const MOVE_BYTES_MAX = 256 * 1024;

/** Nodes that one tick reads in a pass, and records that are read between two writes of the cursor. */
export const READS_MAX = 2_000;
const READ_AT_A_TIME = 50;

/** Nodes of the trash that one transaction removes. */
const EMPTIED_AT_A_TIME = 256;

export interface SweepOptions {
  readonly nowMs: EpochMs;
  /** Whether there is time for another step. */
  readonly leaves: () => boolean;
  readonly graceMs?: number;
  readonly readsMax?: number;
}

/** The nodes whose children tell whether there is anything to sweep. */
export const sweepable = ({ root, dropped, audit }: Layout): readonly [string, string, string] => [
  root,
  dropped,
  audit,
];

/** Whether there is, by the names of those children: nobody who has looked need look again. */
export function isSweepable(
  layout: Layout,
  [root, dropped, audit]: readonly (string[] | undefined)[],
  nowMs: EpochMs,
): boolean {
  const isUnderWay = root?.some((name) => `${layout.root}/${name}` === layout.sweep) === true;
  const isDropped = dueHints(dropped ?? [], nowMs, CODE_GRACE_MS).length > 0;
  return isUnderWay || isDropped || expiredDirectories(audit ?? [], nowMs).length > 0;
}

/** All that is swept: code that nothing names, and changes that are no longer kept. */
export async function sweepAll(session: Session, layout: Layout, lease: Lease | undefined, options: SweepOptions) {
  await sweepCode(session, layout, lease, options);
  await sweepAudit(session, layout, lease, options);
}

/** A few steps, under the lease; without one, none. What is refused or unknown is left to the next tick. */
export async function sweepCode(session: Session, layout: Layout, lease: Lease | undefined, options: SweepOptions) {
  if (lease === undefined || !options.leaves()) return;
  try {
    await new CodeSweep(session, layout, lease, options).go();
  } catch (error) {
    if (!isRefused(error) && !isCronkeeperError(error, 'outcome-unknown')) throw error;
  }
}

class CodeSweep {
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #lease: Lease;
  readonly #options: SweepOptions;
  #readsLeft: number;
  #hintsMade = 0;

  constructor(session: Session, layout: Layout, lease: Lease, options: SweepOptions) {
    this.#session = session;
    this.#layout = layout;
    this.#lease = lease;
    this.#options = options;
    this.#readsLeft = options.readsMax ?? READS_MAX;
  }

  async go(): Promise<void> {
    const [node, names] = await Promise.all([
      this.#session.get(this.#layout.sweep),
      this.#session.children(this.#layout.dropped),
    ]);
    let cursor = node === undefined ? await this.#begin(names ?? []) : decodeCursor(node.data);
    if (cursor === undefined) return;
    const trashed = new Set(await this.#session.children(this.#layout.trash));
    while (!isOver(cursor) && trashed.size > 0) {
      if (this.#readsLeft <= 0 || !this.#options.leaves()) return this.#write([this.#cursorAt(cursor)]);
      cursor = await this.#see(cursor, trashed);
    }
    await this.#empty([...trashed]);
  }

  /** Brings what is hinted at into the trash. The cursor, from which on the pass counts, once all of it is there. */
  async #begin(names: readonly string[]): Promise<Cursor | undefined> {
    const { nowMs, graceMs = CODE_GRACE_MS } = this.#options;
    const due = dueHints(names, nowMs, graceMs).slice(0, HINTS_MAX);
    if (due.length === 0) return undefined;
    const nodes = await this.#session.getMany(due.map((name) => this.#layout.hint(name)));
    const hashes = new Set<string>();
    const used: string[] = [];
    for (const [i, node] of nodes.entries()) {
      if (hashes.size >= TRASH_MAX) break;
      if (node === undefined) continue;
      used.push(due[i] as string);
      for (const hash of hashesIn(node.data)) hashes.add(hash);
    }
    if (!(await this.#moveAll([...hashes]))) return undefined;
    const removals = used.map((name): Op => ({ op: 'remove', path: this.#layout.hint(name) }));
    await this.#write([{ op: 'create', path: this.#layout.sweep, data: encodeCursor(START) }, ...removals]);
    return START;
  }

  /** Whether all is moved; a tick moves so many. */
  async #moveAll(hashes: readonly string[]): Promise<boolean> {
    // What an earlier tick has moved may have been put anew since: then both are there.
    const trashed = new Set(await this.#session.children(this.#layout.trash));
    let moved = 0;
    for (let from = 0; from < hashes.length; from += MOVED_AT_A_TIME) {
      if (moved >= MOVES_MAX || !this.#options.leaves()) return false;
      const some = hashes.slice(from, from + MOVED_AT_A_TIME);
      const nodes = await this.#session.getMany(some.map((hash) => this.#layout.code(hash)));
      let ops: Op[] = [];
      let bytes = 0;
      for (const [i, node] of nodes.entries()) {
        if (node === undefined) continue;
        const hash = some[i] as string;
        const own = Buffer.byteLength(node.data);
        if (bytes > 0 && bytes + own > MOVE_BYTES_MAX) {
          await this.#write(ops);
          [ops, bytes] = [[], 0];
        }
        const path = this.#layout.trashed(hash);
        ops.push({ op: 'remove', path: this.#layout.code(hash) });
        ops.push({ op: trashed.has(hash) ? 'set' : 'create', path, data: node.data });
        bytes += own;
        moved++;
      }
      if (ops.length > 0) await this.#write(ops);
    }
    return true;
  }

  /** Some records of the pass: what they name is brought back before the cursor moves on. */
  async #see({ bucket, after }: Cursor, trashed: Set<string>): Promise<Cursor> {
    const directory = this.#layout.taskBucket(bucketNames[bucket] as string);
    const left = ((await this.#session.children(directory)) ?? []).filter((id) => id > after).sort();
    const ids = left.slice(0, READ_AT_A_TIME);
    const nodes = await this.#session.getMany(ids.map((id) => this.#layout.task(id)));
    const named = new Map<string, Naming>();
    const chunks: string[] = [];
    for (const [i, node] of nodes.entries()) {
      const id = ids[i] as string;
      const found = namedBy(id, node?.data ?? '', trashed);
      for (const [hash, how] of found.hashes) if (named.get(hash) !== 'task') named.set(hash, how);
      const names = found.chunks ?? (await this.#session.children(this.#layout.task(id))) ?? [];
      chunks.push(...names.map((name) => `${this.#layout.task(id)}/${name}`));
    }
    for (let from = 0; from < chunks.length; from += READ_AT_A_TIME) {
      for (const node of await this.#session.getMany(chunks.slice(from, from + READ_AT_A_TIME))) {
        for (const hash of hashesIn(node?.data ?? '')) {
          if (trashed.has(hash) && !named.has(hash)) named.set(hash, 'history');
        }
      }
    }
    for (const [hash, how] of named) {
      await this.#restore(hash, how);
      trashed.delete(hash);
    }
    this.#readsLeft -= 1 + ids.length + chunks.length;
    const isLast = ids.length === left.length;
    const next = isLast ? { bucket: bucket + 1, after: '' } : { bucket, after: ids.at(-1) ?? '' };
    // Behind empty buckets it is written at the end of the steps.
    if (ids.length > 0 || isOver(next)) await this.#write([this.#cursorAt(next)]);
    return next;
  }

  async #restore(hash: string, how: Naming): Promise<void> {
    const [trash, code] = await this.#session.getMany([this.#layout.trashed(hash), this.#layout.code(hash)]);
    if (trash === undefined) return;
    const back: Op[] = code === undefined ? [{ op: 'create', path: this.#layout.code(hash), data: trash.data }] : [];
    const later = how === 'task' ? [] : this.#hintLater(hash);
    try {
      await this.#write([{ op: 'remove', path: this.#layout.trashed(hash) }, ...back, ...later]);
    } catch (error) {
      if (!isRefused(error, 'node-exists')) throw error;
      await this.#restore(hash, how); // somebody has put it just now: only the trash is left to be cleared
    }
  }

  #hintLater(hash: string): Op[] {
    const { shard, fence } = this.#lease;
    const maker = () => `${shard.toString(36)}.${fence.toString(36)}.${(this.#hintsMade++).toString(36)}`;
    return hintOps(this.#layout, this.#options.nowMs + LOOK_AGAIN_MS, maker, [hash]);
  }

  /** No record names what is in the trash now. */
  async #empty(hashes: readonly string[]): Promise<void> {
    for (let from = 0; from < hashes.length; from += EMPTIED_AT_A_TIME) {
      if (!this.#options.leaves()) return;
      const some = hashes.slice(from, from + EMPTIED_AT_A_TIME);
      await this.#write(some.map((hash) => ({ op: 'remove', path: this.#layout.trashed(hash) })));
    }
    await this.#write([{ op: 'remove', path: this.#layout.sweep }]);
  }

  #cursorAt(cursor: Cursor): Op {
    return { op: 'set', path: this.#layout.sweep, data: encodeCursor(cursor) };
  }

  async #write(ops: readonly Op[]): Promise<void> {
    await this.#session.multi([...this.#lease.guard, ...ops]);
  }
}

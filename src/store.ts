/** Reading task records, and the code they name: many at a time, with what cannot be understood kept apart. */
import type { Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import type { Program } from './evaluator.ts';
import type { Layout } from './layout.ts';
import { programOf } from './program.ts';
import type { TaskRecord } from './record.ts';
import { decodeForLaunch, decodeRecord } from './record-text.ts';

/** A record and the version that a change of it must find. */
export interface Loaded {
  readonly record: TaskRecord;
  readonly version: number;
}

/** What a task's node holds: a record, nothing, or something that must be left alone. */
export type Found = Loaded | CronkeeperError | undefined;

export const isLoaded = (found: Found): found is Loaded => found !== undefined && !(found instanceof CronkeeperError);

type Decode = (id: string, text: string) => TaskRecord;

export const loadRecords = (session: Session, layout: Layout, taskIds: readonly string[]): Promise<Found[]> =>
  load(session, layout, taskIds, decodeRecord);

/** For launches: they have no use for earlier runs, which stay unread. */
export const loadForLaunch = (session: Session, layout: Layout, taskIds: readonly string[]): Promise<Found[]> =>
  load(session, layout, taskIds, decodeForLaunch);

async function load(session: Session, layout: Layout, taskIds: readonly string[], decode: Decode): Promise<Found[]> {
  const nodes = await session.getMany(taskIds.map((id) => layout.task(id)));
  return nodes.map((node, i): Found => {
    if (node === undefined) return undefined;
    try {
      return { record: decode(taskIds[i] as string, node.data), version: node.version };
    } catch (error) {
      if (isCronkeeperError(error, 'corrupt')) return error;
      throw error;
    }
  });
}

/** Without their versions, for whoever only reads. */
export async function recordsOf(session: Session, layout: Layout, taskIds: readonly string[]) {
  const found = await loadRecords(session, layout, taskIds);
  return found.map((loaded) => (isLoaded(loaded) ? loaded.record : loaded));
}

/** Characters of source that a process keeps at hand. */
const CODE_CACHE_CHARS_MAX = 32 * 1024 * 1024;

/** Sources by hash. A hash never changes its meaning, so what is cached is right for ever. */
export class CodeCache {
  readonly #programs = new Map<string, Program>();
  #chars = 0;

  put(program: Program): void {
    if (this.#programs.has(program.hash)) return;
    this.#programs.set(program.hash, program);
    this.#chars += program.source.length;
    for (const [hash, { source }] of this.#programs) {
      if (this.#chars <= CODE_CACHE_CHARS_MAX) break;
      this.#programs.delete(hash);
      this.#chars -= source.length;
    }
  }

  /** Reads the sources that are not at hand. A hash whose node is missing or does not match has none in the answer. */
  async load(session: Session, layout: Layout, hashes: readonly string[]): Promise<Map<string, Program>> {
    const wanted = new Set(hashes);
    const found = new Map<string, Program>();
    const missing: string[] = [];
    for (const hash of wanted) {
      const program = this.#programs.get(hash);
      if (program === undefined) missing.push(hash);
      else found.set(hash, program);
    }
    if (missing.length === 0) return found;
    // What is moved between the first two looks, back from the trash, is found by the third.
    for (const place of [layout.code, layout.trashed, layout.code]) {
      const left = missing.filter((hash) => !found.has(hash));
      if (left.length === 0) break;
      const nodes = await session.getMany(left.map((hash) => place(hash)));
      for (const [i, node] of nodes.entries()) {
        const program = node === undefined ? undefined : programOf(node.data);
        if (program === undefined || program.hash !== left[i]) continue;
        this.put(program);
        found.set(program.hash, program);
      }
    }
    return found;
  }
}

/** Reads what is recorded, again and again, before tasks forget their oldest runs. */
import type { Cronkeeper } from '../../src/app.ts';
import type { Run } from '../../src/view.ts';
import { attemptKey, type SeenRun } from './evidence.ts';

/** Tasks that are read at a time. */
const AT_A_TIME = 10;

const REREADINGS_MAX = 3;

export class Harvest {
  readonly #keeper: Cronkeeper;
  readonly #limit: number;
  readonly #reaped: Map<string, { readonly runs: SeenRun[]; readonly keys: Set<string>; sinceMs: number }>;

  /** `limit`: runs that the tasks keep. */
  constructor(keeper: Cronkeeper, taskIds: readonly string[], limit: number) {
    this.#keeper = keeper;
    this.#limit = limit;
    this.#reaped = new Map(taskIds.map((id) => [id, { runs: [], keys: new Set(), sinceMs: 0 }]));
  }

  /** Of each task in the order in which they were recorded. */
  get runs(): SeenRun[] {
    return [...this.#reaped.values()].flatMap(({ runs }) => runs);
  }

  /** Reads all tasks; those that could not be read. */
  async read(): Promise<string[]> {
    const ids = [...this.#reaped.keys()];
    const failed: string[] = [];
    for (let i = 0; i < ids.length; i += AT_A_TIME) {
      await Promise.all(ids.slice(i, i + AT_A_TIME).map((id) => this.#readTask(id).catch(() => void failed.push(id))));
    }
    return failed;
  }

  async #readTask(id: string): Promise<void> {
    const reaped = this.#reaped.get(id);
    if (reaped === undefined) return;
    const beganMs = Date.now();
    const page = await this.#readOnce(id);
    const counts = new Map<string, number>();
    for (const run of page) counts.set(keyOf(id, run), (counts.get(keyOf(id, run)) ?? 0) + 1);
    for (const run of page.toReversed()) {
      const seen = seenRun(id, run, reaped.sinceMs);
      // Twice within one reading stays twice; the same from an earlier reading is the same.
      const isRepeated = (counts.get(keyOf(id, run)) ?? 0) > 1;
      const key = attemptKey(seen);
      if (reaped.keys.has(key) && !isRepeated) continue;
      if (reaped.keys.has(key) && reaped.runs.filter((known) => attemptKey(known) === key).length > 1) continue;
      reaped.keys.add(key);
      reaped.runs.push(seen);
    }
    reaped.sinceMs = beganMs;
  }

  /** A record and its chunks are read one after the other, so what moved in between may show twice: then once more. */
  async #readOnce(id: string): Promise<readonly Run[]> {
    for (let i = 1; ; i++) {
      const { items } = await this.#keeper.tasks.runs(id, { limit: this.#limit });
      const isWhole = new Set(items.map((run) => keyOf(id, run))).size === items.length;
      if (isWhole || i === REREADINGS_MAX) return items;
    }
  }
}

const keyOf = (id: string, run: Run): string => attemptKey(seenRun(id, run, 0));

function seenRun(taskId: string, run: Run, notBeforeMs: number): SeenRun {
  const { attempt, status, fence, count, lastSlot } = run;
  return {
    ...{ taskId, slotMs: Date.parse(run.slot), attempt, status, fence, notBeforeMs },
    ...{ startedMs: Date.parse(run.startedAt), finishedMs: Date.parse(run.finishedAt) },
    isRetried: run.retryAt !== undefined,
    ...(count !== undefined && { count }),
    ...(lastSlot !== undefined && { lastSlotMs: Date.parse(lastSlot) }),
  };
}

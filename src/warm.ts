/** Records of due entries: those that this tick wrote itself are at hand, the others are read. */
import type { Session } from './coordinator.ts';
import type { TimedEntry } from './due.ts';
import type { Layout } from './layout.ts';
import { type Found, type Loaded, loadForLaunch } from './store.ts';

/** How many are kept at hand. */
const WARM_RECORDS_MAX = 20_000;

export class WarmRecords {
  readonly #session: Session;
  readonly #layout: Layout;
  /** By task, the one kept last at the end. */
  readonly #kept = new Map<string, Loaded>();

  constructor(session: Session, layout: Layout) {
    this.#session = session;
    this.#layout = layout;
  }

  get(taskId: string): Loaded | undefined {
    return this.#kept.get(taskId);
  }

  keep(taskId: string, loaded: Loaded): void {
    this.#kept.delete(taskId);
    this.#kept.set(taskId, loaded);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > WARM_RECORDS_MAX && oldest !== undefined) this.#kept.delete(oldest);
  }

  drop(taskId: string): void {
    this.#kept.delete(taskId);
  }

  /** Records may have been edited: read them again. */
  clear(): void {
    this.#kept.clear();
  }

  /** In the order of the entries. One at hand serves only the entry that it waits for. */
  async load(entries: readonly TimedEntry[]): Promise<Found[]> {
    const warm = entries.map((entry): Found => {
      const loaded = this.#kept.get(entry.taskId);
      return loaded !== undefined && counts(entry, loaded) ? loaded : undefined;
    });
    const cold = entries.filter((_, i) => warm[i] === undefined);
    if (cold.length === 0) return warm;
    const read = await loadForLaunch(
      this.#session,
      this.#layout,
      cold.map(({ taskId }) => taskId),
    );
    let next = 0;
    return warm.map((loaded) => loaded ?? read[next++]);
  }
}

/** Whether the entry is the one that the task waits for. */
export const counts = ({ timer, dueMs }: TimedEntry, { record }: Loaded): boolean =>
  record.timer === timer && record.dueMs === dueMs;

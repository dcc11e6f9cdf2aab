/** Storing tasks: many by one call, or one call each. */
import type { TaskDocument } from '../../src/task.ts';
import { type Costs, costsOf } from '../costs.ts';
import { inFreshNamespace } from './registry.ts';
import { farTasks, hourlyTasks, type OwnPlace } from './tasks.ts';

export interface PutRequest extends OwnPlace {
  readonly tasks: number;
  /** Stored in the same way before, beside the clock. */
  readonly warm: number;
  /** Calls of one task each that are under way at a time; 0: all tasks by one call. */
  readonly inFlight: number;
  /** When they are due: within an hour, or within a month, nearly each in a minute of its own. */
  readonly within: 'an hour' | 'a month';
}

/** @throws Error when not all of them are there afterwards. */
export async function put({ url, serverPids, tasks, warm, inFlight, within }: PutRequest): Promise<Costs> {
  return inFreshNamespace(url, async (keeper) => {
    const putAll = (documents: readonly TaskDocument[]) =>
      inFlight === 0
        ? keeper.tasks.putMany(documents)
        : eachInFlight(documents, inFlight, (document) => keeper.tasks.put(document));
    const documentsOf = (prefix: string, count: number) =>
      within === 'an hour' ? hourlyTasks(prefix, count) : farTasks(prefix, 0, count);
    await putAll(documentsOf('warm-', warm));
    const documents = documentsOf('task-', tasks);
    const costs = await costsOf(serverPids, () => putAll(documents));
    const { tasks: stored } = await keeper.verify({ prefix: 'task-' });
    if (stored !== tasks) throw new Error(`of ${tasks} tasks ${stored} are there`);
    return costs;
  });
}

/** Calls `use` for each, so many at a time. */
export async function eachInFlight<T>(
  all: readonly T[],
  inFlight: number,
  use: (one: T) => Promise<unknown>,
): Promise<void> {
  const rest = all[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (const one of rest) await use(one);
    }),
  );
}

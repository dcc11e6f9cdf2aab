/** One tick drains a backlog, and the records say whether each launch was made once and has its next entry. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cronkeeper } from '../../src/app.ts';
import { type Costs, costsOf } from '../costs.ts';
import { inFreshNamespace } from './registry.ts';
import { dueTasks, isoOf, type OwnPlace } from './tasks.ts';

export interface DrainRequest extends OwnPlace {
  readonly launches: number;
  /** Launches before, of other tasks of the same namespace: what is compiled then is not compiled in the clock. */
  readonly warm: number;
  readonly sources: number;
  /** Runs that each task has behind it. */
  readonly history: number;
}

/** What a task has to be due after: longer than it takes to put all of them. Tried again with twice as long. */
const LEAD_MS_MIN = 300;
const LEAD_US_PER_TASK = 100;
const LEADS_MAX = 6;
/** After the last of them is due: the coordinator's clock and this one need not agree to the millisecond. */
const SETTLE_MS = 200;
const PREFIX = 'task-';
const HISTORY_EVERY_MS = 100;
const HOUR_MS = 3_600_000;

export async function drain(request: DrainRequest): Promise<Costs> {
  const { url, serverPids, launches, warm, sources, history } = request;
  return inFreshNamespace(url, async (keeper) => {
    const warmed = await putDue(keeper, { prefix: 'warm-', count: warm, sources: Math.min(warm, sources) });
    await delay(warmed.waitMs());
    await keeper.tick();
    if (history > 0) await makeHistory(keeper, launches, history);
    const due = await putDue(keeper, { prefix: PREFIX, count: launches, sources });
    await delay(due.waitMs());
    let succeeded = 0;
    const costs = await costsOf(serverPids, async () => {
      ({ succeeded } = await keeper.tick());
    });
    if (succeeded !== launches) throw new Error(`${launches} launches were due, ${succeeded} succeeded`);
    await holdOnce(keeper, launches, due.dueAtMs);
    return costs;
  });
}

/** Puts tasks that are all due a little after the last of them is stored. */
async function putDue(keeper: Cronkeeper, tasks: { prefix: string; count: number; sources: number }) {
  let leadMs = LEAD_MS_MIN + (tasks.count * LEAD_US_PER_TASK) / 1_000;
  for (let i = 0; i < LEADS_MAX; i++, leadMs *= 2) {
    const dueAtMs = Date.now() + leadMs;
    await keeper.tasks.putMany(dueTasks({ ...tasks, dueAtMs }));
    if (Date.now() < dueAtMs) return { dueAtMs, waitMs: () => dueAtMs + SETTLE_MS - Date.now() };
  }
  throw new Error(`${tasks.count} tasks cannot be stored within ${leadMs} ms`);
}

/** Runs of the same tasks by another schedule, all before now: what is behind tasks that have long been there. */
async function makeHistory(keeper: Cronkeeper, count: number, runs: number): Promise<void> {
  const schedule = { every: `${HISTORY_EVERY_MS}ms` };
  const tasks = dueTasks({ prefix: PREFIX, count, sources: 1, dueAtMs: 0 }).map((task) => ({
    ...task,
    ...{ schedule, maxRuns: runs, misfire: { policy: 'all' } as const, overlap: 'queue' as const },
  }));
  await keeper.tasks.putMany(tasks);
  await delay(HISTORY_EVERY_MS * (runs + 1));
  // One tick does what was due when it began: of a task that is behind by many slots, not all.
  for (let made = 0; made < count * runs; ) {
    const { succeeded } = await keeper.tick();
    if (succeeded === 0) throw new Error(`${count * runs} launches were to be behind, ${made} are`);
    made += succeeded;
  }
}

/** @throws Error unless the records prove each slot once, and every task waits for its next one. */
async function holdOnce(keeper: Cronkeeper, tasks: number, dueAtMs: number): Promise<void> {
  const found = await keeper.verify({ prefix: PREFIX, from: isoOf(dueAtMs) });
  if (!found.holds || found.tasks !== tasks || found.launched !== tasks || found.open > 0) {
    const { problems, notProven, ...numbers } = found;
    throw new Error(`the records: ${JSON.stringify({ ...numbers, problem: problems[0], notProven: notProven[0] })}`);
  }
  const nextAt = Date.parse(new Date(dueAtMs + HOUR_MS).toISOString());
  let waiting = 0;
  let cursor: string | undefined;
  do {
    const page = await keeper.tasks.list({ prefix: PREFIX, limit: 1_000, ...(cursor !== undefined && { cursor }) });
    waiting += page.items.filter((task) => 'nextAt' in task && Date.parse(task.nextAt ?? '') === nextAt).length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  if (waiting !== tasks) throw new Error(`of ${tasks} tasks ${waiting} wait for their next slot`);
}

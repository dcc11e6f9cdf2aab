/** Tasks that are due once, at random milliseconds, on a tick that lingers. */
import { setTimeout as delay } from 'node:timers/promises';
import { costsOf } from '../costs.ts';
import { punctualityOf, type Start } from '../lateness.ts';
import { inFreshNamespace } from './registry.ts';
import type { Repeated } from './repeat.ts';
import { isoOf, noOpTask, type OwnPlace, untilMs, warmUp, whileTicking } from './tasks.ts';

export interface OneshotRequest extends OwnPlace {
  readonly tasks: number;
  readonly spanMs: number;
  /** From the storing of the first to the first that may be due. */
  readonly leadMs: number;
}

/** After the last one is due: starts that are still to be recorded. */
const REST_MS = 1_500;
/** One that has not started so long after that is missed; on a crowded machine, late. */
const LATE_MS_MAX = 10_000;
const POLL_MS = 25;

export async function oneshot({ url, serverPids, tasks, spanMs, leadMs }: OneshotRequest): Promise<Repeated> {
  return inFreshNamespace(url, async (keeper) => {
    const starts: Start[] = [];
    const onRun = (id: string, { slotMs, startedMs }: { slotMs: number; startedMs: number }) => {
      starts.push({ id, dueMs: slotMs, startedMs });
    };
    await warmUp(keeper);
    const costs = await whileTicking(keeper, onRun, async () => {
      const fromMs = Date.now() + leadMs;
      const at = () => isoOf(fromMs + Math.floor(Math.random() * spanMs));
      await keeper.tasks.putMany(Array.from({ length: tasks }, (_, i) => noOpTask(`task-${i}`, { at: at() })));
      const costs = await costsOf(serverPids, () => untilMs(fromMs + spanMs));
      await untilMs(fromMs + spanMs + REST_MS);
      for (const endMs = Date.now() + LATE_MS_MAX; starts.length < tasks && Date.now() < endMs; ) await delay(POLL_MS);
      return costs;
    });
    return { punctuality: punctualityOf(starts, tasks), costs };
  });
}

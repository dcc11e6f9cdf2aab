/** Tasks that are due every second, on a tick that lingers. */
import { type Costs, costsOf } from '../costs.ts';
import { type Punctuality, punctualityOf, type Start } from '../lateness.ts';
import { inFreshNamespace } from './registry.ts';
import { isoOf, noOpTask, type OwnPlace, untilMs, warmUp, whileTicking } from './tasks.ts';

export interface RepeatRequest extends OwnPlace {
  readonly tasks: number;
  readonly seconds: number;
  /** So long slots are not counted: what runs is compiled in them. */
  readonly warmMs: number;
}

export interface Repeated {
  readonly punctuality: Punctuality;
  /** From the first slot that counts to the last. */
  readonly costs: Costs;
}

const EVERY_MS = 1_000;
const LEAD_MS = 1_500;
/** After the last slot: starts that are still to be recorded. */
const REST_MS = 1_500;

/** @throws Error when the records do not prove every slot once. */
export async function repeat({ url, serverPids, tasks, seconds, warmMs }: RepeatRequest): Promise<Repeated> {
  return inFreshNamespace(url, async (keeper) => {
    await warmUp(keeper);
    const firstMs = Date.now() + LEAD_MS;
    // Spread over the second, as the peer's are by when each was added.
    const anchor = (i: number) => isoOf(firstMs + Math.floor((i * EVERY_MS) / tasks));
    await keeper.tasks.putMany(
      Array.from({ length: tasks }, (_, i) => noOpTask(`task-${i}`, { every: '1s', anchor: anchor(i) })),
    );
    const fromMs = firstMs + warmMs;
    const toMs = fromMs + seconds * EVERY_MS;
    const starts: Start[] = [];
    const onRun = (id: string, { slotMs, startedMs }: { slotMs: number; startedMs: number }) => {
      if (slotMs >= fromMs && slotMs < toMs) starts.push({ id, dueMs: slotMs, startedMs });
    };
    const costs = await whileTicking(keeper, onRun, async () => {
      await untilMs(fromMs);
      const costs = await costsOf(serverPids, () => untilMs(toMs));
      await untilMs(toMs + REST_MS);
      return costs;
    });
    const { holds, problems } = await keeper.verify({ from: isoOf(fromMs), to: isoOf(toMs - 1) });
    if (!holds) throw new Error(`the records: ${JSON.stringify(problems[0])}`);
    return { punctuality: punctualityOf(starts, tasks * seconds), costs };
  });
}

/** What costs nothing to do should cost the same however many tasks are registered. */
import { openCronkeeper } from '../../src/app.ts';
import { percentile } from '../measure.ts';
import { requestsOf } from './requests.ts';
import { farTasks, type OwnPlace } from './tasks.ts';

export interface RegisterRequest extends OwnPlace {
  readonly namespace: string;
  readonly from: number;
  readonly count: number;
}

/** Stored by one call; a call of a million would hold all of them in memory. */
const BATCH = 10_000;

export async function register({ url, namespace, from, count }: RegisterRequest): Promise<void> {
  const keeper = await openCronkeeper({ url, namespace });
  try {
    for (let i = 0; i < count; i += BATCH) {
      await keeper.tasks.putMany(farTasks('task-', from + i, Math.min(BATCH, count - i)));
    }
    await keeper.tick(); // the namespace is there, and no tick is its first
  } finally {
    await keeper.close();
  }
}

export interface IdleRequest extends OwnPlace {
  readonly namespace: string;
  /** Of each. */
  readonly times: number;
}

/** Medians, in ms. */
export interface Idle {
  readonly tickMs: number;
  /** That one tick makes of the server, its session included. */
  readonly tickRequests: number;
  /** 100 tasks, the first page. */
  readonly listMs: number;
  readonly putMs: number;
}

const WARM = 10;

export async function idle({ url, namespace, times }: IdleRequest): Promise<Idle> {
  const keeper = await openCronkeeper({ url, namespace });
  const id = `put-${Date.now()}`;
  const tick = async () => {
    const { due } = await keeper.tick();
    if (due > 0) throw new Error(`${due} were due where nothing should be`);
  };
  const putOne = async (i: number) => keeper.tasks.putMany(farTasks(`${id}-`, i, 1));
  try {
    await medianMs(WARM, tick);
    const before = await requestsOf(url);
    const tickMs = await medianMs(times, tick);
    const tickRequests = ((await requestsOf(url)) - before) / times;
    const listMs = await medianMs(times, async () => keeper.tasks.list());
    const putMs = await medianMs(times, putOne);
    for (let i = 0; i < times; i++) await keeper.tasks.remove(`${id}-${i}`);
    return { tickMs, tickRequests, listMs, putMs };
  } finally {
    await keeper.close();
  }
}

async function medianMs(times: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const startedAt = performance.now();
    await work(i);
    all.push(performance.now() - startedAt);
  }
  return percentile(all, 0.5);
}

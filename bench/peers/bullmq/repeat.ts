/** Job schedulers that are due every second, and a worker that runs a function of its process. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Costs, costsOf } from '../../costs.ts';
import { punctualityOf, type Start } from '../../lateness.ts';
import { eachInFlight } from '../../own/put.ts';
import type { Repeated } from '../../own/repeat.ts';
import { untilMs } from '../../own/tasks.ts';
import { openQueue, openWorker, type Place, padded, QUEUE } from './place.ts';

export interface PeerRepeatRequest extends Place {
  readonly tasks: number;
  readonly seconds: number;
  readonly warmMs: number;
}

const EVERY_MS = 1_000;
const REST_MS = 1_500;
const CONCURRENCY = 100;
const IN_FLIGHT = 50;

export async function repeat(request: PeerRepeatRequest): Promise<Repeated> {
  const { tasks, seconds, warmMs, redisPid } = request;
  const queue = await openQueue(request, QUEUE);
  let starts: Start[] = [];
  const onRun = ({ id, data }: { id: string; data: object }) => {
    // `repeat:<scheduler>:<ms>`: the moment that it is for is a part of a job's name.
    const dueMs = Number(/:(\d{10,})$/.exec(id)?.[1]);
    starts.push({ id: String((data as { id: number }).id), dueMs, startedMs: Date.now() });
  };
  const worker = await openWorker(request, QUEUE, { concurrency: CONCURRENCY, onRun });
  try {
    const ids = Array.from({ length: tasks }, (_, i) => i);
    await eachInFlight(ids, IN_FLIGHT, (id) =>
      queue.upsertJobScheduler(`task-${id}`, { every: EVERY_MS }, { name: 'no-op', data: padded({ id }) }),
    );
    await delay(warmMs);
    const fromMs = Date.now();
    const toMs = fromMs + seconds * EVERY_MS;
    const costs: Costs = await costsOf([redisPid], () => untilMs(toMs));
    await untilMs(toMs + REST_MS);
    starts = starts.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs);
    return { punctuality: punctualityOf(starts, tasks * seconds), costs };
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}

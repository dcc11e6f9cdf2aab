/** Delayed jobs, and a worker that runs a function of its process. */
import { type Costs, costsOf } from '../../costs.ts';
import { punctualityOf, type Start } from '../../lateness.ts';
import type { Repeated } from '../../own/repeat.ts';
import { untilMs } from '../../own/tasks.ts';
import { CHUNK, chunksOf, openQueue, openWorker, type Place, padded, QUEUE } from './place.ts';

export interface PeerOneshotRequest extends Place {
  readonly tasks: number;
  readonly spanMs: number;
  readonly leadMs: number;
}

const REST_MS = 1_500;
const CONCURRENCY = 100;

export async function oneshot(request: PeerOneshotRequest): Promise<Repeated> {
  const { tasks, spanMs, leadMs, redisPid } = request;
  const queue = await openQueue(request, QUEUE);
  const starts: Start[] = [];
  const onRun = ({ data }: { data: object }) => {
    const { id, dueMs } = data as { id: number; dueMs: number };
    starts.push({ id: String(id), dueMs, startedMs: Date.now() });
  };
  const worker = await openWorker(request, QUEUE, { concurrency: CONCURRENCY, onRun });
  try {
    const fromMs = Date.now() + leadMs;
    const moments = Array.from({ length: tasks }, () => fromMs + Math.floor(Math.random() * spanMs));
    // A delay counts from its own call: each chunk takes its own.
    for (const chunk of chunksOf([...moments.entries()], CHUNK)) {
      const nowMs = Date.now();
      await queue.addBulk(
        chunk.map(([id, dueMs]) => ({
          ...{ name: 'no-op', data: padded({ id, dueMs }) },
          opts: { delay: dueMs - nowMs, timestamp: nowMs },
        })),
      );
    }
    const costs: Costs = await costsOf([redisPid], () => untilMs(fromMs + spanMs));
    await untilMs(fromMs + spanMs + REST_MS);
    return { punctuality: punctualityOf(starts, tasks), costs };
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}

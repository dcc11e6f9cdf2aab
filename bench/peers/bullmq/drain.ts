/** BullMQ's worker drains jobs that all wait, while their queue tells when none is left. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Costs, costsOf } from '../../costs.ts';
import type { Queue } from './library.ts';
import { CHUNK, chunksOf, jobs, openQueue, openWorker, type Place, QUEUE } from './place.ts';

export interface PeerDrainRequest extends Place {
  readonly launches: number;
  readonly warm: number;
  readonly concurrency: number;
  /** Whether a file is run, each time in one of the worker's threads; otherwise a function of the worker's process. */
  readonly isSandboxed: boolean;
}

const POLL_MS = 2;

export async function drain(request: PeerDrainRequest): Promise<Costs> {
  const { launches, warm, redisPid } = request;
  const queue = await openQueue(request, QUEUE);
  let completed = 0;
  const worker = await openWorker(request, QUEUE, {
    concurrency: request.concurrency,
    ...(request.isSandboxed ? { isSandboxed: true } : { onRun: () => {} }),
  });
  worker.on('completed', () => completed++);
  const fill = async (count: number) => {
    for (const chunk of chunksOf(jobs(count), CHUNK)) await queue.addBulk(chunk);
  };
  try {
    await fill(warm);
    await emptied(queue, () => completed >= warm);
    await worker.pause();
    await fill(launches);
    completed = 0;
    const costs = await costsOf([redisPid], async () => {
      worker.resume();
      await emptied(queue, () => completed >= launches);
    });
    if (completed !== launches) throw new Error(`${launches} jobs waited, ${completed} were completed`);
    return costs;
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}

/** Asks the queue only when all have been heard of. */
async function emptied(queue: Queue, isDone: () => boolean): Promise<void> {
  while (!isDone()) await delay(POLL_MS);
  for (;;) {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized');
    if (Object.values(counts).every((count) => count === 0)) return;
    await delay(POLL_MS);
  }
}

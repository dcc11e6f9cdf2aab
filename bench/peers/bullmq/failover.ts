/** A worker that holds a job until it is killed, and one that waits for that job. */
import { openQueue, openWorker, type Place, padded } from './place.ts';

export interface PeerFailoverRequest extends Place {
  readonly queue: string;
  /** Of a lock, and between two looks for locks that have ended. */
  readonly lockMs: number;
}

/** Settles when the job has begun; it does not end. */
export async function hold(request: PeerFailoverRequest): Promise<void> {
  const queue = await openQueue(request, request.queue);
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const onRun = () => {
    resolve();
    return new Promise<void>(() => {});
  };
  await openWorker(request, request.queue, { concurrency: 1, onRun, lockMs: request.lockMs });
  await queue.add('held', padded({ id: 0 }));
  await begun;
}

let again: Promise<void> | undefined;

/** Settles when a worker is there that will run the job. */
export async function standBy(request: PeerFailoverRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  again = promise;
  await openWorker(request, request.queue, { concurrency: 1, onRun: () => resolve(), lockMs: request.lockMs });
}

/** Settles when it runs. */
export async function runs(): Promise<void> {
  await again;
}

/** Where the peer is, and the queues, workers and jobs that are measured. */
import { fileURLToPath } from 'node:url';
import { type Job, loadBullMq, type NewJob, type Queue, type QueueWorker } from './library.ts';

export interface Place {
  /** Of the installed package. */
  readonly directory: string;
  readonly redisPort: number;
  readonly redisPid: number;
}

export const QUEUE = 'bench';
/** Jobs that are added by one call. */
export const CHUNK = 1_000;
const JOB_BYTES = 500;

/** Done means gone, as one runs it who does not want Redis to fill up. */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true };
const NO_OP = fileURLToPath(new URL('./no-op.mjs', import.meta.url));

const connectionOf = ({ redisPort }: Place) =>
  ({ host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null }) as const;

export async function openQueue(place: Place, name: string): Promise<Queue> {
  const { Queue } = loadBullMq(place.directory);
  const queue = new Queue(name, { connection: connectionOf(place), defaultJobOptions: JOB_OPTIONS });
  queue.on('error', () => {}); // the call that failed rejects
  await queue.waitUntilReady();
  return queue;
}

export interface WorkerSettings {
  readonly concurrency: number;
  /** In this process. */
  readonly onRun?: (job: Job) => void | Promise<void>;
  /** A file that does nothing, in threads. */
  readonly isSandboxed?: boolean;
  /** Of a lock, and between two looks for locks that have ended. Default: 30 s. */
  readonly lockMs?: number;
}

export async function openWorker(place: Place, name: string, settings: WorkerSettings): Promise<QueueWorker> {
  const { concurrency, onRun, isSandboxed = false, lockMs } = settings;
  const { Worker } = loadBullMq(place.directory);
  const worker = new Worker(name, isSandboxed ? NO_OP : async (job) => onRun?.(job), {
    ...{ connection: connectionOf(place), concurrency },
    ...(isSandboxed && { useWorkerThreads: true }),
    ...(lockMs !== undefined && { lockDuration: lockMs, stalledInterval: lockMs }),
  });
  worker.on('error', () => {});
  await worker.waitUntilReady();
  return worker;
}

export const jobs = (count: number, delayOf?: (index: number) => number): NewJob[] =>
  Array.from({ length: count }, (_, i) => ({
    name: 'no-op',
    data: padded({ id: i }),
    ...(delayOf !== undefined && { opts: { delay: delayOf(i) } }),
  }));

/** As long as a task of ours. */
export function padded(data: object): object {
  const missing = JOB_BYTES - JSON.stringify({ ...data, pad: '' }).length;
  return { ...data, pad: 'x'.repeat(Math.max(0, missing)) };
}

export const chunksOf = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

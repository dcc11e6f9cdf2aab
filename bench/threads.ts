/** CPU time by thread: what a thread needs is steadier than what a clock on the wall says, and says who limits. */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/** Microseconds of CPU, user and system. */
export interface CpuTimes {
  readonly main: number;
  readonly worker: number;
  /** V8's own threads: garbage, compilation. */
  readonly others: number;
}

const sum = ({ user, system }: NodeJS.CpuUsage): number => user + system;

/**
 * What `start` comes to, and the one worker that it starts. Whoever starts it may well keep it to himself: Node tells
 * the process of every worker.
 */
export async function catchWorker<T>(start: () => Promise<T>): Promise<readonly [T, Worker]> {
  const [started, [worker]] = await Promise.all([start(), once(process, 'worker') as Promise<[Worker]>]);
  return [started, worker];
}

export async function cpuTimes(worker: Worker): Promise<CpuTimes> {
  const ofWorker = sum(await worker.cpuUsage());
  const main = sum(process.threadCpuUsage());
  return { main, worker: ofWorker, others: sum(process.cpuUsage()) - main - ofWorker };
}

/** What `work` costs, per one of its `count`. */
export async function cpuPerRun(worker: Worker, count: number, work: () => Promise<void>): Promise<CpuTimes> {
  const before = await cpuTimes(worker);
  await work();
  const after = await cpuTimes(worker);
  return {
    main: (after.main - before.main) / count,
    worker: (after.worker - before.worker) / count,
    others: (after.others - before.others) / count,
  };
}

/** As much of BullMQ as is measured: it is installed on demand, so what has to be type-checked must not need it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly maxRetriesPerRequest: null;
}

export interface JobOptions {
  readonly delay?: number;
  /** From when the delay counts, epoch ms. Default: when the job is made. */
  readonly timestamp?: number;
  readonly removeOnComplete?: boolean;
  readonly removeOnFail?: boolean;
}

export interface Job {
  readonly id: string;
  readonly data: object;
}

export interface NewJob {
  readonly name: string;
  readonly data: object;
  readonly opts?: JobOptions;
}

export interface Queue {
  waitUntilReady(): Promise<unknown>;
  add(name: string, data: object, options?: JobOptions): Promise<unknown>;
  addBulk(jobs: readonly NewJob[]): Promise<unknown>;
  upsertJobScheduler(id: string, repeat: { every: number }, template: NewJob): Promise<unknown>;
  getJobCounts(...types: readonly string[]): Promise<Record<string, number>>;
  obliterate(options: { force: boolean }): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
  close(): Promise<void>;
}

export interface WorkerOptions {
  readonly connection: Connection;
  readonly concurrency: number;
  readonly useWorkerThreads?: boolean;
  readonly lockDuration?: number;
  readonly stalledInterval?: number;
}

export interface QueueWorker {
  waitUntilReady(): Promise<unknown>;
  on(event: 'completed', listener: (job: Job) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  pause(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

export interface BullMq {
  Queue: new (name: string, options: { connection: Connection; defaultJobOptions: JobOptions }) => Queue;
  Worker: new (
    name: string,
    /** A function in this process, or the file of one, for a sandbox. */
    processor: ((job: Job) => Promise<void>) | string,
    options: WorkerOptions,
  ) => QueueWorker;
}

/** @param directory where `install.ts` has installed it. */
export function loadBullMq(directory: string): BullMq {
  return createRequire(join(directory, 'package.json'))('bullmq') as BullMq;
}

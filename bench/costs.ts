/** What work costs this process and the servers that it uses: time, processor time by thread, memory. Linux. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';

export interface Costs {
  readonly durationMs: number;
  /** Of all servers together, in steps of 10 ms. */
  readonly serverUs: number;
  readonly mainUs: number;
  readonly workersUs: number;
  /** Of V8's other threads: compiling and collecting garbage. */
  readonly othersUs: number;
  readonly memory: Memory;
}

/** In bytes. The peaks are those since the work began. */
export interface Memory {
  readonly rss: number;
  readonly peak: number;
  readonly serverRss: number;
  readonly serverPeak: number;
}

/** Workers that were started since this was imported: Node tells the process of each. */
const workers = new Set<Worker>();
process.on('worker', (worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

const TICK_US = 10_000;
const SELF = process.pid;

/** @throws whatever `work` does. */
export async function costsOf(serverPids: readonly number[], work: () => Promise<unknown>): Promise<Costs> {
  for (const pid of [SELF, ...serverPids]) forgetPeak(pid);
  const before = await times(serverPids);
  const startedAt = performance.now();
  await work();
  const durationMs = performance.now() - startedAt;
  const after = await times(serverPids);
  return {
    durationMs,
    serverUs: after.serverUs - before.serverUs,
    mainUs: after.mainUs - before.mainUs,
    workersUs: after.workersUs - before.workersUs,
    othersUs: after.othersUs - before.othersUs,
    memory: memoryNow(serverPids),
  };
}

async function times(serverPids: readonly number[]) {
  const ofWorkers = await Promise.all([...workers].map(async (worker) => sum(await worker.cpuUsage())));
  const mainUs = sum(process.threadCpuUsage());
  const workersUs = ofWorkers.reduce((all, us) => all + us, 0);
  const othersUs = sum(process.cpuUsage()) - mainUs - workersUs;
  return { mainUs, workersUs, othersUs, serverUs: serverPids.reduce((all, pid) => all + processUs(pid), 0) };
}

export function memoryNow(serverPids: readonly number[]): Memory {
  const ofServers = (field: string) => serverPids.reduce((all, pid) => all + statusBytes(pid, field), 0);
  return {
    rss: statusBytes(SELF, 'VmRSS'),
    peak: statusBytes(SELF, 'VmHWM'),
    serverRss: ofServers('VmRSS'),
    serverPeak: ofServers('VmHWM'),
  };
}

const sum = ({ user, system }: NodeJS.CpuUsage): number => user + system;

/** Of another process: user and system time, in `/proc/<pid>/stat` the 14th and 15th field. */
export function processUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024;
}

/** Makes `VmHWM` start again from what is resident now: see `clear_refs` in proc(5). */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

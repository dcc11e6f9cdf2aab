/** What the numbers were measured on: without it they mean nothing. */
import { cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryGiB: number;
  readonly node: string;
  /** What else took part, each with its version: `Java 17.0.15`. */
  readonly software: readonly string[];
  readonly platform: string;
  /** Over the last minute, before anything was measured. Above 0, others were at work, too. */
  readonly loadAverage: number;
}

export const describeMachine = (software: readonly string[]): Machine => ({
  cpus: cpus().length,
  cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  software,
  platform: `${process.platform} ${process.arch}`,
  loadAverage: loadavg()[0] ?? 0,
});

export const machineLine = ({ cpus, cpuModel, memoryGiB, node, software, platform, loadAverage }: Machine): string =>
  `Machine: ${cpus} × ${cpuModel}, ${memoryGiB} GiB, ${platform}, ${[`Node ${node}`, ...software].join(', ')}; ` +
  `load average ${loadAverage.toFixed(2)} at the start.`;

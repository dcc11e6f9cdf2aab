/** What a process with an evaluator takes, as the operating system counts it. */
import { timeChild } from '../child.ts';
import type { Probe, Row } from '../suite.ts';
import type { MemoryReport } from './programs/memory.ts';

export interface MemoryRows {
  readonly node: Row;
  readonly rest: Row;
  /** For each number of runs that are asked to wait: what the process takes, and how many of them do. */
  readonly waiting: readonly { readonly asked: number; readonly bytes: Row; readonly atOnce: Row }[];
  /** What one more run that waits takes, by the largest number of them. */
  readonly perRun: Row;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const memory = ({ node, rest, waiting, perRun }: MemoryRows, program: string): Probe => ({
  rows: [node, rest, ...waiting.flatMap(({ bytes, atOnce }) => [bytes, atOnce]), perRun],
  async measure() {
    const args = waiting.map(({ asked }) => String(asked));
    const { stdout } = await timeChild(program, { args, flags: ['--expose-gc'] });
    const report = JSON.parse(stdout.split('\n')[0]!) as MemoryReport;
    const { nodeBytes, restBytes } = report;
    const most = report.waiting.reduce((a, b) => (b.atOnce > a.atOnce ? b : a));
    return [
      nodeBytes / MIB,
      restBytes / MIB,
      ...report.waiting.flatMap(({ bytes, atOnce }) => [bytes / MIB, atOnce]),
      (most.bytes - restBytes) / most.atOnce / KIB,
    ];
  },
});

/** A rate, and below it what each of the many cost: processor time by thread, and memory. */
import type { Costs } from './costs.ts';
import type { Row, Unit } from './suite.ts';

export interface CostRows {
  readonly rate: Row;
  readonly all: readonly Row[];
}

const MIB = 2 ** 20;

export function costRows(name: string, rate: Unit, each: Unit): CostRows {
  const first: Row = { name, unit: rate };
  const cpu = ['server', 'main thread', 'workers', "V8's threads"].map(
    (of): Row => ({ name: `· CPU, ${of}`, unit: each }),
  );
  const memory = ['process', 'server'].map((of): Row => ({ name: `· peak memory, ${of}`, unit: 'MiB' }));
  return { rate: first, all: [first, ...cpu, ...memory] };
}

/** In the order of the rows. */
export function costNumbers({ durationMs, memory, ...cpu }: Costs, count: number): number[] {
  const each = [cpu.serverUs, cpu.mainUs, cpu.workersUs, cpu.othersUs].map((us) => us / count);
  return [count / (durationMs / 1_000), ...each, memory.peak / MIB, memory.serverPeak / MIB];
}

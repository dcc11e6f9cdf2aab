/** Probes whose rows tell a rate or a lateness, and below it what each of the many cost: processor time, memory. */
import type { Costs } from './costs.ts';
import type { Repeated } from './own/repeat.ts';
import type { Probe, Row, Unit } from './suite.ts';

const MIB = 2 ** 20;

export interface RateProbe extends Probe {
  /** The first of its rows. */
  readonly rate: Row;
}

export interface Rated {
  readonly name: string;
  /** Of the rate. */
  readonly rate: Unit;
  /** Of what each costs. */
  readonly each: Unit;
  readonly count: number;
}

/** A rate and its costs, of `count` of something. */
export function rateProbe({ name, rate: unit, each, count }: Rated, measure: () => Promise<Costs>): RateProbe {
  const rate: Row = { name, unit };
  const rows = [rate, ...cpuRows(each), ...MEMORY_ROWS.map((row) => ({ ...row }))];
  return {
    ...{ rate, rows },
    async measure() {
      const costs = await measure();
      return [count / (costs.durationMs / 1_000), ...cpuNumbers(costs, count), ...memoryNumbers(costs)];
    },
  };
}

const cpuRows = (unit: Unit): Row[] =>
  ['server', 'main thread', 'workers', "V8's threads"].map((of) => ({ name: `· CPU, ${of}`, unit }));

const cpuNumbers = ({ serverUs, mainUs, workersUs, othersUs }: Costs, count: number): number[] =>
  [serverUs, mainUs, workersUs, othersUs].map((us) => us / count);

const MEMORY_ROWS: readonly Row[] = [
  { name: '· peak memory, process', unit: 'MiB' },
  { name: '· peak memory, server', unit: 'MiB' },
];

const memoryNumbers = ({ memory }: Costs): number[] => [memory.peak / MIB, memory.serverPeak / MIB];

export interface PunctualProbe extends Probe {
  /** The row of the 99th percentile. */
  readonly p99: Row;
  /** The row of all processor time. */
  readonly cpu: Row;
}

/** What was started when, and what it cost per start. */
export function punctualProbe(name: string, measure: () => Promise<Repeated>): PunctualProbe {
  const p99: Row = { name: `${name}, start p99`, unit: 'ms' };
  const cpu: Row = { name: `${name}, CPU in all`, unit: 'µs/launch' };
  const rows: Row[] = [
    { name: `${name}, start p50`, unit: 'ms' },
    { name: '· p95', unit: 'ms' },
    p99,
    { name: '· latest', unit: 'ms' },
    ...['launches', 'doubled', 'missed', 'early'].map((what): Row => ({ name: `· ${what}`, unit: 'launches' })),
    ...[cpu, ...cpuRows('µs/launch'), ...MEMORY_ROWS.map((row) => ({ ...row }))],
  ];
  return {
    ...{ p99, cpu, rows },
    async measure() {
      const { punctuality, costs } = await measure();
      const { p50, p95, p99: late, max, starts, doubled, missed, early } = punctuality;
      const cpuUs = cpuNumbers(costs, starts);
      const allUs = cpuUs.reduce((sum, us) => sum + us, 0);
      return [p50, p95, late, max, starts, doubled, missed, early, allUs, ...cpuUs, ...memoryNumbers(costs)];
    },
  };
}

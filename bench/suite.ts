/** What a benchmark is made of, and how it is measured: a number per row and round, the rounds interleaved. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export type Unit =
  | 'runs/s'
  | 'µs/run'
  | 'µs'
  | 'ms'
  | 'MiB'
  | 'KiB'
  | 'runs'
  | 'launches/s'
  | 'launches'
  | 'shards'
  | 'CPUs'
  | 'µs/launch'
  | 'tasks/s'
  | 'µs/task'
  | 'bytes/task'
  | 'requests'
  | 'seeds/s';

export interface Row {
  readonly name: string;
  readonly unit: Unit;
  /** The row that it is compared with. */
  readonly peer?: Row;
}

/** Why there is no number. */
export type Absence = string;

/** One thing that is measured in every round, for a number per row. */
export interface Probe {
  readonly rows: readonly Row[];
  /** One number per row, in their order. */
  measure(): Promise<readonly number[] | Absence>;
}

/** A number per round, or why there are none. */
export type Results = ReadonlyMap<Row, readonly number[] | Absence>;

/** How many times as fast the one is as the other, round by round. */
export interface Comparison {
  readonly own: Row;
  readonly peer: Row;
  /** What both do. */
  readonly what: string;
}

/** Probes whose rows stand together. */
export interface Section {
  readonly title: string;
  readonly probes: readonly Probe[];
  readonly comparisons?: readonly Comparison[];
}

export interface Report {
  readonly suite: string;
  /** Whom the rows with a peer are compared with. */
  readonly peer: string;
  readonly sections: readonly Section[];
  readonly results: Results;
  /** Last lines: what limits, and what a reader should know. */
  readonly notes: readonly string[];
}

export const PEERS = ['bullmq'] as const;
export type PeerName = (typeof PEERS)[number];

export interface SuiteOptions {
  readonly rounds: number;
  /** A tenth of the work, or less: shows that it works, not how fast. */
  readonly quick: boolean;
  /** Only what the table in the README shows. */
  readonly brief?: boolean;
  /** How many of what a suite measures (launches, tasks), in place of its own sizes. */
  readonly n?: number;
  /** Who is measured in the same rounds, too. */
  readonly peer?: PeerName | undefined;
  /** ZooKeeper servers. */
  readonly nodes: number;
  /** Progress, for whoever waits. */
  readonly tell: (line: string) => void;
}

/** How many of something a suite measures, by what was asked for. */
export function sizesOf(
  { n, quick, brief }: Pick<SuiteOptions, 'n' | 'quick' | 'brief'>,
  sizes: Readonly<Record<'full' | 'brief' | 'quick', readonly number[]>>,
): readonly number[] {
  if (n !== undefined) return [n];
  return quick ? sizes.quick : brief ? sizes.brief : sizes.full;
}

export interface Suite {
  readonly name: string;
  /** One line. */
  readonly about: string;
  run(options: SuiteOptions): Promise<Report>;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Measures every probe once a round. Every other round goes backwards, so that nobody always comes after the same one;
 * and nobody pays for the garbage of the one before.
 */
export async function interleave(
  probes: readonly Probe[],
  { rounds, tell }: Pick<SuiteOptions, 'rounds' | 'tell'>,
): Promise<Results> {
  const results = new Map<Row, number[] | Absence>();
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    for (const probe of round % 2 === 1 ? probes : probes.toReversed()) {
      collectGarbage();
      const measured = await probe.measure();
      for (const [i, row] of probe.rows.entries()) {
        const before = results.get(row);
        const values = Array.isArray(before) ? before : [];
        results.set(row, typeof measured === 'string' ? measured : [...values, measured[i]!]);
      }
    }
  }
  return results;
}

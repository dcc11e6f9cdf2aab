/** Statistics of repeated measurements. Pure. */

export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The smallest of `values` that is not less than the share `p` of them: p99 is `percentile(values, 0.99)`.
 *
 * @throws RangeError when there are no values, or `p` is not from 0 to 1.
 */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new RangeError('a percentile of no values');
  if (!(p >= 0 && p <= 1)) throw new RangeError(`percentile ${p}: a share from 0 to 1 is allowed`);
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
}

/** The middle one; between two, their mean. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('a median of no values');
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const summarize = (values: readonly number[]): Summary => ({
  median: median(values),
  low: Math.min(...values),
  high: Math.max(...values),
});

/**
 * How many times as fast as `peers` the `own` values are, each compared with the peer's of the same round: a machine
 * wanders, and two that are measured one after the other wander together. Undefined where there is nothing to compare.
 */
export function timesAsFast(own: readonly number[], peers: readonly number[], isRate: boolean): number | undefined {
  const ratios = ratiosByRound(own, peers, isRate);
  return ratios.length === 0 ? undefined : median(ratios);
}

/** The same of each round that can be compared. */
export const ratiosByRound = (own: readonly number[], peers: readonly number[], isRate: boolean): number[] =>
  own.flatMap((value, round) => {
    const peer = peers[round];
    const ratio = peer === undefined ? Number.NaN : isRate ? value / peer : peer / value;
    return Number.isFinite(ratio) ? [ratio] : [];
  });

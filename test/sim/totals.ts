/** Many seeds in numbers, and one that failed in words. */
import type { SimReport } from './simulate.ts';

export interface Failure {
  readonly seed: number;
  /** Invariant and message of each. */
  readonly violations: readonly string[];
  /** For a person to follow. */
  readonly story: readonly string[];
}

export interface Totals {
  seeds: number;
  faults: Record<string, number>;
  slots: number;
  launches: number;
  reruns: number;
  ticks: number;
  failures: Failure[];
}

export const noTotals = (): Totals => ({
  ...{ seeds: 0, faults: {}, slots: 0, launches: 0, reruns: 0, ticks: 0, failures: [] },
});

export function addReport(totals: Totals, report: SimReport): void {
  totals.seeds++;
  for (const { kind } of report.injected) totals.faults[kind] = (totals.faults[kind] ?? 0) + 1;
  totals.slots += report.slots;
  totals.launches += report.launches;
  totals.reruns += report.reruns;
  totals.ticks += report.ticks;
}

export function addTotals(totals: Totals, others: Totals): void {
  totals.seeds += others.seeds;
  for (const [kind, count] of Object.entries(others.faults)) totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
  totals.slots += others.slots;
  totals.launches += others.launches;
  totals.reruns += others.reruns;
  totals.ticks += others.ticks;
  totals.failures.push(...others.failures);
}

export const faultCount = ({ faults }: Totals): number => Object.values(faults).reduce((sum, count) => sum + count, 0);

export function failureOf(report: SimReport): Failure {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(3).padStart(9)} s`;
  const acts = report.acts.map(({ atMs, user, taskId, do: what }) => ({
    atMs,
    text: `user ${user}: ${what.kind} ${taskId} ${'document' in what ? JSON.stringify(what.document) : ''}`,
  }));
  const faults = report.injected.map(({ atMs, kind, process, id }) => ({
    atMs,
    text: `${kind} hits ${process} (${id})`,
  }));
  const wrong = report.violations.map(({ atMs, invariant, message }) => ({ atMs, text: `${invariant}: ${message}` }));
  const story = [...acts, ...faults, ...wrong].toSorted((a, b) => a.atMs - b.atMs);
  return {
    seed: report.seed,
    violations: report.violations.map(({ invariant, message }) => `${invariant}: ${message}`),
    story: story.map(({ atMs, text }) => `${seconds(atMs)}  ${text}`),
  };
}

export function textOf(totals: Totals, wallMs: number): string {
  const kinds = Object.entries(totals.faults).toSorted((a, b) => b[1] - a[1]);
  const lines = [
    `${totals.seeds} seeds in ${(wallMs / 1_000).toFixed(1)} s: ${totals.failures.length} with violations`,
    `${faultCount(totals)} faults: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
    `${totals.slots} slots decided, ${totals.launches} starts, ${totals.reruns} of them again, ${totals.ticks} ticks`,
  ];
  for (const { seed, violations, story } of totals.failures) {
    lines.push('', `seed ${seed}, to repeat: npm run sim -- --seeds 1 --start ${seed}`);
    lines.push(...violations.slice(0, 5).map((line) => `  ${line}`), ...story.map((line) => `    ${line}`));
  }
  return lines.join('\n');
}

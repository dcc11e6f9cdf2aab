/** What came of a run of chaos, for people and for programs. Pure. */
import type { TaskProblem, Verification } from '../../src/verification.ts';
import type { Verdict } from './checker.ts';
import { clockTime, type Fault, VIOLATIONS, type Violation } from './evidence.ts';

export interface Result {
  readonly minutes: number;
  readonly seed: number;
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
  readonly invocations: number;
  readonly failedInvocations: Readonly<Record<string, number>>;
  readonly escaped: readonly string[];
  /** What the records prove by themselves. */
  readonly verification: Verification;
}

/** More starts in vain than this share of all slots would be worth a look. */
const RERUN_SHARE_TARGET = 0.02;

/** Violations that are told in full. */
const TOLD_MAX = 20;

/** Faults this long before and after a slot are told with it. */
const AROUND_MS = 15_000;

export const holds = ({ verdict, escaped, verification }: Result): boolean =>
  verdict.violations.length === 0 && escaped.length === 0 && verification.holds;

export function asText(result: Result): string {
  const { verdict, faults, minutes, seed } = result;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const rows: [string, string | number][] = [
    ['minutes', minutes],
    ['seed', seed],
    ['faults', injected(faults).length],
    ...Object.entries(countBy(injected(faults))).map(([kind, count]): [string, number] => [`· ${kind}`, count]),
    ['stalls of busy processes', faults.length - injected(faults).length],
    ['slots', verdict.slots],
    ['records', verdict.records],
    ...Object.entries(verdict.byStatus).map(([status, count]): [string, number] => [`· ${status}`, count]),
    ['invocations', result.invocations],
    ['· that failed', sum(Object.values(result.failedInvocations))],
    [
      'reruns',
      `${verdict.reruns}, ${percent(verdict.rerunShare)} of slots (target: at most ${percent(RERUN_SHARE_TARGET)})`,
    ],
    ['stale starts fenced off', verdict.staleStarts],
    ['longest lateness without faults', `${verdict.latestCalmMs} ms`],
    ['longest lateness with faults', `${verdict.latestFaultyMs} ms`],
    ['launches that two holders were lost with', verdict.suspects],
    ['· longest lateness of these', `${verdict.latestSuspectMs} ms`],
    ...Object.entries(violationCounts(verdict)),
    ['slots that the records prove', result.verification.slots],
    ['· that they do not', unproven(result).length],
    ['errors that nobody caught', result.escaped.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const told = verdict.violations.slice(0, TOLD_MAX).map((violation) => violationText(violation, faults));
  const untold = verdict.violations.length - told.length;
  const rest = untold > 0 ? [`… and ${untold} more`] : [];
  return [...table, ...told, ...rest, ...unproven(result).map(unprovenLine), ...result.escaped].join('\n');
}

export const asJson = (result: Result): string =>
  JSON.stringify({
    minutes: result.minutes,
    seed: result.seed,
    holds: holds(result),
    faults: injected(result.faults).length,
    faultsByKind: countBy(injected(result.faults)),
    stalls: result.faults.length - injected(result.faults).length,
    ...result.verdict,
    counts: violationCounts(result.verdict),
    invocations: result.invocations,
    failedInvocations: result.failedInvocations,
    escaped: result.escaped,
    proven: result.verification.slots,
    unproven: unproven(result),
  });

/** What is overdue is late, which is judged by itself. */
const unproven = ({ verification }: Result): TaskProblem[] =>
  verification.problems.filter(({ problem }) => problem !== 'overdue');

const unprovenLine = ({ taskId, slot, problem, detail }: TaskProblem): string =>
  `RECORDS: ${taskId}, slot ${slot}: ${problem}: ${detail}`;

export function violationText({ what, taskId, slotMs, detail }: Violation, faults: readonly Fault[]): string {
  const around = faults
    .filter(({ fromMs, untilMs }) => fromMs <= slotMs + AROUND_MS && untilMs >= slotMs - AROUND_MS)
    .map((fault) => `    ${faultLine(fault)}`);
  return [`${what.toUpperCase()}: ${taskId}, slot ${clockTime(slotMs)}: ${detail}`, ...around].join('\n');
}

export function faultLine({ kind, worker, fromMs, untilMs }: Fault): string {
  const whom = worker === undefined ? '' : ` of worker ${worker}`;
  return `${clockTime(fromMs)} to ${untilMs === Infinity ? 'the end' : clockTime(untilMs)}  ${kind}${whom}`;
}

/** Those that were planned. */
const injected = (faults: readonly Fault[]): Fault[] => faults.filter(({ kind }) => kind !== 'stall');

function violationCounts({ violations }: Verdict): Record<string, number> {
  return Object.fromEntries(VIOLATIONS.map((kind) => [kind, violations.filter(({ what }) => what === kind).length]));
}

function countBy(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults.toSorted((one, other) => one.kind.localeCompare(other.kind))) {
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

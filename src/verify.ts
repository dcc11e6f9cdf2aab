/**
 * Proves from a task's records that no slot is missing and none was decided twice: recomputes the slots of its schedule
 * and looks for each. Pure.
 *
 * A slot is accounted for by the last run of its launch, or by a range of skipped slots; what a pause or a run's `nextAt`
 * has left out is no slot. What can be proven begins where the schedule was set, or where the history does.
 */
import type { EpochMs } from './clock.ts';
import { formatInstant } from './instant.ts';
import { MISFIRE_TOLERANCE_MS } from './plan.ts';
import type { RunRecord, TaskRecord } from './record.ts';
import { nextSlot, SLOTS_BETWEEN_MAX, slotsBetween } from './schedule.ts';

export interface SlotProblem {
  readonly slotMs: EpochMs;
  /**
   * `missing`: decided, and not recorded. `doubled`: recorded twice. `unexpected`: recorded, and no slot.
   * `overdue`: due for longer than a trigger takes, and not decided yet; nothing is lost by that.
   */
  readonly problem: 'missing' | 'doubled' | 'unexpected' | 'overdue';
  readonly detail: string;
}

/** What the records of one task say. */
export interface Verdict {
  /** Slots that were looked for. */
  readonly slots: number;
  readonly launched: number;
  readonly skipped: number;
  /** Waiting for another attempt. */
  readonly open: number;
  readonly problems: readonly SlotProblem[];
  /** Slots from here on were looked for. */
  readonly sinceMs: EpochMs;
  /** Why not earlier ones. */
  readonly because: 'asked' | 'registered' | 'history';
}

export interface Bounds {
  /** Default: as far as records go back. */
  readonly fromMs?: EpochMs;
  readonly untilMs: EpochMs;
  readonly nowMs: EpochMs;
}

/** Problems of one task that are listed; missing slots beyond are not looked for. */
const PROBLEMS_MAX = 100;

/** @param runs all that are kept, in any order. */
export function verifyTask(record: TaskRecord, runs: readonly RunRecord[], bounds: Bounds): Verdict {
  const since = provenSince(record, bounds);
  const accounts = accountsOf(record, runs);
  const walked = walk(record, accounts, since.sinceMs, bounds.untilMs);
  const { fromMs = 0, untilMs, nowMs } = bounds;
  const recorded = [...doubled(runs), ...unexpected(record, runs, since.sinceMs)];
  const problems = [
    ...walked.problems,
    ...recorded.filter(({ slotMs }) => fromMs <= slotMs && slotMs <= untilMs),
    ...overdue(record, nowMs),
  ];
  return { ...walked, ...since, problems: problems.slice(0, PROBLEMS_MAX) };
}

function provenSince(record: TaskRecord, { fromMs = 0 }: Bounds): Pick<Verdict, 'sinceMs' | 'because'> {
  const { task, registeredMs, forgottenMs = -1, supersededMs = -1 } = record;
  // What is due at the very moment of its registration counts for `after` alone.
  const registered = {
    sinceMs: Math.max(registeredMs + (task.schedule.kind === 'after' ? 0 : 1), supersededMs + 1),
    because: 'registered',
  } as const;
  const kept = { sinceMs: forgottenMs + 1, because: 'history' } as const;
  const asked = { sinceMs: fromMs, because: 'asked' } as const;
  return [registered, kept, asked].reduce((latest, each) => (each.sinceMs > latest.sinceMs ? each : latest));
}

const isTerminal = ({ retryMs }: RunRecord): boolean => retryMs === undefined;

interface Accounts {
  /** By the first slot that each accounts for. */
  readonly launched: ReadonlySet<EpochMs>;
  readonly ranges: readonly Range[];
  /** Where slots are left out; what `toMs` names is one. */
  readonly jumps: readonly Jump[];
}

interface Range {
  readonly firstMs: EpochMs;
  readonly lastMs: EpochMs;
  readonly count: number;
}

interface Jump {
  readonly afterMs: EpochMs;
  readonly toMs: EpochMs;
  /** Whether `toMs` is a slot though the schedule has none there. */
  readonly isSlot: boolean;
}

function accountsOf({ gaps = [], registeredRevision = 1 }: TaskRecord, runs: readonly RunRecord[]): Accounts {
  const launched = new Set<EpochMs>();
  const ranges: Range[] = [];
  const jumps: Jump[] = gaps.map(({ fromMs, untilMs }) => ({ afterMs: fromMs - 1, toMs: untilMs, isSlot: false }));
  for (const run of runs) {
    const { slotMs, lastSlotMs = slotMs, count = 1, revision, movedMs, movedFromMs = slotMs + 1 } = run;
    if (movedMs !== undefined) {
      // A launch by hand may have moved it back since: what lies before that is left out all the same.
      const backMs = Math.min(...runs.flatMap((later) => (isMovedBack(run, later) ? (later.movedMs ?? []) : [])));
      const isSlot = backMs === Infinity && revision >= registeredRevision;
      jumps.push({ afterMs: movedFromMs - 1, toMs: Math.min(movedMs, backMs), isSlot });
    }
    if (run.manual !== undefined) continue;
    if (run.status === 'skipped') ranges.push({ firstMs: slotMs, lastMs: lastSlotMs, count });
    else if (isTerminal(run)) launched.add(slotMs);
  }
  return { launched, ranges, jumps };
}

/** Whether a launch by hand moved the schedule to before the slot that `run` had moved it to. */
function isMovedBack(
  { slotMs, movedMs = 0, movedFromMs = slotMs + 1, finishedMs }: RunRecord,
  later: RunRecord,
): boolean {
  if (later.manual === undefined || later.movedMs === undefined || later.finishedMs < finishedMs) return false;
  const { movedFromMs: fromMs = later.slotMs + 1 } = later;
  return movedFromMs <= fromMs && fromMs <= movedMs && later.movedMs < movedMs;
}

type Walked = Pick<Verdict, 'slots' | 'launched' | 'skipped' | 'open' | 'problems'>;

/** From slot to slot, over ranges and gaps in one step: as many steps as there are records. */
function walk(record: TaskRecord, accounts: Accounts, sinceMs: EpochMs, untilMs: EpochMs): Walked {
  const { nextSlotMs, decidedMs = -1, retry } = record;
  const endMs = Math.min(nextSlotMs ?? decidedMs + 1, untilMs + 1);
  const counts = { slots: 0, launched: 0, skipped: 0, open: 0 };
  const problems: SlotProblem[] = [];
  for (let slotMs = slotFrom(record, accounts, sinceMs); slotMs < endMs && problems.length < PROBLEMS_MAX; ) {
    const range = accounts.ranges.find(({ firstMs, lastMs }) => firstMs <= slotMs && slotMs <= lastMs);
    let lastMs = slotMs;
    if (accounts.launched.has(slotMs)) counts.launched++;
    else if (range !== undefined) {
      lastMs = Math.min(range.lastMs, untilMs);
      const isWhole = range.firstMs === slotMs && lastMs === range.lastMs;
      const wrong = isWhole ? miscounted(record, range) : undefined;
      if (wrong !== undefined) problems.push(wrong);
      const skipped = isWhole ? range.count : slotsIn(record, slotMs, lastMs).total;
      counts.skipped += skipped;
      counts.slots += skipped - 1;
    } else if (retry?.slotMs === slotMs && retry.manual === undefined) counts.open++;
    else if (!isLeftOut(accounts, slotMs)) {
      problems.push({ slotMs, problem: 'missing', detail: 'decided, and in no record' });
    } else counts.slots--;
    counts.slots++;
    slotMs = slotFrom(record, accounts, lastMs + 1);
  }
  return { ...counts, problems };
}

/** The first slot from `fromMs` on: of the schedule, or one that a run has moved it to. */
function slotFrom({ task, registeredMs }: TaskRecord, { jumps }: Accounts, fromMs: EpochMs): EpochMs {
  const afterMs = Math.max(fromMs, task.startMs ?? fromMs) - 1;
  const nominalMs = nextSlot(task.schedule, afterMs, registeredMs) ?? Infinity;
  const moved = jumps.filter(({ isSlot, toMs }) => isSlot && toMs >= fromMs).map(({ toMs }) => toMs);
  return Math.min(nominalMs, ...moved);
}

/** Nobody had to decide it; but who had begun it already has recorded it. */
const isLeftOut = ({ jumps }: Accounts, slotMs: EpochMs): boolean =>
  jumps.some(({ afterMs, toMs }) => afterMs < slotMs && slotMs < toMs);

function slotsIn({ task, registeredMs }: TaskRecord, firstMs: EpochMs, lastMs: EpochMs) {
  const { total, totalIsExact } = slotsBetween(task.schedule, firstMs - 1, lastMs, registeredMs, SLOTS_BETWEEN_MAX);
  const isNominal = nextSlot(task.schedule, firstMs - 1, registeredMs) === firstMs;
  return { total: isNominal ? total : total + 1, totalIsExact };
}

/** A range says how many slots it holds: exactly, but for busy cron schedules after long outages. */
function miscounted(record: TaskRecord, { firstMs, lastMs, count }: Range): SlotProblem | undefined {
  const { total, totalIsExact } = slotsIn(record, firstMs, lastMs);
  if (count === total || (!totalIsExact && count <= total) || count >= SLOTS_BETWEEN_MAX) return undefined;
  const detail = `a range of ${count} skipped slots to ${formatInstant(lastMs)}, where the schedule has ${total}`;
  return { slotMs: firstMs, problem: count > total ? 'unexpected' : 'missing', detail };
}

/** Of all that is kept, launches by hand included: a slot is a launch's name. One by hand may lie within a range. */
function doubled(runs: readonly RunRecord[]): SlotProblem[] {
  const problems: SlotProblem[] = [];
  const named = new Set<EpochMs>();
  let lastMs = -1;
  for (const { slotMs, lastSlotMs = slotMs, manual } of runs
    .filter(isTerminal)
    .toSorted((a, b) => a.slotMs - b.slotMs)) {
    const isDoubled = named.has(slotMs) || (manual === undefined && slotMs <= lastMs);
    if (isDoubled) problems.push({ slotMs, problem: 'doubled', detail: 'two records account for it' });
    named.add(slotMs);
    if (manual === undefined) lastMs = Math.max(lastMs, lastSlotMs);
  }
  return problems;
}

function unexpected(record: TaskRecord, runs: readonly RunRecord[], sinceMs: EpochMs): SlotProblem[] {
  const { task, registeredMs, registeredRevision = 1 } = record;
  const moved = new Set(runs.flatMap(({ movedMs }) => movedMs ?? []));
  const strangers = runs.filter(
    ({ slotMs, revision, status, manual }) =>
      manual === undefined &&
      slotMs >= sinceMs &&
      // Begun by an earlier schedule, and closed under this one.
      status !== 'uncertain' &&
      revision >= registeredRevision &&
      !moved.has(slotMs) &&
      nextSlot(task.schedule, slotMs - 1, registeredMs) !== slotMs,
  );
  return strangers.map(({ slotMs, status }) => {
    const detail = `${status}, where neither the schedule nor a nextAt has a slot`;
    return { slotMs, problem: 'unexpected', detail };
  });
}

function overdue({ dueMs, ended, nextSlotMs, retry, manual }: TaskRecord, nowMs: EpochMs): SlotProblem[] {
  if (ended === 'removed' || dueMs === undefined || dueMs + MISFIRE_TOLERANCE_MS > nowMs) return [];
  const slotMs = retry?.slotMs ?? manual[0]?.slotMs ?? nextSlotMs ?? dueMs;
  return [{ slotMs, problem: 'overdue', detail: 'is anything ticking?' }];
}

/** What is going to be done to whom, and when: drawn from a seed before anything starts, so that a seed repeats it. Pure. */
import { Chance } from './chance.ts';

/** Done to one worker: its process, or its network. */
export const WORKER_FAULTS = [
  'kill-worker',
  'freeze-worker',
  'cut',
  'black-hole',
  'half-open',
  'delay',
  'drop-replies',
] as const;

/** Done to the ensemble: one at a time. */
export const ENSEMBLE_FAULTS = [
  'kill-follower',
  'kill-leader',
  'freeze-follower',
  'freeze-leader',
  'lose-quorum',
  'restart-all',
] as const;

/** Done with the trigger. */
export const TRIGGER_FAULTS = ['double-trigger', 'late-trigger'] as const;

export type FaultKind = (typeof WORKER_FAULTS | typeof ENSEMBLE_FAULTS | typeof TRIGGER_FAULTS)[number];

export interface Planned {
  /** From the start of the chaos. */
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly worker: number;
  /** Rather whoever is at work then. */
  readonly prefersBusy: boolean;
  /** In the middle of a run, as soon as there is one. */
  readonly inRun: boolean;
  readonly lastsMs: number;
  /** Of each answer, for `delay`; from a run's first sign of life, for what comes in the middle of one. */
  readonly delayMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: number;
  readonly sessionTimeoutMs: number;
}

const GAP_MS = [4_000, 12_000] as const;

/** A seed draws from so many kinds at least: others are never met then, and some combinations often. */
const KINDS_MIN = 6;
const KIND_SHARE = 0.7;

/** Servers that start again need so long until they serve; before, nothing else is done to the ensemble. */
const ENSEMBLE_RECOVERY_MS = 5_000;
const QUORUM_LOSS_MS = 4_000;

const ALL_FAULTS: readonly FaultKind[] = [...WORKER_FAULTS, ...ENSEMBLE_FAULTS, ...TRIGGER_FAULTS];

export const isEnsembleFault = (kind: FaultKind): boolean => (ENSEMBLE_FAULTS as readonly string[]).includes(kind);

export function planFaults({ seed, durationMs, workers, sessionTimeoutMs }: PlanOptions): Planned[] {
  const chance = new Chance(seed);
  const kinds = swarm(chance);
  const planned: Planned[] = [];
  let ensembleFreeMs = 0;
  for (let atMs = chance.between(1_000, GAP_MS[0]); atMs < durationMs; atMs += chance.between(...GAP_MS)) {
    const usable = kinds.filter((kind) => !isEnsembleFault(kind) || atMs >= ensembleFreeMs);
    const kind = chance.of(usable);
    const lastsMs = Math.min(lastingMs(kind, chance, sessionTimeoutMs), durationMs - atMs);
    const inRun = kind.endsWith('-worker') && chance.isLucky(0.5);
    const who = { worker: chance.between(0, workers - 1), prefersBusy: chance.isLucky(0.7), inRun };
    planned.push({ atMs, kind, ...who, lastsMs, delayMs: chance.between(50, 800) });
    if (isEnsembleFault(kind)) ensembleFreeMs = atMs + lastsMs + ENSEMBLE_RECOVERY_MS;
  }
  return planned;
}

/** Some kinds are left out, so that the others come close together. There is always one that is not for the ensemble. */
function swarm(chance: Chance): FaultKind[] {
  for (;;) {
    const kinds = ALL_FAULTS.filter(() => chance.isLucky(KIND_SHARE));
    if (kinds.length >= KINDS_MIN && kinds.some((kind) => !isEnsembleFault(kind))) return kinds;
  }
}

function lastingMs(kind: FaultKind, chance: Chance, sessionTimeoutMs: number): number {
  switch (kind) {
    case 'kill-worker':
      return chance.between(300, 2_000);
    case 'freeze-worker':
      return chance.between(sessionTimeoutMs, 3 * sessionTimeoutMs);
    case 'lose-quorum':
      return QUORUM_LOSS_MS;
    case 'cut':
      return chance.between(0, 3_000);
    case 'restart-all':
    case 'double-trigger':
      return 0;
    default:
      return chance.between(1_000, 6_000);
  }
}

/** One line. */
export function plannedLine({ atMs, kind, worker, prefersBusy, inRun, lastsMs, delayMs }: Planned): string {
  const whom = isEnsembleFault(kind) ? [] : [prefersBusy ? `the busy worker, or ${worker}` : `worker ${worker}`];
  const how = [...(lastsMs > 0 ? [`for ${lastsMs} ms`] : []), ...(kind === 'delay' ? [`by ${delayMs} ms`] : [])];
  const when = inRun ? ['in a run'] : [];
  return [`${(atMs / 1_000).toFixed(1).padStart(6)} s`, kind.padEnd(15), ...whom, ...when, ...how].join(' ');
}

/**
 * Daylight saving: from matches on the wall clock to instants. Two rules:
 *
 * | the job's local time           | job      | `vixie` (default)    | `skip`               |
 * |--------------------------------|----------|----------------------|----------------------|
 * | is missing (clock set forward) | fixed    | once, at the change  | not that day         |
 * | is missing                     | interval | not at that time     | not at that time     |
 * | comes twice (clock set back)   | fixed    | once, the first time | once, the first time |
 * | comes twice                    | interval | both times           | once, the first time |
 *
 * A *fixed* job has only numbers, lists and ranges for seconds, minutes and hours; an *interval* job has a `*` or a
 * step in one of them.
 *
 * `vixie` is what cron(8) does: a nightly job runs exactly once every night, an hourly one every hour. Clocks set
 * forward by more than three hours (Samoa left out a whole day in 2011) take the jobs of that time with them.
 * `skip` is the rule of EventBridge Scheduler: what the wall shows names the launch, so a time that is never shown is
 * skipped and one that is shown twice counts once. It follows that an interval job is silent while the clock repeats
 * itself; `vixie`, or `every`, keeps its rhythm.
 *
 * croner has a rule like `vixie` of its own. It is not used, because it loses fixed jobs where the missing time ends at
 * midnight: at 23:30 in Nuuk, every spring.
 */
import { highestWallUntil, type Located, locate, wallOf } from './zone.ts';

export const DST_RULES = ['vixie', 'skip'] as const;
/** What becomes of local times that do not exist, or exist twice; see the table above. */
export type DstRule = (typeof DST_RULES)[number];

/** The first match strictly later, in epoch ms (or in wall ms); undefined when there is none. */
export type Next = (afterMs: number) => number | undefined;

/** Clocks set forward by more are not daylight saving: cron(8) takes them for corrections. */
const MOVED_GAP_MAX_MS = 3 * 3_600_000;
/** Matches in a row that may fall into missing local times before the rule counts as one that never fires. */
const MISSING_MAX = 50;

/** The instants of a job in a zone, from the matches of its expression on a wall clock. */
export function inZone(nextWall: Next, zone: string, dst: DstRule, isFixed: boolean): Next {
  if (dst === 'vixie' && !isFixed) return everyTime(nextWall, zone);
  return firstTime(nextWall, zone, dst === 'vixie' ? MOVED_GAP_MAX_MS : 0);
}

/** A wall time fires when the clock first shows it, or at the change that leaves it out, if that is small enough. */
function firstTime(nextWall: Next, zone: string, movedGapMaxMs: number): Next {
  return (afterMs) => {
    const found = nextLocated(nextWall, zone, highestWallUntil(zone, afterMs), movedGapMaxMs);
    return found?.kind === 'skipped' ? found.changeMs : found?.firstMs;
  };
}

/** A wall time fires whenever the clock shows it. */
function everyTime(nextWall: Next, zone: string): Next {
  /** The first instant later than `fromMs` that shows a match later than `wallMs`, on a clock that runs on from there. */
  const search = (wallMs: number, fromMs: number): number | undefined => {
    const found = nextLocated(nextWall, zone, wallMs, 0);
    if (found === undefined || found.kind === 'skipped') return undefined;
    return found.kind === 'repeated' && found.firstMs <= fromMs ? found.secondMs : found.firstMs;
  };
  return (afterMs) => {
    const wallMs = wallOf(zone, afterMs);
    const here = locate(zone, wallMs);
    const slotMs = search(wallMs, afterMs);
    // From a time that will come again, the clock does not run on: it is set back first.
    if (here.kind !== 'repeated' || afterMs >= here.changeMs) return slotMs;
    if (slotMs !== undefined && slotMs < here.changeMs) return slotMs;
    return search(wallOf(zone, here.changeMs) - 1, here.changeMs - 1);
  };
}

/** The next match that the clock shows, or leaves out in a gap of at most `movedGapMaxMs`. Wider gaps are leapt over. */
function nextLocated(nextWall: Next, zone: string, afterWallMs: number, movedGapMaxMs: number): Located | undefined {
  let wallMs = afterWallMs;
  for (let missing = 0; missing < MISSING_MAX; missing++) {
    const matchMs = nextWall(wallMs);
    if (matchMs === undefined) return undefined;
    const located = locate(zone, matchMs);
    if (located.kind !== 'skipped' || located.gapMs <= movedGapMaxMs) return located;
    wallMs = wallOf(zone, located.changeMs) - 1;
  }
  return undefined;
}

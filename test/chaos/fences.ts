/** Whether fences kept out who had lost the lease. Pure. */
import type { EpochMs } from '../../src/clock.ts';
import { type Evidence, isExcused, markLine, runLine, type SeenRun, type Violation } from './evidence.ts';

/**
 * A server that lags behind, or has just thawed, may answer a reading with what was true this long ago; beyond that,
 * what a reading did not show was recorded after it.
 */
const READING_LAG_MS = 15_000;

interface Sighting {
  readonly fence: number;
  readonly atMs: EpochMs;
}

export function checkFences(evidence: Evidence): { staleStarts: number; violations: Violation[] } {
  const shards = new Map(evidence.tasks.map((task) => [task.id, task]));
  const newest = new Map<number, Sighting[]>();
  const violations: Violation[] = [];
  let staleStarts = 0;
  for (const mark of evidence.marks.filter(({ kind }) => kind === 'start')) {
    const task = shards.get(mark.taskId);
    if (task === undefined) continue;
    const seen = newest.get(task.shard) ?? [];
    const fence = seen.at(-1)?.fence ?? 0;
    if (mark.fence > fence) newest.set(task.shard, [...seen, { fence: mark.fence, atMs: mark.atMs }]);
    if (mark.fence >= fence) continue;
    staleStarts++;
    if (isExcused(mark, task.runMs, evidence)) continue;
    const detail = `${markLine(mark)}, though fence ${fence} was at work already`;
    violations.push({ what: 'fence going back', taskId: mark.taskId, slotMs: mark.slotMs, detail });
  }
  const last = new Map<string, SeenRun>();
  for (const run of evidence.runs) {
    const { taskId, slotMs } = run;
    const before = last.get(taskId);
    if (before !== undefined && before.fence > run.fence) {
      const detail = `${runLine(run)}; recorded after ${runLine(before)}`;
      violations.push({ what: 'fence going back', taskId, slotMs, detail });
    }
    last.set(taskId, run);
    const newer = newest.get(shards.get(taskId)?.shard ?? -1)?.find(({ fence }) => fence > run.fence);
    if (newer !== undefined && run.notBeforeMs - READING_LAG_MS > newer.atMs) {
      const detail = `${runLine(run)}; recorded after fence ${newer.fence} was at work`;
      violations.push({ what: 'stale record', taskId, slotMs, detail });
    }
  }
  return { staleStarts, violations };
}

/** What `verifyTask` must say of records that the engine made, and of the same with one of them taken out. */
import { isRemoved, type RunRecord, type TaskRecord } from '../../src/record.ts';
import { type Verdict, verifyTask } from '../../src/verify.ts';
import { isTerminal } from './task-records.ts';

/** Records that are taken out in turn. */
const TAKEN_OUT_MAX = 6;

const verify = (record: TaskRecord, runs: readonly RunRecord[], nowMs: number): Verdict =>
  verifyTask(record, runs, { nowMs, untilMs: nowMs });

export function holdProven(record: TaskRecord, runs: readonly RunRecord[], nowMs: number): void {
  if (isRemoved(record)) return;
  const found = verify(record, runs, nowMs).problems.filter(({ problem }) => problem !== 'overdue');
  if (found.length > 0) throw new Error(`the records do not add up: ${JSON.stringify(found)}`);
}

/** Begun, and passed over by an edit before it was closed: nobody had to decide it any more. */
const isLeftBehind = ({ reason = '' }: RunRecord): boolean => reason.includes('before the task was edited');

/** Without any one of them the proof finds its slot. */
export function holdNeedsEach(record: TaskRecord, runs: readonly RunRecord[], nowMs: number): void {
  if (isRemoved(record)) return;
  const { sinceMs } = verify(record, runs, nowMs);
  const needed = runs.filter(
    (run) => isTerminal(run) && run.manual === undefined && run.slotMs >= sinceMs && !isLeftBehind(run),
  );
  const apart = Math.ceil(needed.length / TAKEN_OUT_MAX);
  for (const run of needed.filter((_, i) => i % apart === 0)) {
    const others = runs.filter((each) => each !== run);
    const { problems } = verify(record, others, nowMs);
    if (problems.some(({ slotMs, problem }) => problem === 'missing' && slotMs === run.slotMs)) continue;
    throw new Error(`nobody misses ${JSON.stringify(run)}`);
  }
}

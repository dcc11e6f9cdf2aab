/** I7, and I2 in time: when nothing has gone wrong for a while, nothing is due, and nobody holds anything. */
import type { World } from '../world.ts';

/** Two triggers, a session's time-out and some work. */
const DUE_BOUND_MS = 150_000;
/** A task whose runs take longer than its slots are apart is never done, but it goes on. */
const PROGRESS_BOUND_MS = 240_000;

export function holdAtRest(world: World, endMs: number): void {
  const { observer, violations, ledger, profiles, runs, leases, told } = world;
  const endWallMs = world.time.wallMs - world.time.nowMs + endMs;
  const lastMs = new Map<string, number>();
  for (const { taskId, atMs } of ledger.entries) lastMs.set(taskId, atMs);
  for (const [taskId, { dueMs, task }] of observer.records) {
    if (dueMs === undefined || dueMs > endWallMs - DUE_BOUND_MS) continue;
    const kind = profiles.get(taskId)?.kind ?? 'quick';
    const isBusy = kind === 'slow' || kind === 'timing-out' || kind === 'failing';
    const isGoingOn = isBusy && (lastMs.get(taskId) ?? -Infinity) > endMs - PROGRESS_BOUND_MS;
    const lateMs = endWallMs - dueMs;
    violations.hold(isGoingOn, 'I7', () => `${taskId} (${kind}, ${task.overlap}) has been due for ${lateMs} ms`);
  }
  const poison = observer.records.get('poison');
  const runsOf = poison?.runs.filter(({ retryMs }) => retryMs === undefined) ?? [];
  for (const { slotMs, status } of runsOf) {
    const isDead = status === 'skipped' || poison?.deadSlots.includes(slotMs);
    violations.hold(isDead === true, 'I7', () => `poison@${slotMs} is ${status}, and no dead letter`);
  }
  leases.holdAtRest();
  told.holdAtRest(endWallMs);
  runs.holdReruns();
}

/** I1 to I3 once more, by the engine's own proof: what it says of a namespace that is at rest is that all holds. */
import type { Verification } from '../../../src/verification.ts';
import type { World } from '../world.ts';

/** More than reading all of it takes. */
const VERIFYING_MS = 60_000;

const EVENT_EVERY_MS = 1_000;

/** Nobody has its ordinal: nothing has hit this process. */
const ORDINAL = 99;

export async function holdVerified(world: World): Promise<void> {
  const { time, violations, observer } = world;
  const keeper = await world.keeper(world.process('verifier', ORDINAL));
  let verification: Verification | undefined;
  let failure: unknown;
  const verified = keeper.verify().then(
    (said) => {
      verification = said;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  // Time passes from event to event, and in an empty world there is none until the first request is on its way.
  for (let ms = 0; ms < VERIFYING_MS; ms += EVENT_EVERY_MS) time.after(ms, () => undefined);
  await time.runUntil(time.nowMs + VERIFYING_MS, () => verification !== undefined || failure !== undefined);
  if (verification === undefined) {
    violations.add('I13', `the verification has not ended, or failed: ${String(failure)}`);
    return;
  }
  await verified;
  const { holds, problems, tasks } = verification;
  const wrong = problems.filter(({ taskId, problem }) => problem !== 'overdue' && !isOverspent(world, taskId));
  for (const { taskId, slot, problem, detail } of wrong) {
    violations.add('I1', `verification: ${taskId} at ${slot}: ${problem}: ${detail}`);
  }
  const isUnfounded = !holds && problems.every(({ problem }) => problem === 'overdue');
  violations.hold(!isUnfounded, 'I1', () => 'verification: it does not hold, and nothing says why');
  const there = [...observer.records.values()].filter(({ ended }) => ended !== 'removed').length;
  violations.hold(tasks === there, 'I1', () => `verification: ${tasks} tasks, and ${there} are there`);
}

/**
 * A dead holder had begun a launch that is closed only after others have spent all the runs that the task may have: the
 * slots before it were never to be decided, which the record does not tell.
 */
function isOverspent({ observer }: World, taskId: string): boolean {
  const record = observer.records.get(taskId);
  return record?.task.maxRuns !== undefined && record.launches > record.task.maxRuns;
}

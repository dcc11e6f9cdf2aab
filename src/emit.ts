/**
 * An event becomes launches: of every task whose rules want it, once for each. Whatever fails in between, the event can be
 * delivered again: tasks that were launched for it answer with the launch that they have.
 */
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError, messageOf } from './errors.ts';
import { type BusEvent, type Emitted, envelopeOf } from './event.ts';
import type { EventIndex } from './event-index.ts';
import type { Answer, Hearings } from './hearings.ts';
import { formatInstant } from './instant.ts';
import { launchId } from './launch.ts';
import type { Layout } from './layout.ts';

export interface EmitDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly events: EventIndex;
  readonly hearings: Hearings;
  readonly now: () => Promise<EpochMs>;
}

/** Tasks that are looked at a time for one event. */
const TASKS_AT_ONCE = 8;

/**
 * @throws CronkeeperError `unavailable`, or `session-lost`: at least one task that wants the event could not take it now. The
 * others have; deliver it again.
 */
export async function emit({ session, layout, events, hearings, now }: EmitDeps, event: BusEvent): Promise<Emitted> {
  const ids = await events.wanting(session, layout, event);
  if (ids.length === 0) return { launches: [], refused: [] };
  const input = envelopeOf(event, formatInstant(await now()));
  const answers: Answer[] = new Array(ids.length);
  const waiting = ids.entries();
  const work = async () => {
    for (const [i, id] of waiting) answers[i] = await hearings.hear(id, event, input);
  };
  await Promise.all(Array.from({ length: TASKS_AT_ONCE }, work));
  const failures = answers.flatMap((answer) => (answer !== undefined && 'failure' in answer ? [answer.failure] : []));
  if (failures.length > 0) throw notTaken(event, failures, ids.length);
  return {
    launches: answers.flatMap((answer, i) => {
      if (answer === undefined || !('slotMs' in answer)) return [];
      return [{ launchId: launchId(ids[i] as string, answer.slotMs), slot: formatInstant(answer.slotMs) }];
    }),
    refused: answers.flatMap((answer, i) => {
      if (answer === undefined || !('refusal' in answer)) return [];
      return [{ taskId: ids[i] as string, message: answer.refusal }];
    }),
  };
}

/** A session that has ended is said as it is: on another one, the same may be tried at once. */
function notTaken({ id }: BusEvent, failures: readonly unknown[], count: number): unknown {
  const lost = failures.find((failure) => isCronkeeperError(failure, 'session-lost'));
  const bug = failures.find((failure) => !isCronkeeperError(failure) || failure.code === 'internal');
  if (lost !== undefined || bug !== undefined) return lost ?? bug;
  const [first] = failures;
  const message = `event ${id}: ${failures.length} of ${count} tasks could not take it: ${messageOf(first)}`;
  return new CronkeeperError('unavailable', message, { cause: first });
}

/**
 * An event becomes launches: of every task whose rules want it, once for each. Whatever fails in between, the event can be
 * delivered again: tasks that were launched for it answer with the launch that they have.
 */
import { fits } from './by-hand.ts';
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError, messageOf } from './errors.ts';
import { type BusEvent, type Emitted, envelopeOf } from './event.ts';
import type { EventIndex } from './event-index.ts';
import { wantsEvent } from './event-rules.ts';
import { eventsWaiting, hear, tooManyEvents } from './hear.ts';
import { formatInstant } from './instant.ts';
import { launchId } from './launch.ts';
import type { Layout } from './layout.ts';
import type { TaskRecord } from './record.ts';

export interface EmitDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly events: EventIndex;
  readonly now: () => Promise<EpochMs>;
  /** Changes a task's record; against faster changes, again. */
  readonly edit: (id: string, change: (record: TaskRecord, nowMs: EpochMs) => TaskRecord) => Promise<unknown>;
}

/** Tasks that are edited at a time for one event. */
const EDITS_IN_FLIGHT_MAX = 8;

/** What came of an event for one task; nothing: it does not want it (any more). */
type Answer = { readonly slotMs: EpochMs } | { readonly refusal: string } | { readonly failure: unknown } | undefined;

/**
 * @throws CronkeeperError `unavailable`, or what the coordinator failed with: at least one task that wants the event could not
 * take it now. The others have; deliver it again.
 */
export async function emit(deps: EmitDeps, event: BusEvent): Promise<Emitted> {
  const ids = await deps.events.wanting(deps.session, deps.layout, event);
  if (ids.length === 0) return { launches: [], refused: [] };
  const input = envelopeOf(event, formatInstant(await deps.now()));
  const answers: Answer[] = new Array(ids.length);
  const waiting = ids.entries();
  const work = async () => {
    for (const [i, id] of waiting) answers[i] = await launchFor(deps, id, event, input);
  };
  await Promise.all(Array.from({ length: EDITS_IN_FLIGHT_MAX }, work));
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

async function launchFor({ edit }: EmitDeps, id: string, event: BusEvent, input: unknown): Promise<Answer> {
  let answer: Answer;
  try {
    await edit(id, (record, nowMs) => {
      answer = undefined;
      if (!wantsEvent(record.task.on ?? [], event)) return record;
      const heard = hear(record, nowMs, { id: event.id, input });
      if (typeof heard === 'string') {
        answer = { refusal: `task ${id} ${heard}: not launched for it` };
        return record;
      }
      answer = { slotMs: heard.slotMs };
      if (heard.record === record || fits(heard.record)) return heard.record;
      // With others that wait there is no room now; alone, there never will be.
      if (eventsWaiting(record) > 0) throw tooManyEvents(record, 'its record has no room for more');
      answer = { refusal: `task ${id}: its record has no room for the event: not launched for it` };
      return record;
    });
    return answer;
  } catch (error) {
    if (isCronkeeperError(error, 'not-found')) return undefined;
    if (isCronkeeperError(error, 'corrupt')) return { refusal: error.message };
    return { failure: error };
  }
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

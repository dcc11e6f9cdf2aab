/**
 * Events on their way into the records of tasks. Those that come for a task while others of it are being written are written
 * together, in the order in which they came: a burst would only stand in its own way, each change refused by another's.
 */
import type { EpochMs } from './clock.ts';
import { fits } from './edit-ops.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import type { BusEvent } from './event.ts';
import { wantsEvent } from './event-rules.ts';
import { eventsWaiting, hear } from './hear.ts';
import type { TaskRecord } from './record.ts';

/** Events that are written together. */
const TOGETHER_MAX = 50;

/** What came of an event for one task; nothing: it does not want it (any more). A failure may pass. */
export type Answer =
  | { readonly slotMs: EpochMs }
  | { readonly refusal: string }
  | { readonly failure: unknown }
  | undefined;

/** Changes a task's record; against faster changes, again. */
export type EditRecord = (id: string, change: (record: TaskRecord, nowMs: EpochMs) => TaskRecord) => Promise<unknown>;

interface Hearing {
  readonly event: BusEvent;
  readonly input: unknown;
  readonly tell: (answer: Answer) => void;
}

export class Hearings {
  readonly #edit: EditRecord;
  /** By task, while somebody is at work for it. */
  readonly #waiting = new Map<string, Hearing[]>();

  constructor(edit: EditRecord) {
    this.#edit = edit;
  }

  /** @param input what the launch is given. */
  hear(id: string, event: BusEvent, input: unknown): Promise<Answer> {
    return new Promise((tell) => {
      const waiting = this.#waiting.get(id);
      if (waiting !== undefined) waiting.push({ event, input, tell });
      else {
        this.#waiting.set(id, [{ event, input, tell }]);
        this.#work(id);
      }
    });
  }

  async #work(id: string): Promise<void> {
    const waiting = this.#waiting.get(id) ?? [];
    while (waiting.length > 0) {
      const some = waiting.splice(0, TOGETHER_MAX);
      const answers = await this.#write(id, some);
      for (const [i, { tell }] of some.entries()) tell(answers[i]);
    }
    this.#waiting.delete(id);
  }

  /** Never rejects. */
  async #write(id: string, some: readonly Hearing[]): Promise<readonly Answer[]> {
    let answers: Answer[] = [];
    try {
      await this.#edit(id, (found, nowMs) => {
        answers = [];
        return some.reduce((record, hearing) => {
          const heard = hearOne(record, nowMs, hearing);
          answers.push(heard.answer);
          return heard.record;
        }, found);
      });
      return answers;
    } catch (error) {
      if (isCronkeeperError(error, 'not-found')) return [];
      return some.map(() => (isCronkeeperError(error, 'corrupt') ? { refusal: error.message } : { failure: error }));
    }
  }
}

function hearOne(
  record: TaskRecord,
  nowMs: EpochMs,
  { event, input }: Hearing,
): { record: TaskRecord; answer: Answer } {
  const { id, on = [] } = record.task;
  if (!wantsEvent(on, event)) return { record, answer: undefined };
  const heard = hear(record, nowMs, { id: event.id, input });
  if ('because' in heard) {
    return { record, answer: notHeard(`task ${id} ${heard.because}`, heard.mayPass) };
  }
  const answer = { slotMs: heard.slotMs };
  if (heard.record === record || fits(heard.record)) return { record: heard.record, answer };
  // With others that wait there is no room now; alone, there never will be.
  return { record, answer: notHeard(`task ${id} has no room in its record for the event`, eventsWaiting(record) > 0) };
}

const notHeard = (why: string, mayPass: boolean): Answer =>
  mayPass
    ? { failure: new CronkeeperError('unavailable', `${why}: deliver it again later`) }
    : { refusal: `${why}: not launched for it` };

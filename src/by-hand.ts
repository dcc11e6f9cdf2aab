/**
 * What is asked of a task by hand, beside its schedule: a launch, another one of what failed for good, those of a range
 * of past slots. What is asked is checked here; what becomes of the record is decided elsewhere.
 */
import type { AuditAction } from './audit.ts';
import { askBackfill } from './backfill.ts';
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { readDeadLetters } from './dead-letters.ts';
import { assertTaskId, invalidDocument, TASK_LIMITS } from './document.ts';
import { ask, byHandWaiting, MANUAL_MAX } from './edit.ts';
import { fits, fitting } from './edit-ops.ts';
import { CronkeeperError, messageOf, received } from './errors.ts';
import { formatInstant, parseInstant } from './instant.ts';
import { jsonProblem } from './json.ts';
import { launchId, slotOfLaunch } from './launch.ts';
import type { Layout } from './layout.ts';
import type { TaskRecord } from './record.ts';
import { redrive, redrivenBefore } from './redrive.ts';
import type { DeadLetter } from './settle.ts';
import { isLoaded, loadRecords } from './store.ts';
import type { BackfillAsked, BackfillRequest, LaunchAsked, Redrive, RedrivenLaunch, RunRequest } from './tasks.ts';

const KEY_LENGTH_MAX = 128;

export interface ByHandDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly maker: () => string;
  /** Changes a task's record; against faster changes, again. */
  readonly edit: (
    id: string,
    action: AuditAction,
    change: (record: TaskRecord, nowMs: EpochMs) => TaskRecord,
  ) => Promise<unknown>;
}

export class ByHand {
  readonly #deps: ByHandDeps;

  constructor(deps: ByHandDeps) {
    this.#deps = deps;
  }

  async run(id: string, request: RunRequest): Promise<LaunchAsked> {
    assertRunRequest(request);
    let slotMs = 0;
    // A key of our own where the caller has none: a change whose reply was lost must not be made twice.
    const keyed = { key: this.#deps.maker(), ...request };
    await this.#deps.edit(id, 'run', (record, nowMs) => {
      const asked = ask(record, nowMs, keyed);
      slotMs = asked.slotMs;
      return fitting(asked.record, record);
    });
    return askedView(id, slotMs);
  }

  async redrive(id: string, launch?: string): Promise<Redrive> {
    assertTaskId(id);
    return launch === undefined ? this.#redriveAll(id) : this.#redriveOne(id, deadSlotOf(id, launch));
  }

  async #redriveOne(id: string, deadSlotMs: EpochMs): Promise<Redrive> {
    const [letter] = await this.#lettersAt(id, [deadSlotMs]);
    let answer: Redrive | undefined;
    await this.#deps.edit(id, 'redrive', (record, nowMs) => {
      const knownMs = redrivenBefore(record, deadSlotMs);
      if (knownMs !== undefined) {
        answer = { launches: [redrivenView(id, knownMs, deadSlotMs)], left: record.deadSlots.length };
        return record;
      }
      if (letter === undefined || !record.deadSlots.includes(deadSlotMs)) throw noDeadLetter(id, deadSlotMs);
      const redriven = redrive(record, nowMs, letter);
      const left = redriven.record.deadSlots.length;
      answer = { launches: [redrivenView(id, redriven.slotMs, deadSlotMs)], left };
      return fitting(redriven.record, record);
    });
    return answer as Redrive;
  }

  /** As many as may wait, and as the record has room for; the others stay as they are. */
  async #redriveAll(id: string): Promise<Redrive> {
    const [found] = await loadRecords(this.#deps.session, this.#deps.layout, [id]);
    const letters = await this.#lettersAt(id, isLoaded(found) ? found.record.deadSlots : []);
    let answer: Redrive = { launches: [], left: 0 };
    await this.#deps.edit(id, 'redrive', (found, nowMs) => {
      const launches: RedrivenLaunch[] = [];
      let record = found;
      for (const letter of letters.filter(({ slotMs }) => found.deadSlots.includes(slotMs))) {
        if (byHandWaiting(record) >= MANUAL_MAX) break;
        const redriven = redrive(record, nowMs, letter);
        if (launches.length > 0 && !fits(redriven.record)) break;
        record = fitting(redriven.record, found);
        launches.push(redrivenView(id, redriven.slotMs, letter.slotMs));
      }
      answer = { launches, left: record.deadSlots.length };
      return record;
    });
    return answer;
  }

  async backfill(id: string, request: BackfillRequest): Promise<BackfillAsked> {
    const { from, to, key = this.#deps.maker() } = request;
    const problem = keyProblem(key);
    if (problem !== undefined) throw invalidDocument('backfill request', [{ field: 'key', message: problem }]);
    const wish = { fromMs: instantOf('from', from), untilMs: instantOf('to', to), key };
    let answer: BackfillAsked | undefined;
    await this.#deps.edit(id, 'backfill', (record, nowMs) => {
      if (wish.fromMs > wish.untilMs) throw wrongRange('from', from, 'an instant no later than `to`');
      if (wish.untilMs > nowMs) throw wrongRange('to', to, `an instant of the past; it is ${formatInstant(nowMs)}`);
      const { record: next, backfill } = askBackfill(record, nowMs, wish);
      const { count, fromMs, untilMs } = backfill;
      answer = { count, from: formatInstant(fromMs), to: formatInstant(untilMs) };
      return fitting(next, record);
    });
    return answer as BackfillAsked;
  }

  #lettersAt(id: string, slots: readonly EpochMs[]): Promise<DeadLetter[]> {
    return readDeadLetters(this.#deps.session, this.#deps.layout, id, slots);
  }
}

const askedView = (id: string, slotMs: EpochMs): LaunchAsked => ({
  launchId: launchId(id, slotMs),
  slot: formatInstant(slotMs),
});

const redrivenView = (id: string, slotMs: EpochMs, deadSlotMs: EpochMs): RedrivenLaunch => ({
  ...askedView(id, slotMs),
  redriveOf: launchId(id, deadSlotMs),
});

function deadSlotOf(id: string, launch: unknown): EpochMs {
  const slotMs = slotOfLaunch(id, launch);
  if (slotMs !== undefined) return slotMs;
  const message = `received ${received(launch)}; allowed: the id of a launch of this task, such as ${id}@1767225600000`;
  throw invalidDocument('redrive request', [{ field: 'launchId', message }]);
}

const noDeadLetter = (id: string, slotMs: EpochMs): CronkeeperError =>
  new CronkeeperError('not-found', `launch ${launchId(id, slotMs)} is no dead letter`);

function instantOf(field: 'from' | 'to', text: unknown): EpochMs {
  try {
    return parseInstant(text);
  } catch (error) {
    throw invalidDocument('backfill request', [{ field, message: messageOf(error) }]);
  }
}

const wrongRange = (field: 'from' | 'to', text: unknown, allowed: string): CronkeeperError =>
  invalidDocument('backfill request', [{ field, message: `received ${received(text)}; allowed: ${allowed}` }]);

function assertRunRequest({ input, key }: RunRequest): void {
  const wrongKey = key === undefined ? undefined : keyProblem(key);
  if (wrongKey !== undefined) throw invalidDocument('run request', [{ field: 'key', message: wrongKey }]);
  const problem = input === undefined ? undefined : jsonProblem(input);
  if (problem !== undefined) throw invalidDocument('run request', [{ field: 'input', message: problem }]);
  const bytes = input === undefined ? 0 : Buffer.byteLength(JSON.stringify(input) ?? '');
  if (bytes > TASK_LIMITS.inputBytesMax) {
    const message = `received ${bytes} bytes as JSON; allowed: at most ${TASK_LIMITS.inputBytesMax}`;
    throw invalidDocument('run request', [{ field: 'input', message }]);
  }
}

function keyProblem(key: unknown): string | undefined {
  if (typeof key === 'string' && key.length >= 1 && key.length <= KEY_LENGTH_MAX) return undefined;
  return `received ${received(key)}; allowed: a string of 1 to ${KEY_LENGTH_MAX} characters`;
}

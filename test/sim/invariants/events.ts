/** I15: an event launches a task once, what it launches has an end, and the index of events is what the records say. */
import { isRemoved } from '../../../src/record.ts';
import type { Observer, RecordChange, Transaction } from '../observer.ts';
import type { Violations } from '../violations.ts';

export class Events {
  /** Of each event, by the task that it launched: the slot. */
  readonly #slots = new Map<string, number>();
  readonly #observer: Observer;
  readonly #violations: Violations;

  constructor(observer: Observer, violations: Violations) {
    this.#observer = observer;
    this.#violations = violations;
  }

  onTransaction({ records }: Transaction): void {
    for (const change of records) {
      this.#holdOnce(change);
      this.#holdNoneLost(change);
      this.#holdIndex(change);
    }
  }

  #holdOnce({ taskId, after }: RecordChange): void {
    for (const { slotMs, eventId } of after?.manual ?? []) {
      if (eventId === undefined) continue;
      const key = `${taskId} of ${after?.createdMs}: ${eventId}`;
      const knownMs = this.#slots.get(key) ?? slotMs;
      this.#slots.set(key, knownMs);
      this.#violations.hold(knownMs === slotMs, 'I15', () => `${key} is launched at ${knownMs} and at ${slotMs}`);
    }
  }

  #holdNoneLost({ taskId, before, after, added }: RecordChange): void {
    if (before === undefined || after === undefined || isRemoved(after)) return;
    for (const { slotMs, eventId } of before.manual) {
      const isKept = after.manual.some((each) => each.slotMs === slotMs) || added.some((run) => run.slotMs === slotMs);
      this.#violations.hold(
        eventId === undefined || isKept,
        'I15',
        () => `${taskId}: the launch for ${eventId} is lost`,
      );
    }
  }

  #holdIndex({ taskId, after }: RecordChange): void {
    const { layout, tree } = this.#observer;
    const rules = after === undefined || isRemoved(after) ? [] : (after.task.on ?? []);
    const expected = rules.length === 0 ? undefined : JSON.stringify(rules);
    const found = tree.get(layout.eventRules(taskId))?.data;
    this.#violations.hold(found === expected, 'I15', () => `${taskId}: the index has ${found}, the record ${expected}`);
  }
}

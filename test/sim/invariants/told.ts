/**
 * I14: whatever a task's destinations are to be told of a record is in the outbox from that record on, until it has been
 * taken or given up; and a chain launches the next task once for it.
 */
import type { Condition } from '../../../src/destination.ts';
import { decodeMail, keyOf, type Mail } from '../../../src/mail.ts';
import { isRemoved, type RunRecord, type TaskRecord } from '../../../src/record.ts';
import type { NodeChange, Observer, RecordChange, Transaction } from '../observer.ts';
import type { Violations } from '../violations.ts';

/** Of what waits when nothing has gone wrong for a while: two triggers, and the longest wait between attempts by then. */
const OVERDUE_MS = 150_000;

const MAIL = /\/shards\/\d+\/(outbox|undelivered)\/[^/]+$/;

export class ToldOf {
  /** Keys of messages, with their destinations, that were taken. */
  readonly #taken = new Set<string>();
  /** … and that were to be told, by records. */
  readonly #owed = new Set<string>();
  readonly #launched = new Set<string>();
  readonly #observer: Observer;
  readonly #violations: Violations;

  constructor(observer: Observer, violations: Violations) {
    this.#observer = observer;
    this.#violations = violations;
  }

  get chained(): number {
    return this.#launched.size;
  }

  taken(key: string, url: string): void {
    const name = nameOf(key, { url });
    this.#violations.hold(this.#owed.has(name), 'I14', () => `${name} was told, and never recorded`);
    this.#taken.add(name);
  }

  onTransaction({ nodes, records }: Transaction): void {
    const before = keysIn(nodes, 'before');
    const after = keysIn(nodes, 'after');
    for (const change of records) {
      for (const run of change.added) this.#holdWritten(change, run, after);
      for (const name of chainsOf(change)) {
        this.#violations.hold(!this.#launched.has(name), 'I14', () => `${name} was launched twice`);
        const isMoved = before.has(name) && !after.has(name);
        this.#violations.hold(isMoved, 'I14', () => `${name} was launched, and not out of the outbox`);
        this.#launched.add(name);
      }
    }
    for (const name of before) {
      const isKept = after.has(name) || this.#taken.has(name) || this.#launched.has(name);
      this.#violations.hold(isKept, 'I14', () => `${name} is gone from the outbox, and nobody has it`);
    }
  }

  holdAtRest(endWallMs: number): void {
    for (const [path, { data }] of this.#observer.tree) {
      if (MAIL.exec(path)?.[1] !== 'outbox') continue;
      for (const mail of decodeMail(data).mails) {
        for (const { condition, destination, dueMs } of mail.to) {
          const name = nameOf(keyOf(mail, condition), destination);
          this.#violations.hold(dueMs > endWallMs - OVERDUE_MS, 'I14', () => `${name} has been due for too long`);
        }
      }
    }
  }

  #holdWritten({ before, after }: RecordChange, run: RunRecord, written: ReadonlySet<string>): void {
    if (before === undefined || after === undefined || run.attempt === 0 || run.retryMs !== undefined) return;
    if (isRemoved(before) || run.startedMs < before.createdMs) return;
    const { id, onSuccess = [], onFailure = [] } = after.task;
    const [condition, told]: [Condition, readonly object[]] =
      run.status === 'succeeded' ? ['success', onSuccess] : ['failure', onFailure];
    for (const destination of told) {
      const name = nameOf(`${id}@${run.slotMs}:${condition}`, destination);
      this.#violations.hold(written.has(name), 'I14', () => `${name} is not in the outbox with its record`);
      this.#owed.add(name);
    }
  }
}

const nameOf = (key: string, destination: object): string => `${key} ${JSON.stringify(destination)}`;

function keysIn(nodes: readonly NodeChange[], when: 'before' | 'after'): Set<string> {
  const mails = nodes.flatMap((change): readonly Mail[] => {
    const data = MAIL.test(change.path) ? change[when]?.data : undefined;
    return data === undefined ? [] : decodeMail(data).mails;
  });
  return new Set(mails.flatMap((mail) => mail.to.map((to) => nameOf(keyOf(mail, to.condition), to.destination))));
}

/** Launches that a change of a record has asked for by a chain. */
export function chainsOf({ before, after }: RecordChange): string[] {
  const known = new Set(before?.manual.map(({ slotMs }) => slotMs));
  return (after?.manual ?? []).flatMap(({ slotMs, depth, input }) =>
    depth === undefined || known.has(slotMs) ? [] : [nameOf(keyIn(input), { task: (after as TaskRecord).task.id })],
  );
}

const keyIn = (input: unknown): string => (input as { idempotencyKey: string }).idempotencyKey;

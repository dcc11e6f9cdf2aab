/**
 * Chains: a launch of another task, with what is told of the one before as its input. It is asked for in the transaction
 * that takes it out of the outbox, so it is asked for once, whatever is lost or repeated.
 */
import type { EpochMs } from './clock.ts';
import type { Op, Session } from './coordinator.ts';
import { newPages } from './due.ts';
import type { DueDirectories } from './due-directories.ts';
import { ask } from './edit.ts';
import { fitting } from './edit-ops.ts';
import { isCronkeeperError } from './errors.ts';
import { dueEntryOf } from './item.ts';
import type { Layout } from './layout.ts';
import { CHAIN_MAX, type Message, type Told } from './mail.ts';
import { isRemoved, type TaskRecord } from './record.ts';
import { encodeRecord } from './record-text.ts';
import { isLoaded, loadRecords } from './store.ts';

/** The longest until it is seen whether launches that wait have made room, ms. */
const ROOM_MS = 60_000;

export interface ChainDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly directories: DueDirectories;
  readonly maker: () => string;
  readonly now: () => EpochMs;
}

export interface Chaining {
  /** How many of the messages it takes, from the first. */
  readonly count: number;
  readonly ops: readonly Op[];
}

/** Undefined where one more launch is allowed. */
export const chainProblem = ({ depth }: Message): Told | undefined =>
  depth < CHAIN_MAX ? undefined : { is: 'refused', problem: `a chain has at most ${CHAIN_MAX} launches` };

/** What launches the task, once for each message as far as so many may wait; or why it does not. */
export async function chain(deps: ChainDeps, target: string, messages: readonly Message[]): Promise<Chaining | Told> {
  const { session, layout, directories, maker, now } = deps;
  const [found] = await loadRecords(session, layout, [target]);
  if (found === undefined) return { is: 'later', problem: 'there is no such task' };
  if (!isLoaded(found)) return { is: 'later', problem: 'its record cannot be read' };
  if (isRemoved(found.record)) return { is: 'later', problem: 'there is no such task' };
  const { record, count } = asking(found.record, messages, now());
  if (count === 0) return { is: 'later', problem: 'too many launches of it wait', mostMs: ROOM_MS };
  const entries = record.timer === found.record.timer ? [] : dueEntryOf(record);
  await directories.ensure(entries, layout);
  const ops: Op[] = [
    { op: 'set', path: layout.task(target), version: found.version, data: encodeRecord(record) },
    ...newPages(layout, entries, maker).ops,
    { op: 'set', path: layout.doorbell(layout.shardOf(target)), data: '' },
  ];
  return { count, ops };
}

function asking(before: TaskRecord, messages: readonly Message[], nowMs: EpochMs) {
  let record = before;
  let count = 0;
  for (const message of messages) {
    try {
      const asked = ask(record, nowMs, { input: message, depth: message.depth + 1 });
      record = fitting(asked.record, before);
      count++;
    } catch (error) {
      if (isCronkeeperError(error, 'too-large')) break;
      throw error;
    }
  }
  return { record, count };
}

/**
 * Which events launch which tasks: a node for each task that names events, written in the transaction that changes its record.
 * The directory's own data changes with every one of them, so whoever has read it all once asks one question per event. It
 * only finds the tasks to look at; what counts is the rules in a task's record.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Op, Session } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import { type EventParts, type EventRule, parseEventRules, wantsEvent } from './event-rules.ts';
import type { Layout } from './layout.ts';
import { isRemoved, type TaskRecord } from './record.ts';

/** Tasks of a namespace that name events: so many rules are gone through for each event, and read after each change. */
export const EVENT_TASKS_MAX = 1_000;

/** How often it is read again that changes meanwhile. */
const READS_MAX = 5;

/** Nodes of one read: at most 400 KiB, below what a reply may hold. */
const NODES_PER_READ = 100;

/** A record before a change, if there was one, and after it. */
export interface RulesChange {
  readonly before: TaskRecord | undefined;
  readonly after: TaskRecord;
}

const NO_RULES: readonly EventRule[] = [];

const rulesOf = (record: TaskRecord | undefined): readonly EventRule[] =>
  record === undefined || isRemoved(record) ? NO_RULES : (record.task.on ?? NO_RULES);

/** Most tasks have none, before and after. */
const haveChanged = ({ before, after }: RulesChange): boolean => {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  return old !== now && !isDeepStrictEqual(old, now);
};

/**
 * What is to be written with these changes of records. Puts at the same time may exceed the bound by what they bring.
 * @param stamp a name that nobody else has.
 * @throws CronkeeperError `too-large` when too many tasks would name events.
 */
export async function rulesOps(
  session: Session,
  layout: Layout,
  changes: readonly RulesChange[],
  stamp: () => string,
): Promise<Op[]> {
  const changed = changes.filter(haveChanged);
  if (changed.length === 0) return [];
  // What is there is looked at, not taken from the record: a node that is lost, or left over, must not stop an edit.
  const names = new Set(await session.children(layout.events));
  const before = names.size;
  const ops = changed.flatMap(({ after }): Op[] => {
    const { id } = after.task;
    const path = layout.eventRules(id);
    const rules = rulesOf(after);
    if (rules.length === 0) return names.delete(id) ? [{ op: 'remove', path }] : [];
    const data = JSON.stringify(rules);
    if (names.has(id)) return [{ op: 'set', path, data }];
    names.add(id);
    return [{ op: 'create', path, data }];
  });
  if (names.size > EVENT_TASKS_MAX && names.size > before) throw tooManyTasks(names.size);
  return [...ops, { op: 'set', path: layout.events, data: stamp() }];
}

const tooManyTasks = (count: number): CronkeeperError => {
  const message = `on: with it ${count} tasks of the namespace would name events; allowed: at most ${EVENT_TASKS_MAX}`;
  return new CronkeeperError('too-large', message);
};

type Rules = ReadonlyMap<string, readonly EventRule[]>;

/** What was read last, for as long as the directory says that nothing has changed. */
export class EventIndex {
  #known: { readonly stamp: string; readonly rules: Rules } | undefined;

  /** Ids of the tasks that want an event, sorted. */
  async wanting(session: Session, layout: Layout, event: EventParts): Promise<string[]> {
    const rules = await this.#rules(session, layout);
    return [...rules].flatMap(([id, wanted]) => (wantsEvent(wanted, event) ? [id] : [])).sort();
  }

  async #rules(session: Session, layout: Layout): Promise<Rules> {
    let directory = await session.get(layout.events);
    let rules: Rules = new Map();
    for (let read = 1; read <= READS_MAX && directory !== undefined; read++) {
      const { data: stamp } = directory;
      if (this.#known?.stamp === stamp) return this.#known.rules;
      rules = await readRules(session, layout);
      directory = await session.get(layout.events);
      if (directory?.data === stamp) this.#known = { stamp, rules };
    }
    // It changes without end: any state that was read is as good as another, since the records decide.
    return rules;
  }
}

async function readRules(session: Session, layout: Layout): Promise<Rules> {
  const names = (await session.children(layout.events)) ?? [];
  const rules = new Map<string, readonly EventRule[]>();
  for (let i = 0; i < names.length; i += NODES_PER_READ) {
    const ids = names.slice(i, i + NODES_PER_READ);
    const nodes = await session.getMany(ids.map((id) => layout.eventRules(id)));
    for (const [j, node] of nodes.entries()) rules.set(ids[j] as string, decodeRules(node?.data ?? '[]'));
  }
  return rules;
}

/** A node that somebody has damaged wants nothing: the events of the others go on. */
function decodeRules(text: string): readonly EventRule[] {
  try {
    return parseEventRules(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || isCronkeeperError(error, 'invalid')) return [];
    throw error;
  }
}

/**
 * The trigger port: what an event that starts a function asks for. A table of triggers is tried in order; each knows
 * the events of one source by their shape and turns them into a command. Pure.
 */
import { CronkeeperError, received } from './errors.ts';
import type { BusEvent } from './event.ts';

export interface TickCommand {
  readonly kind: 'tick';
  /** Absent: as the function is set up. */
  readonly lingerMs?: number;
  /** Only these shards. Absent: all of them. */
  readonly shards?: readonly number[];
  /** How many ticks asked for each other before this one. Absent: none, it was triggered. */
  readonly generation?: number;
}

export interface RunCommand {
  readonly kind: 'run';
  readonly taskId: string;
  /** In place of the task's. */
  readonly input?: unknown;
  /** Twice with one key launches once: the sender's, or the id of what brought the command. */
  readonly key: string;
}

/** Changes a task: twice is once, by nature. */
export interface TaskCommand {
  readonly kind: 'pause' | 'resume' | 'remove';
  readonly taskId: string;
}

export interface PutCommand {
  readonly kind: 'put';
  /** A task document, not looked into yet. */
  readonly task: unknown;
}

export interface EmitCommand {
  readonly kind: 'emit';
  readonly event: BusEvent;
}

export type Command = TickCommand | RunCommand | TaskCommand | PutCommand | EmitCommand;

export interface Trigger {
  /** Of the kind of event, for messages. */
  readonly name: string;
  matches(event: unknown): boolean;
  /**
   * For an event that matches. `id` names the invocation, for events that have no name of their own.
   * @throws CronkeeperError `invalid`, `too-large`
   */
  command(event: unknown, id: string): Command;
}

/** @throws CronkeeperError `invalid`, naming what was received, when no trigger knows the event; as the trigger does. */
export function commandOf(event: unknown, triggers: readonly Trigger[], id: string): Command {
  const trigger = triggers.find((candidate) => candidate.matches(event));
  if (trigger !== undefined) return trigger.command(event, id);
  throw refused('event', describeEvent(event), triggers.map(({ name }) => name).join(', '));
}

/** The records of an event that comes in batches; none are none. @throws CronkeeperError `invalid` */
export function recordsOf(event: unknown, allowed: string): readonly unknown[] {
  const records = isObject(event) ? event.Records : undefined;
  if (Array.isArray(records)) return records;
  throw refused('event', describeEvent(event), allowed);
}

const CORRELATION_LENGTH_MAX = 128;

export const refused = (field: string, what: string, allowed: string): CronkeeperError => {
  const message = `received ${what}; allowed: ${allowed}`;
  return new CronkeeperError('invalid', `${field}: ${message}`, { problems: [{ field, message }] });
};

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an event is known as to those who sent it, or logged it before us; undefined where it is not. */
export function correlationOf(event: unknown): string | undefined {
  if (!isObject(event)) return undefined;
  const { id, requestContext } = event;
  const name = isObject(requestContext) ? requestContext.requestId : id;
  return typeof name === 'string' && name.length <= CORRELATION_LENGTH_MAX ? name : undefined;
}

/** What an event seems to be, by the marks that AWS puts on its events; never its contents. */
export function describeEvent(event: unknown): string {
  if (!isObject(event)) return describeValue(event);
  const { Records, requestContext, source, 'detail-type': detailType } = event;
  const [record] = Array.isArray(Records) ? Records : [];
  if (isObject(record)) return `records from ${originOf(record)}`;
  if (requestContext !== undefined) return 'an HTTP request';
  if (source !== undefined) return `an event of ${received(detailType)} from ${received(source)}`;
  const origin = event.eventSource ?? event.EventSource;
  if (origin !== undefined) return `a record from ${originOf(event)}`;
  return `an object with ${received(Object.keys(event).join(', '))}`;
}

const originOf = (record: Readonly<Record<string, unknown>>): string =>
  received(record.eventSource ?? record.EventSource);

/** A text may be anything, so its contents are not shown. */
function describeValue(value: unknown): string {
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === undefined || value === null ? received(value) : `a ${typeof value}`;
}

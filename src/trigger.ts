/**
 * The trigger port: what an event that starts a function asks for. A table of triggers is tried in order; each knows
 * its events by their shape and turns them into a command. Pure.
 */
import { CronkeeperError, received } from './errors.ts';

export interface TickCommand {
  readonly kind: 'tick';
  /** Absent: as the function is set up. */
  readonly lingerMs?: number;
}

export type Command = TickCommand;

export interface Trigger {
  /** Of the kind of event, for messages. */
  readonly name: string;
  matches(event: unknown): boolean;
  /** For an event that matches. @throws CronkeeperError `invalid` */
  command(event: unknown): Command;
}

/** @throws CronkeeperError `invalid`, naming what was received, when no trigger knows the event. */
export function commandOf(event: unknown, triggers: readonly Trigger[]): Command {
  const trigger = triggers.find((candidate) => candidate.matches(event));
  if (trigger !== undefined) return trigger.command(event);
  const allowed = triggers.map(({ name }) => name).join(', ');
  throw new CronkeeperError('invalid', `event: received ${describeEvent(event)}; allowed: ${allowed}`);
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an event seems to be, by the marks that AWS puts on its events; never its contents. */
export function describeEvent(event: unknown): string {
  if (!isObject(event)) return received(event);
  const { Records, requestContext, source, 'detail-type': detailType } = event;
  const [record] = Array.isArray(Records) ? Records : [];
  if (isObject(record)) return `records from ${received(record.eventSource ?? record.EventSource)}`;
  if (requestContext !== undefined) return 'an HTTP request';
  if (source !== undefined) return `an event of ${received(detailType)} from ${received(source)}`;
  return `an object with ${received(Object.keys(event).join(', '))}`;
}

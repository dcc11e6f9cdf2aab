/**
 * What the text of a message asks for: a command, or the envelope of a service that the message has come through. A queue
 * may hold what a topic or a bus has sent, and a topic what a bus has.
 */
import { CronkeeperError } from '../errors.ts';
import { type Command, describeEvent, isObject, refused } from '../trigger.ts';
import { COMMAND_KINDS, isCommand, parseCommand } from './direct.ts';
import { eventBridgeTrigger } from './eventbridge.ts';
import { scheduleTrigger } from './schedule.ts';

/** The most that SQS, SNS and EventBridge carry. */
export const MESSAGE_BYTES_MAX = 1_048_576;

const ALLOWED = `JSON: an object with a command (${COMMAND_KINDS}), or an event of EventBridge`;

/**
 * @param id of the message, the same each time it is delivered.
 * @throws CronkeeperError `invalid`, `too-large`. The contents are not shown: they may hold secrets.
 */
export const messageCommand = (field: string, text: unknown, id: string): Command =>
  commandIn(field, parsed(field, text), id);

/** A message of a queue, which a topic may have put there with an envelope around it. */
export function queuedCommand(field: string, text: unknown, id: string): Command {
  const value = parsed(field, text);
  return isNotification(value)
    ? messageCommand(`${field}.Message`, value.Message, value.MessageId)
    : commandIn(field, value, id);
}

function commandIn(field: string, value: unknown, id: string): Command {
  if (scheduleTrigger.matches(value)) return scheduleTrigger.command(value, id);
  if (eventBridgeTrigger.matches(value)) return eventBridgeTrigger.command(value, id);
  if (isCommand(value)) return parseCommand(value, id);
  throw refused(field, describeEvent(value), ALLOWED);
}

interface Notification {
  readonly MessageId: string;
  readonly Message: unknown;
}

const isNotification = (value: unknown): value is Notification =>
  isObject(value) && value.Type === 'Notification' && typeof value.MessageId === 'string' && 'Message' in value;

function parsed(field: string, text: unknown): unknown {
  if (typeof text !== 'string') throw refused(field, describeEvent(text), 'text');
  const bytes = Buffer.byteLength(text);
  if (bytes > MESSAGE_BYTES_MAX) {
    const message = `received ${bytes} bytes; allowed: at most ${MESSAGE_BYTES_MAX}`;
    throw new CronkeeperError('too-large', `${field}: ${message}`, { problems: [{ field, message }] });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw refused(field, `${text.length} characters that are no JSON`, ALLOWED);
  }
}

/**
 * Events of an EventBridge bus, ours and AWS's. Each is an event for the tasks that name it, but those of one detail type
 * are commands: who sends them still shows in their source, which a rule and the bus's policy can be about.
 */
import { CronkeeperError } from '../errors.ts';
import { isObject, refused, type Trigger } from '../trigger.ts';
import { busEventOf, busEventProblems } from './bus-event.ts';
import { COMMAND_KINDS, isCommand, parseCommand } from './direct.ts';

export const COMMAND_DETAIL_TYPE = 'Cronkeeper Command';

export const eventBridgeTrigger: Trigger = {
  name: 'an event of an EventBridge bus',
  matches: (event) => isObject(event) && 'detail-type' in event && 'source' in event && 'detail' in event,
  command: (event, id) => {
    const problems = busEventProblems(event as Readonly<Record<string, unknown>>);
    if (problems.length > 0) {
      const list = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
      throw new CronkeeperError('invalid', `invalid event: ${list}`, { problems });
    }
    const busEvent = busEventOf(event, id);
    if (busEvent.detailType !== COMMAND_DETAIL_TYPE) return { kind: 'emit', event: busEvent };
    if (isCommand(busEvent.detail)) return parseCommand(busEvent.detail, busEvent.id);
    throw refused('detail', `a ${typeof busEvent.detail}`, `an object with a command: ${COMMAND_KINDS}`);
  },
};

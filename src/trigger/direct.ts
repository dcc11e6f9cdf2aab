/** A command as it is: a call by hand, or a schedule with an input of its own. */
import { CronkeeperError, type Problem, received } from '../errors.ts';
import { LINGER_MS_MAX } from '../tick.ts';
import { type Command, isObject, type Trigger } from '../trigger.ts';

const FIELDS = ['command', 'lingerMs'];

export const directTrigger: Trigger = {
  name: 'a command such as {"command":"tick","lingerMs":55000}',
  /** Nothing at all is a tick: a call by hand without a payload. */
  matches: (event) => isEmpty(event) || (isObject(event) && ('command' in event || 'lingerMs' in event)),
  command: (event) => (isObject(event) ? tickCommand(event) : { kind: 'tick' }),
};

const isEmpty = (event: unknown): boolean =>
  event === undefined || event === null || event === '' || (isObject(event) && Object.keys(event).length === 0);

function tickCommand(event: Readonly<Record<string, unknown>>): Command {
  const { command = 'tick', lingerMs } = event;
  const problems: Problem[] = Object.keys(event)
    .filter((key) => !FIELDS.includes(key))
    .map((field) => ({ field, message: `unknown; allowed: ${FIELDS.join(', ')}` }));
  if (command !== 'tick') {
    problems.push({ field: 'command', message: `received ${received(command)}; allowed: "tick"` });
  }
  if (lingerMs === undefined || isLinger(lingerMs)) {
    if (problems.length === 0) return { kind: 'tick', ...(lingerMs !== undefined && { lingerMs }) };
  } else {
    const message = `received ${received(lingerMs)}; allowed: a whole number from 0 to ${LINGER_MS_MAX}`;
    problems.push({ field: 'lingerMs', message });
  }
  const list = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new CronkeeperError('invalid', `invalid command: ${list}`, { problems });
}

const isLinger = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LINGER_MS_MAX;

/** A command as it is: a call by hand, or a schedule with an input of its own. */
import { CronkeeperError, type Problem, received } from '../errors.ts';
import { TASK_ID_PATTERN } from '../layout.ts';
import { LINGER_MS_MAX } from '../tick.ts';
import { type Command, isObject, type Trigger } from '../trigger.ts';
import { busEventOf, busEventProblems } from './bus-event.ts';
import { SHARING_FIELDS, sharingOf } from './sharing.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => string | readonly Problem[] | undefined;

interface Form {
  /** What each field beside `command` must be; a problem, or undefined. */
  readonly fields: Readonly<Record<string, Check>>;
  /** For fields that are right. `id` names what brought the command. */
  readonly command: (fields: Fields, id: string) => Command;
}

/** As long as the registry takes it. */
const KEY_LENGTH_MAX = 128;

const taskId: Check = (value) =>
  typeof value === 'string' && TASK_ID_PATTERN.test(value)
    ? undefined
    : `received ${received(value)}; allowed: 1 to 128 characters from A-Z a-z 0-9 . _ -`;

const lingerMs: Check = (value) =>
  value === undefined || (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LINGER_MS_MAX)
    ? undefined
    : `received ${received(value)}; allowed: a whole number from 0 to ${LINGER_MS_MAX}`;

const key: Check = (value) =>
  value === undefined || (typeof value === 'string' && value.length >= 1 && value.length <= KEY_LENGTH_MAX)
    ? undefined
    : `received ${received(value)}; allowed: a text of 1 to ${KEY_LENGTH_MAX} characters`;

const task: Check = (value) => (isObject(value) ? undefined : `received ${typeof value}; allowed: a task document`);

const event: Check = (value) =>
  isObject(value)
    ? busEventProblems(value)
    : `received ${value === undefined ? 'nothing' : typeof value}; allowed: an event with source, detailType and detail`;

const ofTask = (kind: 'pause' | 'resume' | 'remove'): Form => ({
  fields: { taskId },
  command: (fields) => ({ kind, taskId: String(fields.taskId) }),
});

/** The commands there are. What they may carry is checked here; a task or an input, where it is stored. */
const FORMS: Readonly<Record<Command['kind'], Form>> = {
  tick: {
    fields: { lingerMs, ...SHARING_FIELDS },
    command: (fields) => ({
      kind: 'tick',
      ...(fields.lingerMs !== undefined && { lingerMs: Number(fields.lingerMs) }),
      ...sharingOf(fields),
    }),
  },
  run: {
    fields: { taskId, input: () => undefined, key },
    command: ({ taskId, input, key }, id) => ({
      kind: 'run',
      taskId: String(taskId),
      ...(input !== undefined && { input }),
      key: String(key ?? id),
    }),
  },
  pause: ofTask('pause'),
  resume: ofTask('resume'),
  remove: ofTask('remove'),
  put: { fields: { task }, command: ({ task }) => ({ kind: 'put', task }) },
  emit: {
    fields: { event },
    command: ({ event }, id) => ({ kind: 'emit', event: busEventOf(event, id) }),
  },
};

export const COMMAND_KINDS = Object.keys(FORMS).join(', ');

/** A command that says so. */
export const commandTrigger: Trigger = {
  name: 'a command such as {"command":"run","taskId":"daily-report"}',
  matches: (event) => isCommand(event),
  command: (event, id) => parseCommand(event as Fields, id),
};

/** A tick by hand: a command, a linger alone, or nothing at all, a call without a payload. */
export const directTrigger: Trigger = {
  name: 'a command such as {"command":"tick","lingerMs":55000}',
  matches: (event) => isEmpty(event) || isCommand(event) || (isObject(event) && 'lingerMs' in event),
  command: (event, id) => parseCommand({ command: 'tick', ...(isObject(event) && event) }, id),
};

export const isCommand = (value: unknown): value is Fields => isObject(value) && 'command' in value;

const isEmpty = (event: unknown): boolean =>
  event === undefined || event === null || event === '' || (isObject(event) && Object.keys(event).length === 0);

/**
 * @param id names what brought the command, the same each time it is delivered.
 * @throws CronkeeperError `invalid`, with every wrong field.
 */
export function parseCommand({ command, ...fields }: Fields, id: string): Command {
  const form =
    typeof command === 'string' && Object.hasOwn(FORMS, command) ? FORMS[command as Command['kind']] : undefined;
  if (form === undefined) {
    throw invalidCommand([{ field: 'command', message: `received ${received(command)}; allowed: ${COMMAND_KINDS}` }]);
  }
  const names = Object.keys(form.fields);
  const unknown = Object.keys(fields)
    .filter((field) => !names.includes(field))
    .map((field): Problem => ({ field, message: `unknown; allowed for ${command}: ${names.join(', ')}` }));
  const wrong = names.flatMap((field) => problemsOf(field, form.fields[field]?.(fields[field])));
  if (unknown.length + wrong.length > 0) throw invalidCommand([...unknown, ...wrong]);
  return form.command(fields, id);
}

function problemsOf(field: string, found: ReturnType<Check>): readonly Problem[] {
  if (found === undefined) return [];
  if (typeof found === 'string') return [{ field, message: found }];
  return found.map((problem) => ({ ...problem, field: `${field}.${problem.field}` }));
}

function invalidCommand(problems: readonly Problem[]): CronkeeperError {
  const list = problems.map(({ field, message }) => `${received(field).slice(1, -1)}: ${message}`).join('; ');
  return new CronkeeperError('invalid', `invalid command: ${list}`, { problems });
}

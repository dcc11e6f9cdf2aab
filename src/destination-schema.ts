/** Where the end of a launch is told, as documents name it. Pure. */
import * as z from 'zod';
import { parseBus, parseQueue, parseTopic } from './arn.ts';
import {
  DESTINATION_FIELDS,
  DESTINATIONS_MAX,
  type Destination,
  type DestinationKind,
  type Said,
} from './destination.ts';
import { received } from './errors.ts';
import { TASK_ID_PATTERN } from './layout.ts';

const URL_CHARS_MAX = 2_048;

interface Kind {
  readonly allowed: string;
  /** The normal form; undefined for what it is not. */
  readonly read: (text: string) => string | undefined;
}

const sound = (isSound: boolean, text: string): string | undefined => (isSound ? text : undefined);

const KINDS: Readonly<Record<DestinationKind, Kind>> = {
  url: { allowed: 'a URL of https without credentials, of at most 2048 characters', read: readUrl },
  queue: {
    allowed: 'the URL or the ARN of an SQS queue',
    read: (text) => sound(parseQueue(text) !== undefined, text),
  },
  topic: { allowed: 'the ARN of an SNS topic', read: (text) => sound(parseTopic(text) !== undefined, text) },
  bus: {
    allowed: 'the name or the ARN of an EventBridge bus',
    read: (text) => sound(parseBus(text) !== undefined, text),
  },
  task: {
    allowed: 'the id of another task of the namespace',
    read: (text) => sound(TASK_ID_PATTERN.test(text), text),
  },
};

const NAMES = Object.keys(KINDS);
const ALLOWED = `an object with one of ${NAMES.join(', ')}`;

function readUrl(text: string): string | undefined {
  if (text.length > URL_CHARS_MAX || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return url.href;
}

export const DESTINATION_JSON_SCHEMA = {
  type: 'object',
  oneOf: NAMES.map((name) => ({ type: 'object', required: [name], properties: { [name]: { type: 'string' } } })),
  description: 'Where to: a URL of https, an SQS queue, an SNS topic, an EventBridge bus, or a task of the namespace.',
} as const;

const destination = z
  .unknown()
  .transform((value, context): Destination => {
    const [[name = '', text] = [], ...others] = Object.entries(Object(value)) as [string?, unknown?][];
    const refuse = (path: string[], input: unknown, allowed: string): never => {
      context.addIssue({ code: 'custom', path, input, message: `received ${received(input)}; allowed: ${allowed}` });
      return z.NEVER;
    };
    if (others.length > 0 || !Object.hasOwn(KINDS, name)) return refuse([], value, ALLOWED);
    const { allowed, read } = KINDS[name as DestinationKind];
    const normal = typeof text === 'string' ? read(text) : undefined;
    return normal === undefined ? refuse([name], text, allowed) : ({ [name]: normal } as unknown as Destination);
  })
  .meta({ override: DESTINATION_JSON_SCHEMA });

/** One, or a list of at most five. */
const destinations = (when: string) =>
  z
    .preprocess(
      (value) => (Array.isArray(value) || value === undefined ? value : [value]),
      z.array(destination).max(DESTINATIONS_MAX, `a list of at most ${DESTINATIONS_MAX} destinations`).optional(),
    )
    .optional()
    .meta({
      override: {
        anyOf: [DESTINATION_JSON_SCHEMA, { type: 'array', items: DESTINATION_JSON_SCHEMA, maxItems: DESTINATIONS_MAX }],
      },
      description: when,
    });

export const destinationFields = {
  onSuccess: destinations('Told of every launch that succeeded.'),
  onFailure: destinations('Told of every launch that has failed after its last attempt, or whose end is not known.'),
  onDeadLetter: destinations('Told of every launch that became a dead letter.'),
};

/** Refuses a chain from a task to itself: a mistake would keep it busy until the end of the chain. */
export function refuseOwn(document: Said & { readonly id: string }, context: z.RefinementCtx): void {
  for (const field of DESTINATION_FIELDS) {
    for (const [i, to] of (document[field] ?? []).entries()) {
      if (!('task' in to) || to.task !== document.id) continue;
      const message = `received ${received(to.task)}; allowed: ${KINDS.task.allowed}`;
      context.addIssue({ code: 'custom', path: [field, i, 'task'], input: to.task, message });
    }
  }
}

/**
 * The task document: what users write, and its normal form, which the engine reads. Everything a document may say,
 * with its defaults and bounds, is in this file; `docs` and the OpenAPI page are made from the same schema.
 */
import * as z from 'zod';
import type { EpochMs } from './clock.ts';
import { type Destinations, type DestinationsDocument, destinationsOf } from './destination.ts';
import { destinationFields, refuseOwn } from './destination-schema.ts';
import { invalidDocument, TASK_ID_ALLOWED, TASK_LIMITS } from './document.ts';
import { parseDuration } from './duration.ts';
import { isCronkeeperError, type Problem, received } from './errors.ts';
import type { CodeKind, Program } from './evaluator.ts';
import { EVENT_RULES_JSON_SCHEMA, type EventRule, type EventRuleDocument, parseEventRules } from './event-rules.ts';
import { parseInstant } from './instant.ts';
import { jsonProblem } from './json.ts';
import { TASK_ID_PATTERN } from './layout.ts';
import { ORIGIN_ALLOWED, parseOrigin } from './origin.ts';
import { type Document, LABEL_NAME_PATTERN, plainReader } from './plain-document.ts';
import { rememberPrograms } from './program.ts';
import { parseSchedule, SCHEDULE_JSON_SCHEMA, type Schedule, type ScheduleDocument } from './schedule.ts';

export type MisfirePolicy = 'skip' | 'once' | 'all';
export type OverlapPolicy = 'skip' | 'queue';
export type Delivery = 'at-least-once' | 'at-most-once';

/** The normal form of a task document: times in ms, defaults filled in, the code by its hash. */
export interface Task extends Destinations {
  readonly id: string;
  readonly schedule: Schedule;
  /** Events that launch it, beside its schedule; absent: none were spoken of. */
  readonly on?: readonly EventRule[];
  /** Hash and kind of the code; the source is stored once per hash. */
  readonly code: { readonly hash: string; readonly kind: CodeKind };
  readonly input: unknown;
  readonly startMs?: EpochMs;
  readonly endMs?: EpochMs;
  readonly maxRuns?: number;
  /** The launches of a slot are moved by a stable hash of the id, up to this far. */
  readonly spreadMs: number;
  readonly paused: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly misfire: { readonly policy: MisfirePolicy; readonly windowMs: number; readonly max: number };
  readonly overlap: OverlapPolicy;
  readonly retry: Retry;
  readonly timeoutMs: number;
  readonly delivery: Delivery;
  readonly capabilities: { readonly fetch: readonly string[]; readonly call: readonly string[] };
  /** Runs kept. */
  readonly history: number;
}

export interface Retry {
  /** Attempts at a launch in all, the first included. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: boolean;
}

/** A text that becomes something else, or a list of what is wrong with it. */
function parsed<T>(allowed: string, parse: (value: string) => T) {
  return z.string(allowed).transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : allowed, input: value });
      return z.NEVER;
    }
  });
}

const duration = (minMs: number, maxMs: number, range: string) =>
  parsed(`a duration of ${range}, such as "30s" or "5m"`, (text) => {
    const ms = parseDuration(text);
    if (ms < minMs || ms > maxMs) throw new Error(`received ${received(text)}; allowed: a duration of ${range}`);
    return ms;
  }).meta({ description: `A duration of ${range}, such as \`30s\`, \`5m\`, \`1h30m\`.` });

const instant = parsed('an ISO 8601 instant with an offset, such as "2026-03-01T09:00:00Z"', parseInstant).meta({
  format: 'date-time',
});

const whole = (min: number, max: number) => {
  const allowed = `a whole number from ${min} to ${max}`;
  return z.int(allowed).min(min, allowed).max(max, allowed);
};

/** Strings of at most so many characters. */
const shortText = (min: number, max: number) => {
  const allowed = `a string of ${min} to ${max} characters`;
  return z.string(allowed).min(min, allowed).max(max, allowed);
};

const listOf = <Each extends z.ZodType>(what: string, each: Each, max: number) => {
  const allowed = `a list of at most ${max} ${what}`;
  return z.array(each, allowed).max(max, allowed).default([]);
};

/** An object with these keys and no others. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  const error = ({ code }: { code: string }) =>
    code === 'unrecognized_keys' ? `${UNKNOWN_KEY}; allowed: ${keys}` : `an object with ${keys}`;
  return z.strictObject(shape, { error });
}

const UNKNOWN_KEY = 'unknown key';

/** Unknown keys that are named, and characters of each: enough for typos, not for a flood. */
const UNKNOWN_KEYS_MAX = 10;
const KEY_LENGTH_MAX = 64;

const jsonValue = (bytesMax: number) =>
  z.unknown().superRefine((value, context) => {
    const problem = jsonProblem(value);
    const isTooLarge = problem === undefined && Buffer.byteLength(JSON.stringify(value)) > bytesMax;
    const message = isTooLarge ? `allowed: at most ${bytesMax} bytes as JSON` : problem;
    if (message !== undefined) context.addIssue({ code: 'custom', message, input: value });
  });

const origin = parsed(ORIGIN_ALLOWED, parseOrigin).meta({ format: 'uri' });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 366 * DAY;

/** A part of the document that tells its problems itself. */
const part = <T>(parse: (value: unknown) => T) =>
  z.unknown().transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      if (!isCronkeeperError(error, 'invalid')) throw error;
      for (const { field, message } of error.problems) {
        context.addIssue({ code: 'custom', message, path: field === '' ? [] : field.split('.'), input: value });
      }
      return z.NEVER;
    }
  });

const schedule = part((value) => parseSchedule(value, '')).meta({ override: SCHEDULE_JSON_SCHEMA });

const eventRules = part(parseEventRules).meta({ override: EVENT_RULES_JSON_SCHEMA });

const taskId = z.string(TASK_ID_ALLOWED).regex(TASK_ID_PATTERN, `${TASK_ID_ALLOWED}, other than . and ..`);

const FACTOR = 'a number from 1 to 10';

/** Refinements that do not wait until all else is right. */
const isObjectAtAll = ({ value }: { readonly value: unknown }) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The document as users write it. */
export const taskSchema = section({
  id: taskId,
  schedule: schedule.optional(),
  on: eventRules.optional(),
  code: z
    .string('JavaScript source text')
    .min(1, 'JavaScript source text, not empty')
    .refine((code) => Buffer.byteLength(code) <= TASK_LIMITS.codeBytesMax, {
      error: `at most ${TASK_LIMITS.codeBytesMax} bytes of source`,
    }),
  input: jsonValue(TASK_LIMITS.inputBytesMax).default(null),
  start: instant.optional(),
  end: instant.optional(),
  maxRuns: whole(1, 1_000_000_000).optional(),
  spread: duration(0, DAY, '0s to 1d').optional(),
  paused: z.boolean('true or false').optional().meta({ description: 'Left out: as it is; a new task is not paused.' }),
  labels: z
    .record(
      z.string().regex(LABEL_NAME_PATTERN, 'a label name of 1 to 64 characters from A-Z a-z 0-9 . _ / -'),
      shortText(0, TASK_LIMITS.labelCharsMax),
      'an object of label names and strings',
    )
    .refine((labels) => Object.keys(labels).length <= TASK_LIMITS.labelsMax, {
      error: `at most ${TASK_LIMITS.labelsMax} labels`,
    })
    .default({}),
  misfire: section({
    policy: z.enum(['skip', 'once', 'all']).default('once'),
    window: duration(1_000, YEAR, '1s to 366d').optional(),
    max: whole(1, TASK_LIMITS.misfireMax).default(100),
  }).prefault({}),
  overlap: z.enum(['skip', 'queue']).default('skip'),
  retry: section({
    attempts: whole(1, TASK_LIMITS.attemptsMax).default(3),
    backoff: duration(0, DAY, '0s to 1d').optional(),
    factor: z.number(FACTOR).min(1, FACTOR).max(10, FACTOR).default(2),
    max: duration(0, 7 * DAY, '0s to 7d').optional(),
    jitter: z.boolean('true or false').default(true),
  }).prefault({}),
  timeout: duration(1, TASK_LIMITS.timeoutMsMax, '1ms to 14m').optional(),
  delivery: z.enum(['at-least-once', 'at-most-once']).default('at-least-once'),
  capabilities: section({
    fetch: listOf('origins', origin, TASK_LIMITS.fetchPatternsMax),
    call: listOf('names', shortText(1, 128), TASK_LIMITS.callNamesMax),
  }).prefault({}),
  history: whole(1, TASK_LIMITS.historyMax).default(20),
  ...destinationFields,
})
  .refine((doc) => doc.start === undefined || doc.end === undefined || doc.start < doc.end, {
    path: ['end'],
    error: 'an instant later than start',
  })
  .refine(({ schedule, on }) => schedule !== undefined || on !== undefined, {
    path: ['schedule'],
    error: 'received nothing; allowed: a schedule with exactly one of cron, every, at, after, or `on` in its place',
    when: isObjectAtAll,
  })
  .refine(({ schedule, maxRuns }) => schedule !== undefined || maxRuns === undefined, {
    path: ['maxRuns'],
    error: 'received a number without a schedule; allowed: beside a schedule, whose launches it counts',
  })
  .superRefine(refuseOwn)
  .meta({ id: 'Task', title: 'Task document' });

/** A task document as users write it; `z.input` of the schema, for editors and type checks. */
export type TaskDocument = Omit<z.input<typeof taskSchema>, 'schedule' | 'on' | keyof Destinations> & {
  /** May be left out beside `on`. */
  readonly schedule?: ScheduleDocument;
  /** Events that launch it. An empty list: it is launched by hand and by other tasks alone. */
  readonly on?: readonly EventRuleDocument[];
} & DestinationsDocument;

export interface ParsedTask {
  readonly task: Task;
  readonly program: Program;
  /** Whether the document speaks of a pause at all. If not, putting it again leaves a paused task paused. */
  readonly saysPaused: boolean;
}

/** What a task is beside what is nearly always its own. */
type Settings = Omit<Task, 'id' | 'schedule' | 'code' | 'input' | 'labels'> & { readonly saysPaused: boolean };

function normal(doc: z.output<typeof taskSchema>): Document<Settings> {
  const { id, schedule, code, input, labels } = doc;
  const settings: Settings = {
    ...(doc.on !== undefined && { on: doc.on }),
    ...(doc.start !== undefined && { startMs: doc.start }),
    ...(doc.end !== undefined && { endMs: doc.end }),
    ...(doc.maxRuns !== undefined && { maxRuns: doc.maxRuns }),
    spreadMs: doc.spread ?? 0,
    paused: doc.paused ?? false,
    saysPaused: doc.paused !== undefined,
    misfire: { policy: doc.misfire.policy, windowMs: doc.misfire.window ?? DAY, max: doc.misfire.max },
    overlap: doc.overlap,
    retry: {
      attempts: doc.retry.attempts,
      backoffMs: doc.retry.backoff ?? 1_000,
      factor: doc.retry.factor,
      maxMs: doc.retry.max ?? HOUR,
      jitter: doc.retry.jitter,
    },
    timeoutMs: doc.timeout ?? 10_000,
    delivery: doc.delivery,
    capabilities: doc.capabilities,
    history: doc.history,
    ...destinationsOf(doc),
  };
  // As it comes back from the registry: JSON knows no -0, so the same document would never be the same task.
  return { id, schedule, code, input: JSON.parse(JSON.stringify(input)), labels, settings };
}

const readPlain = plainReader((document) => {
  const { data } = taskSchema.safeParse(document);
  return data === undefined ? undefined : normal(data);
});
const programOf = rememberPrograms();

/**
 * Checks a document and brings it to normal form.
 * @throws CronkeeperError `invalid`, with a problem for every wrong field.
 */
export function parseTask(document: unknown): ParsedTask {
  const plain = readPlain(document);
  if (plain !== undefined) return parsedTask(plain);
  const result = taskSchema.safeParse(document, { reportInput: true });
  if (!result.success) throw invalidDocument('task', problemsOf(result.error));
  return parsedTask(normal(result.data));
}

/** Its fields are in one order, by which a definition has its name: see `audit.ts`. */
function parsedTask({ id, schedule, code, input, labels, settings }: Document<Settings>): ParsedTask {
  const { on, startMs, endMs, maxRuns, spreadMs, paused, misfire, overlap, retry, timeoutMs, delivery } = settings;
  const { capabilities, history, saysPaused } = settings;
  const program = programOf(code);
  const task: Task = {
    id,
    schedule: schedule ?? { kind: 'none' },
    ...(on !== undefined && { on }),
    code: { hash: program.hash, kind: program.kind },
    input,
    ...(startMs !== undefined && { startMs }),
    ...(endMs !== undefined && { endMs }),
    ...(maxRuns !== undefined && { maxRuns }),
    ...{ spreadMs, paused, labels, misfire, overlap, retry, timeoutMs, delivery, capabilities, history },
    ...destinationsOf(settings),
  };
  return { task, program, saysPaused };
}

/** One line per wrong field: which, what was received, what is allowed. */
export function problemsOf(error: z.ZodError, root = ''): Problem[] {
  return error.issues.flatMap((issue) => {
    const field = [root, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    if (issue.code === 'unrecognized_keys') {
      const message = issue.message.startsWith(UNKNOWN_KEY) ? issue.message : UNKNOWN_KEY;
      return issue.keys.slice(0, UNKNOWN_KEYS_MAX).map((key) => {
        const name = key.slice(0, KEY_LENGTH_MAX);
        return { field: field === '' ? name : `${field}.${name}`, message };
      });
    }
    const isWhole = issue.message.startsWith('received ') || issue.message.startsWith(UNKNOWN_KEY);
    const message = isWhole ? issue.message : `received ${received(issue.input)}; allowed: ${allowed(issue)}`;
    return [{ field, message }];
  });
}

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(', ');
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'too_small':
      return isOwn(issue) ? issue.message : `at least ${issue.minimum}`;
    case 'too_big':
      return isOwn(issue) ? issue.message : `at most ${issue.maximum}`;
    case 'invalid_type':
      return isOwn(issue) ? issue.message : `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
    default:
      return issue.message.replace(/^allowed: /, '');
  }
}

/** Whether a schema says itself what is allowed. */
const isOwn = ({ message }: z.core.$ZodIssue): boolean => !/^(?:Invalid input|Too (?:small|big))/.test(message);

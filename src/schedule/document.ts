/** Schedules as people write them, read into the form that the engine computes with. Every wrong field is named. */
import type { EpochMs } from '../clock.ts';
import { parseDuration } from '../duration.ts';
import { CronkeeperError, isCronkeeperError, type Problem, received } from '../errors.ts';
import { parseInstant } from '../instant.ts';
import { type CronRule, EXPRESSION_LENGTH_MAX, parseCronExpression, requireFires } from './cron.ts';
import { DST_RULES, type DstRule } from './dst.ts';
import { canonicalZone } from './zone.ts';

/** When a task is due, ready to compute with. */
export type Schedule =
  | ({ readonly kind: 'cron' } & CronRule)
  /** Slots at `anchorMs` plus or minus whole multiples of `everyMs`: they never drift. */
  | { readonly kind: 'every'; readonly everyMs: number; readonly anchorMs: EpochMs }
  | { readonly kind: 'at'; readonly atMs: EpochMs }
  /** Once, `afterMs` after the task was registered. */
  | { readonly kind: 'after'; readonly afterMs: number }
  /** No slots: the task is launched by events, by hand or by others. No document says so; it leaves its schedule out. */
  | { readonly kind: 'none' };

/** When a task is due, as it stands in a task document. */
export type ScheduleDocument =
  | {
      /** Five fields, six with seconds first, or a macro such as `@daily`. */
      readonly cron: string;
      /** IANA time zone. Default `UTC`. */
      readonly timeZone?: string;
      /** Default `vixie`. */
      readonly dst?: DstRule;
    }
  | {
      /** Duration, 100 ms to 366 days. */
      readonly every: string;
      /** Any instant at which a slot falls: the phase, not the start. Default: the Unix epoch, so `30s` fires at :00 and :30. */
      readonly anchor?: string;
    }
  /** ISO instant with an offset. */
  | { readonly at: string }
  /** Duration from registration. */
  | { readonly after: string };

/** Where a cron expression given without a zone or a rule takes them from. */
export interface CronDefaults {
  readonly timeZone?: string | undefined;
  readonly dst?: DstRule | undefined;
}

const EVERY_MIN_MS = 100;
const EVERY_MAX_MS = 366 * 86_400_000;
/** A schedule on a command line: a cron expression, or a small JSON object. */
const TEXT_LENGTH_MAX = 1_024;
/** Unknown keys that are named before the list is cut: enough for typos, not for a flood. */
const UNKNOWN_KEYS_MAX = 10;
const KEY_LENGTH_MAX = 64;

/** For each kind, the keys that may stand beside it. */
const KEYS = { cron: ['timeZone', 'dst'], every: ['anchor'], at: [], after: [] } as const;
const KINDS = Object.keys(KEYS) as (keyof typeof KEYS)[];

const zone = { type: 'string', description: 'IANA time zone.', default: 'UTC', examples: ['Europe/Berlin'] };
const variant = (properties: Record<string, object>, required: string) => ({
  type: 'object',
  properties,
  required: [required],
  additionalProperties: false,
});

/** The same documents as JSON Schema, for the OpenAPI page. {@link parseSchedule} decides; this describes. */
export const SCHEDULE_JSON_SCHEMA = {
  title: 'Schedule',
  oneOf: [
    variant(
      {
        cron: {
          type: 'string',
          maxLength: EXPRESSION_LENGTH_MAX,
          description: 'Five fields, six with seconds first, or a macro such as `@daily`.',
          examples: ['0 9 * * 1-5'],
        },
        timeZone: zone,
        dst: {
          enum: DST_RULES,
          default: 'vixie',
          description: 'What becomes of local times that do not exist, or exist twice, when clocks are changed.',
        },
      },
      'cron',
    ),
    variant(
      {
        every: { type: 'string', description: 'Duration, 100ms to 366d.', examples: ['30s', '1h30m'] },
        anchor: {
          type: 'string',
          format: 'date-time',
          description: 'An instant at which a slot falls. Default: the Unix epoch, so `30s` fires at :00 and :30.',
        },
      },
      'every',
    ),
    variant({ at: { type: 'string', format: 'date-time', description: 'Once, at this instant.' } }, 'at'),
    variant({ after: { type: 'string', description: 'Once, so long after registration.', examples: ['5m'] } }, 'after'),
  ],
};

/**
 * Reads the `schedule` of a task document.
 *
 * @param field path of the schedule within the document, for the problems.
 * @throws CronkeeperError `invalid` with one problem for each wrong field.
 */
export function parseSchedule(document: unknown, field = 'schedule'): Schedule {
  const problems: Problem[] = [];
  const schedule = readSchedule(document, field, problems);
  if (schedule !== undefined && problems.length === 0) return schedule;
  const message = problems.map((problem) => `${problem.field || 'schedule'}: ${problem.message}`).join('; ');
  throw new CronkeeperError('invalid', message, { problems });
}

/**
 * Reads a schedule from a command line: a cron expression or macro, `every 30s`, `at 2026-03-08T02:30:00Z`, `after 5m`,
 * or a schedule document as JSON.
 *
 * @throws CronkeeperError `invalid`.
 */
export function parseScheduleText(text: string, defaults: CronDefaults = {}): Schedule {
  return parseSchedule(withCronDefaults(documentFromText(text), defaults));
}

/** The document with the zone and the rule it leaves open filled in. They belong to cron, and to nothing else. */
export function withCronDefaults(document: unknown, { timeZone, dst }: CronDefaults): unknown {
  if (!isRecord(document) || (timeZone === undefined && dst === undefined)) return document;
  // Beside another kind they become unknown keys, and are refused by name.
  return { ...document, timeZone: document.timeZone ?? timeZone, dst: document.dst ?? dst };
}

function documentFromText(text: string): unknown {
  if (text.length > TEXT_LENGTH_MAX) {
    throw new CronkeeperError('invalid', `received ${received(text)}; allowed: at most ${TEXT_LENGTH_MAX} characters`);
  }
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    try {
      return JSON.parse(trimmed);
    } catch (cause) {
      throw new CronkeeperError('invalid', `received ${received(text)}; allowed: a schedule as JSON`, { cause });
    }
  }
  const [, kind, value] = /^(every|at|after)\s+(.*)$/.exec(trimmed) ?? [];
  return kind === undefined ? { cron: trimmed } : { [kind]: value };
}

function readSchedule(document: unknown, field: string, problems: Problem[]): Schedule | undefined {
  const at = (key: string): string => (field === '' ? key : `${field}.${key}`);
  const oneOf = `an object with exactly one of ${KINDS.join(', ')}`;
  if (!isRecord(document)) {
    problems.push({ field, message: `received ${received(document)}; allowed: ${oneOf}` });
    return undefined;
  }
  const keys = Object.keys(document).filter((key) => document[key] !== undefined);
  const [kind, ...others] = KINDS.filter((candidate) => keys.includes(candidate));
  if (kind === undefined || others.length > 0) {
    problems.push({ field, message: `received ${received(document)}; allowed: ${oneOf}` });
    return undefined;
  }
  const allowed: readonly string[] = [kind, ...KEYS[kind]];
  for (const key of keys.filter((candidate) => !allowed.includes(candidate)).slice(0, UNKNOWN_KEYS_MAX)) {
    const message = `unknown key; allowed with ${kind}: ${allowed.join(', ')}`;
    problems.push({ field: at(key.slice(0, KEY_LENGTH_MAX)), message });
  }
  /** The value of one key, or undefined and a problem. */
  const read = <Value>(key: string, parse: (value: unknown) => Value): Value | undefined => {
    try {
      return parse(document[key]);
    } catch (error) {
      if (!isCronkeeperError(error, 'invalid')) throw error;
      problems.push({ field: at(key), message: error.message });
      return undefined;
    }
  };
  return READERS[kind](read);
}

type Read = <Value>(key: string, parse: (value: unknown) => Value) => Value | undefined;

const READERS: Readonly<Record<keyof typeof KEYS, (read: Read) => Schedule | undefined>> = {
  cron(read) {
    const expression = read('cron', parseCronExpression);
    const timeZone = read('timeZone', parseTimeZone);
    const dst = read('dst', parseDst);
    if (expression === undefined || timeZone === undefined || dst === undefined) return undefined;
    const rule: CronRule = { expression, timeZone, dst };
    read('cron', () => requireFires(rule));
    return { kind: 'cron', ...rule };
  },
  every(read) {
    const everyMs = read('every', parseEvery);
    const anchorMs = read('anchor', (value) => (value === undefined ? 0 : parseInstant(value)));
    return everyMs === undefined || anchorMs === undefined ? undefined : { kind: 'every', everyMs, anchorMs };
  },
  at(read) {
    const atMs = read('at', parseInstant);
    return atMs === undefined ? undefined : { kind: 'at', atMs };
  },
  after(read) {
    const afterMs = read('after', parseDuration);
    return afterMs === undefined ? undefined : { kind: 'after', afterMs };
  },
};

function parseTimeZone(value: unknown = 'UTC'): string {
  canonicalZone(value);
  return String(value);
}

function parseDst(value: unknown = 'vixie'): DstRule {
  const rule = DST_RULES.find((candidate) => candidate === value);
  if (rule !== undefined) return rule;
  throw new CronkeeperError('invalid', `received ${received(value)}; allowed: ${DST_RULES.join(', ')}`);
}

function parseEvery(value: unknown): number {
  const everyMs = parseDuration(value);
  if (everyMs >= EVERY_MIN_MS && everyMs <= EVERY_MAX_MS) return everyMs;
  throw new CronkeeperError('invalid', `received ${received(value)}; allowed: 100ms to 366d`);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

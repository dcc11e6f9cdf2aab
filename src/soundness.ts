/**
 * Whether what a task's node holds is a record that the engine can work with. Somebody may have edited it by hand; a
 * tick that stumbled over it would hold up the tasks of everybody else. It runs for every record that is read, so it
 * looks at each field that is there once, and builds nothing.
 */

import { OLDER_VERSION, RECORD_VERSION } from './record-form.ts';

type Check = (value: unknown) => boolean;

interface Field {
  readonly name: string;
  readonly check: Check;
}

/** The last moment that a Date can show. */
const DATE_MAX_MS = 8.64e15;
const DURATION_MAX_MS = 3_652.5 * 86_400_000;
const SLOTS_LISTED_MAX = 10_000;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const within =
  (min: number, max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

const instant = within(0, DATE_MAX_MS);
const duration = within(0, DURATION_MAX_MS);
const count = within(0, Number.MAX_SAFE_INTEGER);
const atLeastOne = within(1, Number.MAX_SAFE_INTEGER);
const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;
const finite: Check = (value) => Number.isFinite(value);

const oneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value);

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const fieldsOf = (shape: Readonly<Record<string, Check>>): Field[] =>
  Object.entries(shape).map(([name, check]) => ({ name, check }));

const checksOf = (shape: Readonly<Record<string, Check>>): ReadonlyMap<string, Check> => new Map(Object.entries(shape));

function shaped(shape: Readonly<Record<string, Check>>): Check {
  const fields = fieldsOf(shape);
  return (value) => isObject(value) && fields.every(({ name, check }) => check(value[name]));
}

const SCHEDULES: Readonly<Record<string, Check>> = {
  cron: shaped({ expression: text, timeZone: text, dst: text }),
  every: shaped({ everyMs: atLeastOne, anchorMs: instant }),
  at: shaped({ atMs: instant }),
  after: shaped({ afterMs: duration }),
  none: anything,
};

const schedule: Check = (value) =>
  isObject(value) && Object.hasOwn(SCHEDULES, String(value.kind)) && SCHEDULES[String(value.kind)]?.(value) === true;

const labels: Check = (value) => isObject(value) && Object.values(value).every(text);

/** What is in them does not matter for soundness: matching bears with anything. */
const eventRule = shaped({
  source: optional(listOf(anything)),
  detailType: optional(listOf(anything)),
  detail: optional(isObject),
});

/** The fields that every task and every record have. */
const TASK_FIELDS_NEEDED = ['schedule', 'code'];
const RECORD_FIELDS_NEEDED = ['revision', 'createdMs', 'timer'];

const granted = shaped({ fetch: listOf(text), call: listOf(text) });

const told = optional(listOf((value) => isObject(value) && Object.values(value).every(text)));

const TASK_FIELDS: ReadonlyMap<string, Check> = checksOf({
  schedule,
  on: optional(listOf(eventRule)),
  code: shaped({ hash: text, kind: oneOf('module', 'script') }),
  startMs: optional(instant),
  endMs: optional(instant),
  maxRuns: optional(atLeastOne),
  spreadMs: duration,
  paused: flag,
  labels,
  misfire: shaped({ policy: oneOf('skip', 'once', 'all'), windowMs: duration, max: within(1, SLOTS_LISTED_MAX) }),
  overlap: oneOf('skip', 'queue'),
  retry: shaped({ attempts: atLeastOne, backoffMs: duration, factor: finite, maxMs: duration, jitter: flag }),
  timeoutMs: duration,
  delivery: oneOf('at-least-once', 'at-most-once'),
  capabilities: granted,
  history: atLeastOne,
  onSuccess: told,
  onFailure: told,
  onDeadLetter: told,
});

const standsFor = {
  forSlotMs: optional(instant),
  redriveOfMs: optional(instant),
  keyMs: optional(instant),
  eventId: optional(text),
};

const manual = shaped({ slotMs: instant, key: optional(text), depth: optional(count), ...standsFor });

const backfill = shaped({
  key: text,
  askedMs: instant,
  fromMs: instant,
  untilMs: instant,
  count,
  next: optional(shaped({ slotMs: instant, forSlotMs: instant })),
});

const answers = listOf(shaped({ call: atLeastOne, request: text, atMs: finite, answer: text }));
const seen = shaped({ answers: optional(answers) });

const run = shaped({
  slotMs: instant,
  attempt: count,
  status: text,
  startedMs: instant,
  finishedMs: instant,
  fence: count,
  revision: count,
  error: optional(shaped({ name: text, message: text, stack: optional(text) })),
  logs: optional(listOf(text)),
  retryMs: optional(instant),
  lastSlotMs: optional(instant),
  movedMs: optional(instant),
  movedFromMs: optional(instant),
  count: optional(count),
  code: optional(text),
  waitedMs: optional(finite),
  granted: optional(granted),
  seen: optional((value) => value === 'too-large' || seen(value)),
  ...standsFor,
});

/** Whether it is a recording, as far as whoever repeats it does not look anyway. */
export const isRecordingSound: Check = shaped({ context: isObject, limits: isObject, answers });

/** Whether it is a run that a record could hold: chunks of older runs are not looked at when they are read. */
export const isRunSound: Check = run;

const RECORD_FIELDS: ReadonlyMap<string, Check> = checksOf({
  revision: count,
  inputRevision: optional(count),
  createdMs: instant,
  updatedMs: instant,
  registeredMs: instant,
  registeredRevision: optional(count),
  supersededMs: optional(instant),
  timer: count,
  dueMs: (value) => value === null || instant(value),
  nextSlotMs: optional(instant),
  decidedMs: optional(instant),
  retry: optional(
    shaped({ slotMs: instant, attempt: atLeastOne, dueMs: instant, sinceMs: instant, manual: optional(manual) }),
  ),
  manual: listOf(manual),
  asked: listOf(shaped({ key: text, slotMs: instant, redriveOfMs: optional(instant) })),
  heard: optional(listOf(text)),
  backfill: optional(backfill),
  launches: count,
  gaps: optional(listOf(shaped({ fromMs: instant, untilMs: instant, reason: text }))),
  forgottenMs: optional(instant),
  busy: optional(listOf(shaped({ fromMs: instant, untilMs: instant }))),
  ended: optional(oneOf('completed', 'exhausted', 'removed')),
  runs: listOf(run),
  chunks: listOf(shaped({ index: count, count: atLeastOne, untilMs: optional(instant) })),
  deadSlots: listOf(instant),
});

/** What only version 1 says in every record. */
const OLDER_TASK_FIELDS = [
  ...['spreadMs', 'paused', 'labels', 'misfire', 'overlap', 'retry', 'timeoutMs', 'delivery'],
  ...['capabilities', 'history'],
];
const OLDER_RECORD_FIELDS = [
  ...['updatedMs', 'registeredMs', 'manual', 'asked', 'launches', 'runs', 'chunks', 'deadSlots'],
];

/** The first field that is there and should be something else. Others than ours are a newer program's. */
function wrongIn(fields: ReadonlyMap<string, Check>, value: Readonly<Record<string, unknown>>): string | undefined {
  for (const name in value) if (fields.get(name)?.(value[name]) === false) return name;
  return undefined;
}

const missingIn = (names: readonly string[], value: Readonly<Record<string, unknown>>): string | undefined =>
  names.find((name) => value[name] === undefined);

/** What is wrong with the record of a task; undefined when it is sound. */
export function recordProblem(id: string, value: unknown): string | undefined {
  if (!isObject(value)) return 'its node holds no object';
  const { v, task, settings } = value;
  const isOlder = v === OLDER_VERSION;
  if (!isOlder && v !== RECORD_VERSION) {
    return `its record has version ${JSON.stringify(v) ?? 'none'}; this program reads version ${RECORD_VERSION}`;
  }
  if (!isObject(task) || task.id !== id) return 'its record belongs to no task or to another';
  if (settings !== undefined && !isObject(settings)) return 'its record is not sound: look at settings';
  const wrong =
    missingIn(TASK_FIELDS_NEEDED, task) ??
    wrongIn(TASK_FIELDS, task) ??
    wrongIn(TASK_FIELDS, settings ?? {}) ??
    missingIn(RECORD_FIELDS_NEEDED, value) ??
    wrongIn(RECORD_FIELDS, value) ??
    (isOlder ? (missingIn(OLDER_TASK_FIELDS, task) ?? missingIn(OLDER_RECORD_FIELDS, value)) : undefined);
  return wrong === undefined ? undefined : `its record is not sound: look at ${wrong}`;
}

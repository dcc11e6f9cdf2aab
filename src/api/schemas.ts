/** What travels over HTTP, as zod schemas: read by the routes and the client, shown by the OpenAPI page. */
import * as z from 'zod';
import { AUDIT_ACTIONS, type AuditEntry } from '../audit.ts';
import type { Destination } from '../destination.ts';
import { DESTINATION_JSON_SCHEMA } from '../destination-schema.ts';
import { isCronkeeperError } from '../errors.ts';
import { type Emitted, eventSchema } from '../event.ts';
import { EVENT_RULES_JSON_SCHEMA, type EventRule } from '../event-rules.ts';
import { parseInstant } from '../instant.ts';
import { RUN_ERROR_CLASSES } from '../launch.ts';
import type { Message } from '../mail.ts';
import { SCHEDULE_JSON_SCHEMA, type ScheduleDocument } from '../schedule.ts';
import type { Status } from '../status.ts';
import { taskSchema } from '../task.ts';
import type { BackfillAsked, DeadLetterView, LaunchAsked, Redrive, UndeliveredView } from '../tasks.ts';
import { type QuarantinedView, type Run, TASK_STATUSES, type TaskView } from '../view.ts';

/** A number in a query string: `schema` is what it means. */
const whole = (allowed: string, schema: object) =>
  z
    .string()
    .regex(/^\d{1,9}$/, allowed)
    .transform(Number)
    .meta({ override: schema });

const limit = whole('a whole number from 1 to 1000', { type: 'integer', minimum: 1, maximum: 1_000, default: 100 });

const cursor = z
  .string()
  .max(1_024, 'the cursor of an earlier answer')
  .meta({ description: 'Of the answer before: where to go on.' });

export const noQuery = z.strictObject({});

export const listQuery = z.strictObject({
  prefix: z.string().max(128).exactOptional().meta({ description: 'Ids that begin with this.' }),
  status: z.enum(TASK_STATUSES).exactOptional(),
  label: z.string().max(256).exactOptional().meta({ description: '`name` or `name=value`.' }),
  limit: limit.exactOptional(),
  cursor: cursor.exactOptional(),
});

export const runsQuery = z.strictObject({ limit: limit.exactOptional(), cursor: cursor.exactOptional() });

export const deadLettersQuery = z.strictObject({
  taskId: z.string().max(128).exactOptional().meta({ description: 'Those of one task, oldest first.' }),
  limit: limit.exactOptional(),
  cursor: cursor.exactOptional(),
});

export const auditQuery = z.strictObject({
  taskId: z.string().max(128).exactOptional().meta({ description: 'Changes of one task.' }),
  from: z.string().max(64).exactOptional().meta({ description: 'ISO; changes at this very moment are in it.' }),
  to: z.string().max(64).exactOptional().meta({ description: 'ISO; likewise.' }),
  limit: limit.exactOptional(),
  cursor: cursor.exactOptional(),
});

/** The body of a PUT: the document, whose id may be left to the path. */
export const putBody = z
  .strictObject({ ...taskSchema.shape, id: taskSchema.shape.id.optional() })
  .meta({ id: 'TaskBody', title: 'Task document; the id may be left to the path' });

export const runBody = z
  .strictObject({
    input: z.unknown().meta({ description: "In place of the task's input; JSON of at most 32 KiB." }).optional(),
    key: z
      .string()
      .min(1)
      .max(128)
      .exactOptional()
      .meta({ description: 'Asking twice with one key launches once. Or as the header Idempotency-Key.' }),
  })
  .meta({ id: 'RunRequest' });

/** Events of one request. */
export const EVENTS_MAX = 10;

export const eventsBody = z.union([eventSchema, z.array(eventSchema).min(1).max(EVENTS_MAX)]).meta({ id: 'Events' });

const instant = z
  .string('an ISO 8601 instant with Z or an offset')
  .superRefine((text, context) => {
    try {
      parseInstant(text);
    } catch (error) {
      if (!isCronkeeperError(error, 'invalid')) throw error;
      context.addIssue({ code: 'custom', message: error.message, input: text });
    }
  })
  .meta({ format: 'date-time' });

export const redriveBody = z
  .strictObject({
    launchId: z.string().max(256).exactOptional().meta({ description: 'Default: all, as far as so many may wait.' }),
  })
  .meta({ id: 'RedriveRequest' });

export const backfillBody = z
  .strictObject({
    from: instant,
    to: instant.meta({ description: 'Not later than now; a slot at this very moment is launched.' }),
    key: z.string().min(1).max(128).exactOptional().meta({
      description:
        'Asking again with the key of the latest backfill is that backfill. Or as the header Idempotency-Key.',
    }),
  })
  .meta({ id: 'BackfillRequest' });

export const previewBody = z
  .strictObject({
    schedule: z
      .custom<ScheduleDocument | string>((value) => value !== undefined, 'a schedule document, or a cron expression')
      .meta({
        override: { anyOf: [SCHEDULE_JSON_SCHEMA, { type: 'string', examples: ['0 9 * * 1-5', 'every 30s'] }] },
      }),
    from: instant.exactOptional().meta({ description: 'The slots are strictly later. Default: now.' }),
    count: z.int('a whole number from 1 to 1000').min(1).max(1_000).exactOptional().meta({ default: 5 }),
    timeZone: z.string().exactOptional().meta({ description: 'For a cron schedule that names none itself.' }),
    dst: z.enum(['vixie', 'skip']).exactOptional().meta({ description: 'For a cron schedule that names none itself.' }),
  })
  .meta({ id: 'PreviewRequest' });

// From here on: answers. They are open to more fields, so that an older client understands a newer server.

const schedule = z
  .custom<ScheduleDocument>((value) => typeof value === 'object' && value !== null)
  .meta({ override: SCHEDULE_JSON_SCHEMA });

const eventRules = z.custom<readonly EventRule[]>(Array.isArray).meta({ override: EVENT_RULES_JSON_SCHEMA });

const time = z.string().meta({ format: 'date-time' });

const RUN_STATUSES = ['succeeded', 'failed', 'timed-out', 'skipped', 'uncertain'] as const;

export const run = z
  .looseObject({
    launchId: z.string(),
    slot: time,
    attempt: z.int(),
    status: z.enum(RUN_STATUSES),
    startedAt: time,
    finishedAt: time,
    lateMs: z.number().meta({ description: 'Start behind the slot, ms.' }),
    durationMs: z.number(),
    fence: z.int(),
    revision: z.int().meta({ description: 'Of the definition that ran.' }),
    codeHash: z.string().exactOptional().meta({ description: 'Of the code that ran.' }),
    granted: z
      .looseObject({ fetch: z.array(z.string()), call: z.array(z.string()) })
      .exactOptional()
      .meta({ description: 'What its manifest asked for, as far as the program had it. Absent: nothing.' }),
    notReplayable: z.string().exactOptional().meta({ description: 'Why it cannot be replayed, though it ran.' }),
    output: z.unknown().optional(),
    error: z
      .looseObject({
        class: z.enum(RUN_ERROR_CLASSES),
        name: z.string(),
        message: z.string(),
        stack: z.string().exactOptional(),
      })
      .exactOptional(),
    logs: z.array(z.string()).exactOptional(),
    truncated: z.literal(true).exactOptional().meta({ description: 'Some of the logs were dropped.' }),
    retryAt: time.exactOptional().meta({ description: 'The next attempt at this launch is due then.' }),
    manual: z
      .literal(true)
      .exactOptional()
      .meta({ description: 'Not of the schedule: asked for by hand, or for an event.' }),
    eventId: z.string().exactOptional().meta({ description: 'The event that it was launched for.' }),
    forSlot: time.exactOptional().meta({ description: 'What `ctx.slot` was, where it is not its own.' }),
    redriveOf: z
      .string()
      .exactOptional()
      .meta({ description: 'The launch that failed for good, and that it repeats.' }),
    reason: z.string().exactOptional(),
    movedTo: time.exactOptional().meta({ description: 'The slot to which the run has moved the schedule.' }),
    lastSlot: time.exactOptional().meta({ description: 'Of a range of skipped slots.' }),
    count: z.int().exactOptional().meta({ description: 'Slots in that range.' }),
  })
  .meta({ id: 'Run', title: 'One attempt at a launch' }) satisfies z.ZodType<Run>;

const destination = z
  .custom<Destination>((value) => typeof value === 'object' && value !== null)
  .meta({ override: DESTINATION_JSON_SCHEMA });
const told = z.array(destination).exactOptional();

export const task = z
  .looseObject({
    id: z.string(),
    schedule: schedule.exactOptional(),
    on: eventRules.exactOptional(),
    code: z.string().exactOptional().meta({ description: 'Left out of lists.' }),
    codeHash: z.string(),
    input: z.unknown(),
    start: time.exactOptional(),
    end: time.exactOptional(),
    maxRuns: z.int().exactOptional(),
    spread: z.string(),
    paused: z.boolean(),
    labels: z.record(z.string(), z.string()),
    misfire: z.looseObject({ policy: z.string(), window: z.string(), max: z.int() }),
    overlap: z.string(),
    retry: z.looseObject({
      attempts: z.int(),
      backoff: z.string(),
      factor: z.number(),
      max: z.string(),
      jitter: z.boolean(),
    }),
    timeout: z.string(),
    delivery: z.string(),
    capabilities: z.looseObject({ fetch: z.array(z.string()), call: z.array(z.string()) }),
    history: z.int(),
    onSuccess: told,
    onFailure: told,
    onDeadLetter: told,
    status: z.enum(TASK_STATUSES),
    revision: z.int().meta({ description: 'Of the definition; the ETag.' }),
    createdAt: time,
    updatedAt: time,
    nextAt: time.nullable(),
    launches: z.int().meta({ description: 'Launches of the schedule that came to an end.' }),
    state: z.unknown(),
    lastRun: run.nullable(),
    deadLetters: z.int(),
    backfill: z
      .looseObject({ from: time, to: time, count: z.int(), next: time })
      .exactOptional()
      .meta({ description: 'Under way: slots from `next` to `to` are still to be launched.' }),
  })
  .meta({ id: 'TaskView', title: 'A task, and where it stands' }) satisfies z.ZodType<TaskView>;

export const quarantined = z
  .looseObject({ id: z.string(), status: z.literal('quarantined'), problem: z.string() })
  .meta({ id: 'QuarantinedTask', title: 'A task whose record cannot be read' }) satisfies z.ZodType<QuarantinedView>;

export const anyTask = z.union([quarantined, task]);

export const launchAsked = z
  .looseObject({ launchId: z.string(), slot: time })
  .meta({ id: 'LaunchAsked' }) satisfies z.ZodType<LaunchAsked>;

export const emitted = z
  .looseObject({
    launches: z
      .array(z.looseObject({ launchId: z.string(), slot: time }))
      .meta({ description: 'Of the tasks that name the event; the same again for an event that came before.' }),
    refused: z
      .array(z.looseObject({ taskId: z.string(), message: z.string() }))
      .meta({ description: 'Tasks that name it, and are not launched for it: paused, or over.' }),
  })
  .meta({ id: 'Emitted' }) satisfies z.ZodType<Emitted>;

export const emittedAny = z
  .union([emitted, z.looseObject({ items: z.array(emitted) })])
  .meta({ id: 'EmittedAnswer', title: 'For one event, or for each of a list' });

export const redrive = z
  .looseObject({
    launches: z.array(z.looseObject({ launchId: z.string(), slot: time, redriveOf: z.string() })),
    left: z.int().meta({ description: 'Dead letters of the task that are left.' }),
  })
  .meta({ id: 'Redrive' }) satisfies z.ZodType<Redrive>;

export const backfillAsked = z
  .looseObject({ count: z.int().meta({ description: 'Slots from `from` to `to`.' }), from: time, to: time })
  .meta({ id: 'BackfillAsked' }) satisfies z.ZodType<BackfillAsked>;

const deadLetter = z
  .looseObject({ launchId: z.string(), taskId: z.string(), codeHash: z.string(), input: z.unknown(), run })
  .meta({ id: 'DeadLetter' }) satisfies z.ZodType<DeadLetterView>;

const auditEntry = z
  .looseObject({
    at: time.meta({ description: "By the coordinator's clock." }),
    taskId: z.string(),
    action: z.enum(AUDIT_ACTIONS),
    principal: z.string().meta({ description: 'Who asked for it.' }),
    revision: z.int().exactOptional().meta({ description: 'Of the definition, afterwards.' }),
    oldHash: z.string().exactOptional().meta({ description: 'Of the definition before; absent: there was none.' }),
    newHash: z.string().exactOptional().meta({ description: 'Of the definition afterwards; absent: there is none.' }),
  })
  .meta({ id: 'AuditEntry', title: 'One change of one task' }) satisfies z.ZodType<AuditEntry>;

const undelivered = z
  .looseObject({
    destination,
    attempts: z.int(),
    problem: z.string().meta({ description: 'What came of the last attempt.' }),
    message: z
      .custom<Message>((value) => typeof value === 'object' && value !== null)
      .meta({
        override: { type: 'object', description: 'As it was sent: see docs/EVENTS.md.' },
      }),
  })
  .meta({ id: 'Undelivered' }) satisfies z.ZodType<UndeliveredView>;

const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.looseObject({ items: z.array(item), cursor: z.string().exactOptional() });

export const taskPage = pageOf(anyTask).meta({ id: 'TaskPage' });
export const runPage = pageOf(run).meta({ id: 'RunPage', title: 'Newest first' });
export const deadLetterPage = pageOf(deadLetter).meta({ id: 'DeadLetterPage' });
export const auditPage = pageOf(auditEntry).meta({ id: 'AuditPage', title: 'Newest first' });
export const undeliveredPage = pageOf(undelivered).meta({ id: 'UndeliveredPage' });
export const slotPage = z.looseObject({ items: z.array(time) }).meta({ id: 'SlotPage' });

export const status = z
  .looseObject({
    coordinator: z.string(),
    namespace: z.string(),
    shards: z.array(
      z.looseObject({
        shard: z.int(),
        held: z.boolean(),
        fence: z.int(),
        lastLeaseAt: time.nullable(),
        overdueDays: z.int(),
        outbox: z.int().meta({ description: 'Messages to destinations that wait.' }),
        undelivered: z.int().meta({ description: 'Messages that were given up, as far as they are kept.' }),
      }),
    ),
  })
  .meta({ id: 'Status' }) satisfies z.ZodType<Status>;

export const health = z.looseObject({ status: z.literal('ok') }).meta({ id: 'Health' });

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable: programs may rely on it.' }),
    detail: z.string(),
    errors: z
      .array(z.looseObject({ field: z.string(), message: z.string() }))
      .exactOptional()
      .meta({ description: 'Every wrong field: which, what was received, what is allowed.' }),
  })
  .meta({ id: 'Problem', title: 'RFC 9457 problem document' });

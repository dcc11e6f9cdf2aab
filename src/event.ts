/** Events of a bus, as Amazon EventBridge has them: how they come in, and how a task is given them. Pure. */
import * as z from 'zod';
import { invalidDocument, TASK_LIMITS } from './document.ts';
import { parseInstant } from './instant.ts';
import { jsonProblem } from './json.ts';
import { problemsOf } from './task.ts';

/** EventBridge's envelope, with `detail-type` spelt as code spells it. */
export interface BusEvent {
  /** Whoever sends an event twice, sends it with the same id: it is launched for once. */
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: unknown;
  /** ISO. */
  readonly time?: string;
  readonly account?: string;
  readonly region?: string;
  readonly resources?: readonly string[];
}

/** What became of an event. */
export interface Emitted {
  /** Of the tasks that want it, by id; the same again for an event that came before. */
  readonly launches: readonly { readonly launchId: string; readonly slot: string }[];
  /** Tasks that want it and are not launched for it, now or later: they are paused, or over. */
  readonly refused: readonly RefusedLaunch[];
}

export interface RefusedLaunch {
  readonly taskId: string;
  readonly message: string;
}

const EVENT_LIMITS = {
  /** UTF-8 bytes of the event as its task is given it: those of an input. */
  bytesMax: TASK_LIMITS.inputBytesMax,
  nameLengthMax: 256,
  idLengthMax: 128,
  resourcesMax: 50,
  resourceLengthMax: 2_048,
} as const;

const { nameLengthMax, idLengthMax, resourcesMax, resourceLengthMax } = EVENT_LIMITS;

const text = (min: number, max: number) => {
  const allowed = `a string of ${min} to ${max} characters`;
  return z.string(allowed).min(min, allowed).max(max, allowed);
};

const instant = z
  .string('an ISO 8601 instant with an offset')
  .superRefine((value, context) => {
    try {
      parseInstant(value);
    } catch {
      context.addIssue({ code: 'custom', message: 'an ISO 8601 instant with an offset', input: value });
    }
  })
  .meta({ format: 'date-time' });

const resourceList = `a list of at most ${resourcesMax} strings`;

/** An event in either spelling. What EventBridge adds, and no task needs, is let pass. */
export const eventSchema = z
  .strictObject({
    id: text(1, idLengthMax)
      .exactOptional()
      .meta({ description: 'Twice with one id launches once. Default: a new one.' }),
    source: text(1, nameLengthMax),
    'detail-type': text(1, nameLengthMax).exactOptional(),
    detailType: text(1, nameLengthMax).exactOptional().meta({ description: 'In place of `detail-type`.' }),
    detail: z.unknown().meta({ description: 'Any JSON. Default: an empty object.' }).optional(),
    time: instant.exactOptional().meta({ description: 'Default: now.' }),
    account: text(0, nameLengthMax).exactOptional(),
    region: text(0, nameLengthMax).exactOptional(),
    resources: z.array(text(0, resourceLengthMax), resourceList).max(resourcesMax, resourceList).exactOptional(),
    version: z.string().exactOptional().meta({ description: 'Not looked at.' }),
    'replay-name': z.string().exactOptional().meta({ description: 'Not looked at.' }),
  })
  .meta({ id: 'BusEvent', title: 'An event, as EventBridge has it' });

/** Such an event, before it is read. */
export type EventDocument = z.input<typeof eventSchema>;

/**
 * @param id for an event that has none.
 * @throws CronkeeperError `invalid`, with a problem for every wrong field.
 */
export function parseEvent(document: unknown, id: () => string): BusEvent {
  const result = eventSchema.safeParse(document, { reportInput: true });
  if (!result.success) throw invalidDocument('event', problemsOf(result.error));
  const { 'detail-type': spelt, detailType = spelt, detail = {}, version: _, 'replay-name': __, ...rest } = result.data;
  const refuse = (field: string, message: string) => invalidDocument('event', [{ field, message }]);
  if (detailType === undefined) throw refuse('detail-type', 'received nothing; allowed: what kind of event it is');
  if (spelt !== undefined && spelt !== detailType)
    throw refuse('detailType', 'differs from detail-type: leave one out');
  const problem = jsonProblem(detail);
  if (problem !== undefined) throw refuse('detail', problem);
  const event = { ...rest, id: rest.id ?? id(), detailType, detail };
  const bytes = Buffer.byteLength(JSON.stringify(envelopeOf(event, 'YYYY-MM-DDTHH:mm:ss.sssZ')));
  if (bytes <= EVENT_LIMITS.bytesMax) return event;
  throw refuse('', `received ${bytes} bytes as JSON; allowed: at most ${EVENT_LIMITS.bytesMax}`);
}

/** What a task finds as `ctx.input`: the event in EventBridge's own form. @param now for an event without a time. */
export const envelopeOf = ({ detailType, detail, time, resources = [], ...event }: BusEvent, now: string) => ({
  version: '0',
  ...event,
  'detail-type': detailType,
  time: time ?? now,
  resources,
  detail,
});

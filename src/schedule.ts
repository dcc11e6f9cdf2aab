/**
 * When is a task due? A schedule is a set of slots, the same for whoever asks: nothing here reads a clock, so two
 * machines that compute the next slot get the same one. Pure.
 */
import type { EpochMs } from './clock.ts';
import { CronkeeperError, messageOf, received } from './errors.ts';
import { formatInstant, INSTANT_MAX_MS, parseInstant } from './instant.ts';
import { type CronRule, nextCronSlot } from './schedule/cron.ts';
import {
  type CronDefaults,
  parseSchedule,
  parseScheduleText,
  type Schedule,
  type ScheduleDocument,
  withCronDefaults,
} from './schedule/document.ts';

export {
  parseSchedule,
  parseScheduleText,
  SCHEDULE_JSON_SCHEMA,
  type Schedule,
  type ScheduleDocument,
} from './schedule/document.ts';
export type { DstRule } from './schedule/dst.ts';

/** Slots that {@link slotsBetween} lists at most. */
export const SLOTS_BETWEEN_MAX = 10_000;
/** Slots that {@link previewSchedule} lists at most. */
const PREVIEW_COUNT_MAX = 1_000;
const PREVIEW_COUNT_DEFAULT = 5;
/**
 * Cron slots that are counted one by one before a window is cut, at about 15 µs each. More than a day has minutes, so
 * that the usual outage is told exactly.
 */
const COUNTED_MAX = 2_000;

/**
 * The first slot strictly later than `afterMs`; undefined when there is none up to the end of the year 9999.
 *
 * @param registeredMs when the task was registered: where an `after` schedule begins.
 * @throws CronkeeperError `internal` rather than answer with a slot that is not later: a tick would fire it for ever.
 */
export function nextSlot(schedule: Schedule, afterMs: EpochMs, registeredMs: EpochMs): EpochMs | undefined {
  if (!Number.isFinite(afterMs)) throw new CronkeeperError('internal', `nextSlot after ${String(afterMs)}`);
  // Slots begin at the Unix epoch, included.
  const slotMs = firstSlot(schedule, Math.max(afterMs, -1), registeredMs);
  if (slotMs === undefined || slotMs > INSTANT_MAX_MS) return undefined;
  if (slotMs > afterMs) return slotMs;
  const message = `the slot after ${afterMs} came out as ${slotMs} for ${JSON.stringify(schedule)}`;
  throw new CronkeeperError('internal', message);
}

function firstSlot(schedule: Schedule, afterMs: EpochMs, registeredMs: EpochMs): EpochMs | undefined {
  switch (schedule.kind) {
    case 'cron':
      return nextCronSlot(schedule, afterMs);
    case 'every':
      return latestMultiple(schedule, afterMs) + schedule.everyMs;
    case 'at':
      return schedule.atMs > afterMs ? schedule.atMs : undefined;
    case 'after':
      return registeredMs + schedule.afterMs > afterMs ? registeredMs + schedule.afterMs : undefined;
    case 'none':
      return undefined;
  }
}

export interface SlotsBetween {
  /** The latest slots of the window, ascending. */
  readonly slots: readonly EpochMs[];
  /** How many slots the window holds, the listed ones included; at least so many, when `totalIsExact` is false. */
  readonly total: number;
  /** False when there are too many to count: a busy cron schedule after a long outage. */
  readonly totalIsExact: boolean;
  /** The window holds slots earlier than the listed ones. */
  readonly truncated: boolean;
}

/**
 * The slots in (afterMs, untilMs], the latest `countMax` of them: what a task missed, for its misfire policy to decide
 * on. The work is bounded, however long the window and however busy the schedule.
 *
 * @param countMax 1 to {@link SLOTS_BETWEEN_MAX}.
 */
export function slotsBetween(
  schedule: Schedule,
  afterMs: EpochMs,
  untilMs: EpochMs,
  registeredMs: EpochMs,
  countMax: number,
): SlotsBetween {
  if (!Number.isInteger(countMax) || countMax < 1 || countMax > SLOTS_BETWEEN_MAX) {
    throw new CronkeeperError('internal', `countMax ${String(countMax)}; allowed: 1 to ${SLOTS_BETWEEN_MAX}`);
  }
  const lastMs = Math.min(untilMs, INSTANT_MAX_MS);
  if (schedule.kind === 'cron') return cronSlotsBetween(schedule, afterMs, lastMs, countMax);
  const firstMs = nextSlot(schedule, afterMs, registeredMs);
  if (firstMs === undefined || firstMs > lastMs) return counted([], countMax);
  return schedule.kind === 'every'
    ? multiplesBetween(schedule, firstMs, lastMs, countMax)
    : counted([firstMs], countMax);
}

type Every = Extract<Schedule, { kind: 'every' }>;

/** The latest slot no later than `untilMs`. Integers throughout, so a million slots later it has not drifted. */
function latestMultiple({ everyMs, anchorMs }: Every, untilMs: EpochMs): EpochMs {
  const sinceMs = (untilMs - anchorMs) % everyMs;
  return untilMs - (sinceMs < 0 ? sinceMs + everyMs : sinceMs);
}

function multiplesBetween(schedule: Every, firstMs: EpochMs, untilMs: EpochMs, countMax: number): SlotsBetween {
  const { everyMs } = schedule;
  const lastMs = latestMultiple(schedule, untilMs);
  const total = (lastMs - firstMs) / everyMs + 1;
  const count = Math.min(total, countMax);
  const slots = Array.from({ length: count }, (_, index) => lastMs - (count - 1 - index) * everyMs);
  return { slots, total, totalIsExact: true, truncated: total > count };
}

/** All slots of a window are known. */
const counted = (slots: readonly EpochMs[], countMax: number): SlotsBetween => ({
  slots: slots.slice(-countMax),
  total: slots.length,
  totalIsExact: true,
  truncated: slots.length > countMax,
});

/** Walks the window from its start while it holds few slots; otherwise finds its end from nearby. */
function cronSlotsBetween(rule: CronRule, afterMs: EpochMs, untilMs: EpochMs, countMax: number): SlotsBetween {
  const start = walk(rule, afterMs, untilMs, Math.max(COUNTED_MAX, countMax));
  if (start.complete) return counted(start.slots, countMax);
  const lastCountedMs = start.slots.at(-1) ?? afterMs;
  const rhythmMs = (lastCountedMs - afterMs) / start.slots.length;
  const slots = latestCronSlots(rule, afterMs, untilMs, countMax, rhythmMs);
  const total = start.slots.length + slots.filter((slotMs) => slotMs > lastCountedMs).length;
  return { slots, total, totalIsExact: false, truncated: true };
}

/**
 * Looks for a start from which a window with too many slots holds enough, and not many more: guessed from the rhythm at
 * its beginning, then lengthened or halved.
 */
function latestCronSlots(
  rule: CronRule,
  afterMs: EpochMs,
  untilMs: EpochMs,
  countMax: number,
  rhythmMs: number,
): readonly EpochMs[] {
  const walkMax = countMax + Math.max(16, countMax >> 2);
  let tooShortMs = 0;
  let tooLongMs = untilMs - afterMs;
  let spanMs = Math.ceil(rhythmMs * (countMax + 1));
  // Comes to an end: a span with too few slots and one with too many are more than a second apart.
  while (tooLongMs - tooShortMs > 1) {
    if (spanMs >= tooLongMs) spanMs = Math.floor((tooShortMs + tooLongMs) / 2);
    const { slots, complete } = walk(rule, untilMs - spanMs, untilMs, walkMax);
    if (complete && slots.length >= countMax) return slots.slice(-countMax);
    if (complete) tooShortMs = spanMs;
    else tooLongMs = spanMs;
    spanMs = complete ? spanMs * 4 : Math.floor((tooShortMs + tooLongMs) / 2);
  }
  throw new CronkeeperError('internal', `no latest slots before ${formatInstant(untilMs)} for ${JSON.stringify(rule)}`);
}

/** The slots in (afterMs, untilMs], oldest first, as long as there are at most `walkMax`. */
function walk(
  rule: CronRule,
  afterMs: EpochMs,
  untilMs: EpochMs,
  walkMax: number,
): { readonly slots: readonly EpochMs[]; readonly complete: boolean } {
  const schedule = { kind: 'cron', ...rule } as const;
  const slots: EpochMs[] = [];
  for (let fromMs = afterMs; ; ) {
    const slotMs = nextSlot(schedule, fromMs, afterMs);
    if (slotMs === undefined || slotMs > untilMs) return { slots, complete: true };
    if (slots.length === walkMax) return { slots, complete: false };
    slots.push(slotMs);
    fromMs = slotMs;
  }
}

export interface PreviewOptions extends CronDefaults {
  /** The slots are strictly later than this: an ISO instant, epoch ms or a Date. An `after` schedule is registered here. */
  readonly from: string | number | Date;
  /** How many, 1 to 1000. Default 5. */
  readonly count?: number | undefined;
}

/**
 * The next slots of a schedule as ISO instants in UTC; fewer than `count` when the schedule ends.
 *
 * @param schedule a schedule document, or text as on the command line (`30 2 * * *`, `every 30s`).
 * @param options `timeZone` and `dst` apply to a cron schedule that names none itself.
 * @throws CronkeeperError `invalid`: the schedule or an option is wrong.
 */
export function previewSchedule(schedule: ScheduleDocument | string, options: PreviewOptions): string[] {
  if (typeof options !== 'object' || options === null) {
    throw new CronkeeperError('invalid', `preview: received ${received(options)}; allowed: { from, count? }`);
  }
  const { from, count = PREVIEW_COUNT_DEFAULT } = options;
  const parsed =
    typeof schedule === 'string'
      ? parseScheduleText(schedule, options)
      : parseSchedule(withCronDefaults(schedule, options));
  if (!Number.isInteger(count) || count < 1 || count > PREVIEW_COUNT_MAX) {
    throw wrongOption('count', `received ${received(count)}; allowed: 1 to ${PREVIEW_COUNT_MAX}`);
  }
  const fromMs = previewStart(from);
  const instants: string[] = [];
  for (let afterMs = fromMs; instants.length < count; ) {
    const slotMs = nextSlot(parsed, afterMs, fromMs);
    if (slotMs === undefined) break;
    instants.push(formatInstant(slotMs));
    afterMs = slotMs;
  }
  return instants;
}

function previewStart(from: string | number | Date): EpochMs {
  if (typeof from === 'string') {
    try {
      return parseInstant(from);
    } catch (error) {
      throw wrongOption('from', messageOf(error));
    }
  }
  const fromMs = from instanceof Date ? from.getTime() : from;
  if (Number.isInteger(fromMs) && fromMs >= 0 && fromMs <= INSTANT_MAX_MS) return fromMs;
  throw wrongOption('from', `received ${received(from)}; allowed: an instant in the years 1970 to 9999, UTC`);
}

const wrongOption = (field: string, message: string): CronkeeperError =>
  new CronkeeperError('invalid', `${field}: ${message}`, { problems: [{ field, message }] });

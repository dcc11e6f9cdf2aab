/** Tasks, runs, times and durations in the words of people. Pure. */
import type { EpochMs } from '../clock.ts';
import type { RunStatus } from '../launch.ts';
import type { ScheduleDocument } from '../schedule.ts';
import type { Run, TaskView } from '../view.ts';
import type { Colour } from './output.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A length of time with two digits that matter: `3 ms`, `1.4 s`, `12 min`, `3 h`, `8 d`. */
export function roughly(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} d`;
}

/** `in 3 s`, `12 min ago`. */
export function relativeTo(nowMs: EpochMs, thenMs: EpochMs): string {
  const ms = Math.floor(Math.abs(thenMs - nowMs) / SECOND_MS) * SECOND_MS;
  if (ms === 0) return 'now';
  const length = roughly(ms).replace(/\.0 /, ' ');
  return thenMs > nowMs ? `in ${length}` : `${length} ago`;
}

const FIELDS = { hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
const DATE_FIELDS = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;

/** `2026-03-08 03:00:00` in a zone; default: this machine's. Swedish habits happen to be ISO 8601. */
export function localTime(instant: string | EpochMs, timeZone?: string): string {
  return new Intl.DateTimeFormat('sv-SE', { ...DATE_FIELDS, ...FIELDS, timeZone }).format(new Date(instant));
}

/** `03:00:00` on this machine. */
export const timeOfDay = (instant: string | EpochMs): string =>
  new Intl.DateTimeFormat('sv-SE', FIELDS).format(new Date(instant));

/** `Sun 2026-03-08 03:00:00 GMT-4`. */
export function zonedTime(instant: string, timeZone: string): string {
  const date = new Date(instant);
  const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone }).format(date);
  const offset = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'shortOffset', timeZone })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return `${weekday} ${localTime(instant, timeZone)} ${offset ?? ''}`.trimEnd();
}

/** When a task runs next: `2026-03-08 03:00:00 (in 3 s)`. */
export function nextText({ nextAt }: Pick<TaskView, 'nextAt'>, nowMs: EpochMs): string {
  if (nextAt === null) return '–';
  const distance = relativeTo(nowMs, Date.parse(nextAt));
  const waiting = distance.endsWith(' ago') ? `overdue by ${distance.replace(' ago', '')}` : distance;
  return `${localTime(nextAt)} (${waiting})`;
}

/** What launches a task: its schedule, events, or others. */
export function launchedBy({ schedule, on = [] }: Pick<TaskView, 'schedule' | 'on'>): string {
  const events = on.length === 0 ? [] : ['events'];
  const parts = schedule === undefined ? events : [scheduleText(schedule), ...events];
  return parts.length === 0 ? 'by hand' : parts.join(' + ');
}

export function scheduleText(schedule: ScheduleDocument): string {
  if ('every' in schedule) return `every ${schedule.every}`;
  if ('at' in schedule) return `at ${schedule.at}`;
  if ('after' in schedule) return `after ${schedule.after}`;
  const { cron, timeZone = 'UTC', dst = 'vixie' } = schedule;
  return `${cron} ${timeZone}${dst === 'vixie' ? '' : ` dst ${dst}`}`;
}

interface Look {
  readonly sign: string;
  readonly colour: Colour;
}

const LOOKS: Readonly<Record<RunStatus, Look>> = {
  succeeded: { sign: '✓', colour: 'green' },
  failed: { sign: '✗', colour: 'red' },
  'timed-out': { sign: '⧖', colour: 'red' },
  skipped: { sign: '↷', colour: 'yellow' },
  uncertain: { sign: '?', colour: 'yellow' },
};

export const lookOf = (status: RunStatus): Look => LOOKS[status];

/** What came of a run, in a line: the range that was skipped, the error, or the output and the last log line. */
export function runSummary(run: Run): string {
  const parts = [runRange(run), runError(run), runOutput(run)];
  if (run.retryAt !== undefined) parts.push(`again at ${timeOfDay(run.retryAt)}`);
  return parts.filter((part) => part !== '').join(' · ');
}

function runRange({ status, count = 1, slot, lastSlot = slot, reason }: Run): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  if (status !== 'skipped') return why.trimStart();
  if (count === 1) return `slot of ${timeOfDay(slot)}${why}`;
  return `${count} slots, ${timeOfDay(slot)} to ${timeOfDay(lastSlot)}${why}`;
}

function runError({ error }: Run): string {
  if (error === undefined) return '';
  const name = error.class === 'Thrown' ? error.name : error.class;
  return `${name}: ${error.message}`;
}

function runOutput({ output, logs }: Run): string {
  const shown = typeof output === 'string' ? output : (JSON.stringify(output) ?? '');
  return [shown, logs?.at(-1) ?? ''].filter((part) => part !== '').join(' · ');
}

/** What the program says while it works: one JSON object per line, so that a log store can search its fields. */
import type { Clock } from './clock.ts';

/** A JSON value: what a field of a line may hold. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Says one thing. Never throws, never waits. Fields hold no secrets: whoever logs chooses them one by one. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

export type LogLevel = 'info' | 'warn' | 'error';

export const silent: Log = () => {};

/** Beyond this, a line is replaced by a short one that says so: the stores cut lines at 256 KiB or sooner. */
const LINE_BYTES_MAX = 64 * 1024;

/** Line separators and control characters that `JSON.stringify` leaves as they are; a terminal would obey some. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the log.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** @param write receives one line with its line feed. */
export function createJsonLog(write: (line: string) => void, clock: Pick<Clock, 'now'>): Log {
  return (level, message, fields = {}) => {
    // Lambda filters by these two names, in these spellings.
    const head = { timestamp: new Date(clock.now()).toISOString(), level: level.toUpperCase(), message };
    write(lineOf(JSON.stringify({ ...head, ...fields }), head));
  };
}

/** The same log, with fields in each of its lines. */
export const withFields =
  (log: Log, fields: LogFields): Log =>
  (level, message, more) =>
    log(level, message, { ...fields, ...more });

/** JSON as one line, with its line feed. `head` is what is left of it when it is too long. */
export function lineOf(json: string, head: LogFields): string {
  const fits = Buffer.byteLength(json) <= LINE_BYTES_MAX;
  return `${printable(fits ? json : JSON.stringify({ ...head, omitted: `${json.length} characters` }))}\n`;
}

/** As JSON escapes: the line means the same, and stays one line. */
const printable = (line: string): string =>
  line.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

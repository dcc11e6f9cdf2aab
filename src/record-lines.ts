/**
 * The text of a task's node, in lines: the task with those of its settings that are not the usual ones, the rest of its
 * record without what goes without saying, and then each run. All of it together is JSON. A launch adds one run: it need
 * not read the others, nor write them and the task anew. A new task of every hour takes 330 bytes in its node in place of
 * 740, and each of them is sent, parsed, logged and kept by the server.
 */
import { DEFAULT_SETTINGS, RECORD_VERSION, type Settings } from './record-form.ts';
import type { Task } from './task.ts';

const START = `{"v":${RECORD_VERSION},`;
const RUNS = ',"runs":[\n';
const END = '\n]}';

/** What a launch does not read of a record, as it stands there. */
export interface Unread {
  /** The task that `taskText` is of: an edit makes another one. */
  readonly task: Task;
  /** Its line. */
  readonly taskText: string;
  /** JSON of runs, newest first. */
  readonly runs: readonly string[];
}

/** `rest` is JSON of the record without its version, its task and its runs. JSON by itself has no ends of lines in it. */
export function joinLines(task: Task, rest: string, newer: readonly string[], unread: Unread | undefined): string {
  const runs = unread === undefined ? newer : [...newer, ...unread.runs];
  const head = `${START}${unread?.task === task ? unread.taskText : taskLine(task)}\n,${rest.slice(1, -1)}`;
  return runs.length === 0 ? `${head}}` : `${head}${RUNS}${runs.join(',\n')}${END}`;
}

/** A new task with its text, for whoever needs the text more than once: it is in JSON nearly half of what a put costs. */
export const written = (task: Task): Unread => ({ task, taskText: taskLine(task), runs: [] });

/** The task as JSON in one line, with all of its settings, as `JSON.stringify` writes it. */
export function jsonOf({ task, taskText }: Unread): string {
  const { own, json } = settingsOf(task);
  return `${taskText.slice(TASK.length, -own.length - 1)},${json.slice(1)}`;
}

const TASK = '"task":';
const SETTINGS = ',"settings":';

function taskLine(task: Task): string {
  const { id, schedule, on, code, input, startMs, endMs, maxRuns } = task;
  return `${TASK}${JSON.stringify({ id, schedule, on, code, input, startMs, endMs, maxRuns })}${settingsOf(task).own}`;
}

/** What is a task's own. The rest are its settings, whatever newer programs may call them. */
const OWN: ReadonlySet<string> = new Set(['id', 'schedule', 'on', 'code', 'input', 'startMs', 'endMs', 'maxRuns']);

interface SettingsText {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  /** All of them as JSON. */
  readonly json: string;
  /** What a line says of them: those that are not as usual, behind the task; empty where all are. */
  readonly own: string;
}

/** Settings that were written last: tasks that are put together have theirs in common, the very same values. */
let last: SettingsText = { names: [], values: [], json: '{}', own: '' };

function settingsOf(task: Task): SettingsText {
  const of = task as unknown as Readonly<Record<string, unknown>>;
  const names = Object.keys(of).filter((name) => !OWN.has(name));
  const isLast = (name: string, i: number) => name === last.names[i] && of[name] === last.values[i];
  if (names.length === last.names.length && names.every(isLast)) return last;
  const own = names.filter((name) => JSON.stringify(of[name]) !== USUAL.get(name));
  const json = JSON.stringify(only(of, names));
  const text = own.length === 0 ? '' : `${SETTINGS}${JSON.stringify(only(of, own))}`;
  last = { names, values: names.map((name) => of[name]), json, own: text };
  return last;
}

const USUAL: ReadonlyMap<string, string> = new Map(
  Object.entries(DEFAULT_SETTINGS).map(([name, value]) => [name, JSON.stringify(value)]),
);

const only = (of: Readonly<Record<string, unknown>>, names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [name, of[name]]));

/** The task of a line: what it does not say of its settings is as usual. In the order of a task that is made anew. */
export const withSettings = (own: object, settings: unknown): object =>
  settings === undefined
    ? { ...own, ...DEFAULT_SETTINGS }
    : { ...own, ...DEFAULT_SETTINGS, ...(settings as Partial<Settings>) };

/** The lines of a record, unread but for where they end. */
export interface Lines {
  /** JSON of the record without its runs. */
  readonly head: string;
  readonly taskText: string;
  /** JSON of runs, newest first. */
  readonly runs: readonly string[];
}

/** Undefined for any other text, such as a record of an older program, or one that was edited by hand. */
export function splitLines(text: string): Lines | undefined {
  const taskEnd = text.indexOf('\n');
  const taskText = text.slice(START.length, taskEnd);
  if (taskEnd < 0 || !text.startsWith(START) || !taskText.startsWith(TASK) || !taskText.endsWith('}')) return undefined;
  const restEnd = text.indexOf(RUNS, taskEnd);
  const nextEnd = text.indexOf('\n', taskEnd + 1);
  if (restEnd < 0) return nextEnd < 0 ? { head: text, taskText, runs: [] } : undefined;
  const runsFrom = restEnd + RUNS.length;
  const runs = text.slice(runsFrom, -END.length).split(',\n');
  if (nextEnd !== runsFrom - 1 || !text.endsWith(END) || !runs.every(isRunLine)) return undefined;
  return { head: `${text.slice(0, restEnd)}}`, taskText, runs };
}

/** As far as can be seen without reading it. */
const isRunLine = (line: string): boolean =>
  line.startsWith('{"slotMs":') && line.endsWith('}') && !line.includes('\n');

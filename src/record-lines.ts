/**
 * The text of a task's node, in lines: what is the task's own, its settings, the rest of its record, and then each run.
 * All of it together is JSON, and so it is to older programs. A launch adds one run: it need not read the others, nor
 * write them and the task anew, and settings that thousands of tasks share are read once. Reading a record with seven runs
 * and writing it again takes 26 us without this, and 11 with it (by a WeakMap from tasks to their texts, 16).
 */
import type { Task } from './task.ts';

const TASK = '{"v":1,"task":{';
const RUNS = ',"runs":[';
const END = '\n]}';

/** Distinct texts of settings that a process keeps at hand, and characters of one: beyond, they are its task's own. */
const SETTINGS_MAX = 1_024;
const SETTINGS_CHARS_MAX = 2_048;

/** Settings by their text. They are shared between tasks, as a record is never changed in place. */
const settingsByText = new Map<string, unknown>();

/** What a launch does not read of a record, as it stands there. */
export interface Unread {
  /** The task that `taskText` is of: an edit makes another one. */
  readonly task: Task;
  /** Its lines. */
  readonly taskText: string;
  /** JSON of runs, newest first. */
  readonly runs: readonly string[];
}

/** `rest` is JSON of the record without its version, its task and its runs. JSON by itself has no ends of lines in it. */
export function joinLines(task: Task, rest: string, newer: readonly string[], unread: Unread | undefined): string {
  const runs = unread === undefined ? newer : [...newer, ...unread.runs];
  const head = `${TASK}${unread?.task === task ? unread.taskText : taskLines(task)}\n${rest.slice(1, -1)}${RUNS}`;
  return runs.length === 0 ? `${head}]}` : `${head}\n${runs.join(',\n')}${END}`;
}

/** A new task with its text, for whoever needs the text more than once: it is in JSON nearly half of what a put costs. */
export const written = (task: Task): Unread => ({ task, taskText: taskLines(task), runs: [] });

/** The task as JSON in one line, as `JSON.stringify` writes it. */
export const jsonOf = ({ taskText }: Unread): string => `{${taskText.replace(',\n', ',').slice(0, -1)}`;

/** What is a task's own. The rest are its settings, whatever newer programs may call them. */
const OWN: ReadonlySet<string> = new Set(['id', 'schedule', 'on', 'code', 'input', 'startMs', 'endMs', 'maxRuns']);

function taskLines(task: Task): string {
  const { id, schedule, on, code, input, startMs, endMs, maxRuns } = task;
  const own = JSON.stringify({ id, schedule, on, code, input, startMs, endMs, maxRuns });
  return `${own.slice(1, -1)},\n${settingsText(task)}},`;
}

/** Settings that were written last: tasks that are put together have theirs in common, the very same values. */
let last: { readonly names: readonly string[]; readonly values: readonly unknown[]; readonly text: string } = {
  ...{ names: [], values: [], text: '' },
};

function settingsText(task: Task): string {
  const of = task as unknown as Readonly<Record<string, unknown>>;
  const names = Object.keys(of).filter((name) => !OWN.has(name));
  const { length } = names;
  const isLast = (name: string, i: number) => name === last.names[i] && of[name] === last.values[i];
  if (length === last.names.length && names.every(isLast)) return last.text;
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, of[name]]))).slice(1, -1);
  last = { names, values: names.map((name) => of[name]), text };
  return text;
}

/**
 * What is in the lines of a record, unchecked, its runs `unread`, as they stand there. Undefined for any other text, such as a record of an older program, or one that was edited by hand.
 * @throws SyntaxError when there is something else than JSON in the lines before the runs.
 */
export function splitLines(text: string): object | undefined {
  const ownEnd = text.indexOf(',\n');
  const settingsEnd = text.indexOf('},\n', ownEnd + 2);
  const restEnd = text.indexOf(`${RUNS}\n`, settingsEnd + 3);
  if (!text.startsWith(TASK) || ownEnd < 0 || settingsEnd < 0 || restEnd < 0 || !text.endsWith(END)) return undefined;
  const rest = text.slice(settingsEnd + 3, restEnd);
  const runs = text.slice(restEnd + RUNS.length + 1, -END.length).split(',\n');
  if (rest.includes('\n') || !runs.every(isRunLine)) return undefined;
  const record = JSON.parse(`${text.slice(0, ownEnd)}},${rest},"runs":[],"unread":{}}`);
  record.task = { ...record.task, ...settingsOf(text.slice(ownEnd + 2, settingsEnd)) };
  record.unread = { task: record.task, taskText: text.slice(TASK.length, settingsEnd + 2), runs };
  return record;
}

function settingsOf(text: string): Partial<Task> {
  const known = settingsByText.get(text);
  if (known !== undefined) return known as Partial<Task>;
  const settings = JSON.parse(`{${text}}`) as Partial<Task>;
  if (text.length > SETTINGS_CHARS_MAX) return settings;
  if (settingsByText.size === SETTINGS_MAX) settingsByText.clear();
  settingsByText.set(text, settings);
  return settings;
}

/** As far as can be seen without reading it. */
const isRunLine = (line: string): boolean =>
  line.startsWith('{"slotMs":') && line.endsWith('}') && !line.includes('\n');

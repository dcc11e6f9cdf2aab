/**
 * Task documents that are plainly right, read without their schema: it takes 27 us for each, this takes 4. What differs from task to
 * task (id, schedule, code, input, labels) is checked here; the rest, which many tasks have in common, is left to the schema
 * once for each distinct text of it. Whatever is not plainly right is for the schema, which says what is wrong. Pure.
 */
import { DESTINATION_FIELDS } from './destination.ts';
import { TASK_LIMITS } from './document.ts';
import { isCronkeeperError } from './errors.ts';
import { isPlainJson } from './json.ts';
import { TASK_ID_PATTERN } from './layout.ts';
import { remembered } from './remembered.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

/** Characters of settings or of a schedule that are remembered. */
const KNOWN_CHARS_MAX = 2_048;

export const LABEL_NAME_PATTERN = /^[A-Za-z0-9._/-]{1,64}$/;

/** A document in normal form, but for the hash of its code. */
export interface Document<Settings> {
  readonly id: string;
  readonly schedule: Schedule | undefined;
  readonly code: string;
  readonly input: unknown;
  readonly labels: Readonly<Record<string, string>>;
  /** All the rest. Not to be changed: they are shared. */
  readonly settings: Settings;
}

/**
 * @param bySchema what the schema makes of a document; undefined for one that it refuses.
 * @returns what the schema would make of it, or undefined: ask it.
 */
export function plainReader<Settings>(bySchema: (document: object) => Document<Settings> | undefined) {
  // From their text, which for plain JSON says all there is.
  const settingsOf = remembered((text: string) => bySchema({ ...JSON.parse(text), ...SMALLEST })?.settings);
  const scheduleOf = remembered((text: string) => parsed(JSON.parse(text)));
  return (document: unknown): Document<Settings> | undefined => {
    if (!isPlainObject(document)) return undefined;
    const { id, schedule, code, input = null, labels = NO_LABELS, ...others } = document;
    if (!isId(id) || !isCode(code) || !isLabels(labels) || !isPlainObject(schedule)) return undefined;
    const [inputText, scheduleText, text] = [jsonOf(input), jsonOf(schedule), jsonOf(others)];
    if (inputText === undefined || !hasAtMost(inputText, TASK_LIMITS.inputBytesMax)) return undefined;
    if (!isKnowable(scheduleText) || !isKnowable(text) || DESTINATION_FIELDS.some((field) => field in others)) {
      return undefined;
    }
    const [known, settings] = [scheduleOf(scheduleText), settingsOf(text)];
    if (known === undefined || settings === undefined) return undefined;
    // The input as it comes back from the registry: JSON knows no -0, so the same document would never be the same task.
    return {
      id,
      schedule: known,
      code,
      input: JSON.parse(inputText),
      labels: labels === NO_LABELS ? labels : { ...labels },
      settings,
    };
  };
}

/** One object for all. */
const NO_LABELS = {};

/** Beside it, settings are a document; the schema holds none of them against what is in here, but destinations. */
const SMALLEST = { id: 'task', schedule: { every: '1m' }, code: '1' };

function parsed(schedule: unknown): Schedule | undefined {
  try {
    return parseSchedule(schedule, '');
  } catch (error) {
    if (isCronkeeperError(error, 'invalid')) return undefined;
    throw error;
  }
}

const jsonOf = (value: unknown): string | undefined => (isPlainJson(value) ? JSON.stringify(value) : undefined);

const isKnowable = (text: string | undefined): text is string => text !== undefined && text.length <= KNOWN_CHARS_MAX;

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

const isId = (id: unknown): id is string => typeof id === 'string' && TASK_ID_PATTERN.test(id);

const isCode = (code: unknown): code is string =>
  typeof code === 'string' && code !== '' && hasAtMost(code, TASK_LIMITS.codeBytesMax);

/** UTF-8 bytes. A character has three at most. */
const hasAtMost = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax;

function isLabels(labels: unknown): labels is Record<string, string> {
  if (!isPlainObject(labels)) return false;
  const names = Reflect.ownKeys(labels);
  // The schema knows of a name that is none.
  return names.length <= TASK_LIMITS.labelsMax && names.every((name) => name !== '__proto__' && isLabel(name, labels));
}

function isLabel(name: string | symbol, labels: Readonly<Record<string, unknown>>): boolean {
  if (typeof name !== 'string' || !LABEL_NAME_PATTERN.test(name)) return false;
  const value = labels[name];
  return typeof value === 'string' && value.length <= TASK_LIMITS.labelCharsMax;
}

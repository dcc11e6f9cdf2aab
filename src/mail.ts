/**
 * What is told of a launch that has come to its end, and to whom: decided when it is settled, kept with its record until
 * everybody has it. Pure.
 */
import type { EpochMs } from './clock.ts';
import { type Condition, type Destination, type Destinations, toldOf } from './destination.ts';
import { formatInstant } from './instant.ts';
import { launchId, type RunError, type RunStatus } from './launch.ts';
import { isRemoved, type RunRecord, type TaskRecord } from './record.ts';
import type { Done, Settled } from './settle.ts';
import { hash32 } from './shard.ts';

/** Launches of one chain, one after the other: a circle of tasks comes to an end. */
export const CHAIN_MAX = 16;

/** The wait after the first attempt, doubled with each; jitter takes up to half of it away. */
const BACKOFF_MS = { first: 5_000, most: 3_600_000 } as const;

/** What nobody has taken by then is given up. */
export const KEPT_MS = 3 * 86_400_000;

/** UTF-8 bytes of a page, unless one launch alone takes more. */
const PAGE_BYTES_MAX = 64 * 1024;

/** Characters of an error's message, and of its stack, that are told. */
const ERROR_CHARS_MAX = 2_048;

/** Characters of what a destination answered that are kept. */
const PROBLEM_CHARS_MAX = 128;

type ToldRun = Pick<RunRecord, 'attempt' | 'status' | 'startedMs' | 'finishedMs' | 'fence'> &
  Partial<Pick<RunRecord, 'output' | 'error' | 'truncated' | 'reason' | 'forSlotMs' | 'redriveOfMs'>>;

/** One launch, and who is still to be told of it. */
export interface Mail {
  readonly v: 1;
  readonly taskId: string;
  readonly slotMs: EpochMs;
  /** Launches before it in its chain. Absent: none. */
  readonly depth?: number;
  readonly run: ToldRun;
  readonly to: readonly Pending[];
}

export interface Pending {
  readonly condition: Condition;
  readonly destination: Destination;
  /** Attempts that failed. */
  readonly attempts: number;
  readonly dueMs: EpochMs;
  /** What came of the last one. */
  readonly problem?: string;
}

/** What is sent, as JSON; its form changes only with its version. Times in ISO UTC. */
export interface Message {
  readonly version: 1;
  readonly condition: Condition;
  /** `<launchId>:<condition>`: the same message again has the same. */
  readonly idempotencyKey: string;
  readonly launchId: string;
  readonly taskId: string;
  readonly namespace: string;
  readonly slot: string;
  readonly attempt: number;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** As recorded: cut at 16 KiB, then the beginning of its JSON text. */
  readonly output?: unknown;
  /** Message and stack are cut at 2,048 characters. */
  readonly error?: RunError;
  /** Output or logs were cut. */
  readonly truncated?: true;
  /** Why its end is not known. */
  readonly reason?: string;
  /** The slot of the past that it makes up for, or that of the launch it repeats. */
  readonly forSlot?: string;
  /** The launch that failed for good, and that it repeats. */
  readonly redriveOf?: string;
  /** Launches before this one in its chain; 0: it was not launched by another task. */
  readonly depth: number;
}

/**
 * Undefined where nobody is told: an attempt that is tried again, slots that were skipped, a task that was removed or made
 * anew meanwhile. What is told goes to whom the definition names as it is now.
 */
export function mailOf(before: TaskRecord, done: Done, { record, run, dead }: Settled): Mail | undefined {
  const { task } = record;
  if (run === undefined || run.retryMs !== undefined || !tells(task)) return undefined;
  if (before.createdMs !== done.createdMs || isRemoved(before)) return undefined;
  const conditions: Condition[] =
    run.status === 'succeeded' ? ['success'] : dead === undefined ? ['failure'] : ['failure', 'dead-letter'];
  const to = conditions.flatMap((condition) =>
    toldOf(task, condition).map((destination) => ({ condition, destination, attempts: 0, dueMs: run.finishedMs })),
  );
  if (to.length === 0) return undefined;
  const depth = done.launch?.manual?.depth;
  return { v: 1, taskId: task.id, slotMs: run.slotMs, ...(depth !== undefined && { depth }), run: toldRun(run), to };
}

const tells = ({ onSuccess, onFailure, onDeadLetter }: Destinations): boolean =>
  onSuccess !== undefined || onFailure !== undefined || onDeadLetter !== undefined;

function toldRun(run: RunRecord): ToldRun {
  const { attempt, status, startedMs, finishedMs, fence, truncated, reason, forSlotMs, redriveOfMs, error } = run;
  return {
    ...{ attempt, status, startedMs, finishedMs, fence },
    ...(run.output !== undefined && { output: run.output }),
    ...(error !== undefined && { error: shortened(error) }),
    ...(truncated !== undefined && { truncated }),
    ...(reason !== undefined && { reason }),
    ...(forSlotMs !== undefined && { forSlotMs }),
    ...(redriveOfMs !== undefined && { redriveOfMs }),
  };
}

const shortened = ({ class: kind, name, message, stack }: RunError): RunError => ({
  class: kind,
  name: name.slice(0, ERROR_CHARS_MAX),
  message: message.slice(0, ERROR_CHARS_MAX),
  ...(stack !== undefined && { stack: stack.slice(0, ERROR_CHARS_MAX) }),
});

export const keyOf = ({ taskId, slotMs }: Mail, condition: Condition): string =>
  `${launchId(taskId, slotMs)}:${condition}`;

export function messageFor(namespace: string, mail: Mail, condition: Condition): Message {
  const { taskId, slotMs, depth = 0, run } = mail;
  const { startedMs, finishedMs, forSlotMs, redriveOfMs, fence: _, ...rest } = run;
  return {
    version: 1,
    condition,
    idempotencyKey: keyOf(mail, condition),
    launchId: launchId(taskId, slotMs),
    taskId,
    namespace,
    slot: formatInstant(slotMs),
    startedAt: formatInstant(startedMs),
    finishedAt: formatInstant(finishedMs),
    ...rest,
    ...(forSlotMs !== undefined && { forSlot: formatInstant(forSlotMs) }),
    ...(redriveOfMs !== undefined && { redriveOf: launchId(taskId, redriveOfMs) }),
    depth,
  };
}

/**
 * What became of one attempt to tell. `later`: it may succeed another time, and is to wait no longer than `mostMs`;
 * `refused`: it never will.
 */
export type Told =
  | { readonly is: 'delivered' }
  | { readonly is: 'later' | 'refused'; readonly problem: string; readonly mostMs?: number };

/** Undefined: it has been delivered. A given-up one is told by its `isOver`. */
export function afterAttempt(
  mail: Mail,
  pending: Pending,
  told: Told,
  nowMs: EpochMs,
): { readonly pending: Pending; readonly isOver: boolean } | undefined {
  if (told.is === 'delivered') return undefined;
  const attempts = pending.attempts + 1;
  const lastMs = mail.run.finishedMs + KEPT_MS;
  const waitMs = Math.min(told.mostMs ?? Infinity, backoffMs(keyOf(mail, pending.condition), attempts));
  const problem = told.problem.slice(0, PROBLEM_CHARS_MAX);
  // There is a last attempt at the very end.
  const next: Pending = { ...pending, attempts, dueMs: Math.min(together(nowMs + waitMs, waitMs), lastMs), problem };
  return { pending: next, isOver: told.is === 'refused' || nowMs >= lastMs };
}

/** Somewhat later, where others are due too: what is due together is on one page, which is then written once for all. */
function together(dueMs: EpochMs, waitMs: number): EpochMs {
  const stepMs = 2 ** Math.max(0, Math.floor(Math.log2(waitMs / 8)));
  return Math.ceil(dueMs / stepMs) * stepMs;
}

/** By a seed, so that whoever repeats it waits as long. */
function backoffMs(key: string, attempts: number): number {
  const delayMs = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (attempts - 1));
  return Math.round(delayMs * (1 - hash32(`mail:${key}#${attempts}`) / 2 ** 32 / 2));
}

/** Text of one page: a line for each launch. */
export const encodeMail = (mails: readonly Mail[]): string => mails.map((mail) => JSON.stringify(mail)).join('\n');

/** Lines that cannot be read here are left out, and counted. */
export function decodeMail(text: string): { readonly mails: readonly Mail[]; readonly unread: number } {
  const mails = text.split('\n').flatMap((line) => mailIn(line) ?? []);
  return { mails, unread: text.split('\n').length - mails.length };
}

function mailIn(line: string): Mail | undefined {
  try {
    const mail = JSON.parse(line) as Mail;
    const isSound =
      mail.v === 1 && typeof mail.taskId === 'string' && Number.isSafeInteger(mail.slotMs) && Array.isArray(mail.to);
    return isSound && mail.to.every(isPending) && Number.isSafeInteger(mail.run.finishedMs) ? mail : undefined;
  } catch {
    return undefined;
  }
}

const isPending = ({ condition, destination, attempts, dueMs }: Pending): boolean =>
  typeof condition === 'string' &&
  Object.values(destination).every((value) => typeof value === 'string') &&
  Number.isSafeInteger(attempts) &&
  Number.isSafeInteger(dueMs);

export const bytesOfMail = (mail: Mail): number => Buffer.byteLength(JSON.stringify(mail)) + 1;

/** What fits onto one page each. */
export function pagesOfMail(mails: readonly Mail[]): Mail[][] {
  const pages: Mail[][] = [];
  let bytes = Infinity;
  for (const mail of mails) {
    const own = bytesOfMail(mail);
    if (bytes + own > PAGE_BYTES_MAX) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)?.push(mail);
    bytes += own;
  }
  return pages;
}

/** When the first of it is due. */
export const dueMsOf = (mails: readonly Mail[]): EpochMs =>
  Math.min(...mails.flatMap(({ to }) => to.map(({ dueMs }) => dueMs)));

export const countOf = (mails: readonly Mail[]): number => mails.reduce((sum, { to }) => sum + to.length, 0);

/**
 * The audit trail: who changed what. One node per transaction, written by the transaction itself, so no change is
 * without its line and no line without its change. What a node holds, and which nodes are due to go: pure.
 */
import { hash } from 'node:crypto';
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import { CronkeeperError, received } from './errors.ts';
import { formatInstant } from './instant.ts';
import { isRemoved, type TaskRecord } from './record.ts';
import { jsonOf } from './record-lines.ts';

export const AUDIT_ACTIONS = ['put', 'remove', 'pause', 'resume', 'run', 'redrive', 'backfill'] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One change of one task. */
export interface AuditEntry {
  /** ISO, by the coordinator's clock. */
  readonly at: string;
  readonly taskId: string;
  readonly action: AuditAction;
  /** Who asked for it, such as `token:write:3f9a1c` or `local:ada`. */
  readonly principal: string;
  /** Of the definition, afterwards; absent where it could not be read. */
  readonly revision?: number;
  /** Of the definition before; absent: there was none, or it could not be read. */
  readonly oldHash?: string;
  /** Of the definition afterwards; absent: there is none any more. The same as before: it was not changed. */
  readonly newHash?: string;
}

export interface AuditOptions {
  /** Changes of one task. */
  readonly taskId?: string;
  /** ISO; changes at this very moment are in it. */
  readonly from?: string;
  /** ISO; likewise. */
  readonly to?: string;
  /** 1 to 1,000; default 100. A page may hold fewer, even none, and still have a cursor. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** What a transaction says of one task. */
export type AuditLine = Omit<AuditEntry, 'at' | 'principal'>;

/** How long changes are kept, in days. */
export const AUDIT_DAYS = 90;

/** Nodes of one directory, about; the next ones go to another directory of the day. */
export const AUDIT_NODES_MAX = 4_096;

/** Directories of a namespace: with more of them, the oldest go before their time. */
export const AUDIT_DIRECTORIES_MAX = 128;

const DAY_MS = 86_400_000;
const PRINCIPAL_LENGTH_MAX = 256;
const PRINCIPAL_PATTERN = /^[\x21-\x7e]{1,256}$/;
const HASH_DIGITS = 32;

/** @throws CronkeeperError `invalid` */
export function assertPrincipal(principal: unknown): asserts principal is string {
  if (typeof principal === 'string' && PRINCIPAL_PATTERN.test(principal)) return;
  const message = `received ${received(principal)}; allowed: 1 to 256 visible ASCII characters`;
  throw new CronkeeperError('invalid', `principal: ${message}`, { problems: [{ field: 'principal', message }] });
}

/** A principal from what somebody else calls a user: what is not visible ASCII is percent-encoded, and it is cut. */
export const principalOf = (scheme: string, name: string): string =>
  `${scheme}:${encodeURI(name.toWellFormed())}`.slice(0, PRINCIPAL_LENGTH_MAX);

/**
 * The name of a definition, its code included. The normal form has its fields in one order; what users have written
 * into it, objects of their own, is put in order here, so that the same definition always has the same name.
 */
export function definitionHash({ task, unread }: Pick<TaskRecord, 'task' | 'unread'>): string {
  const { input, labels } = task;
  const isInOrder = isOrdered(input) && isOrdered(labels);
  const normal = isInOrder ? task : { ...task, input: ordered(input), labels: ordered(labels) };
  const json = isInOrder && unread?.task === task ? jsonOf(unread) : JSON.stringify(normal);
  return hash('sha256', json).slice(0, HASH_DIGITS);
}

/** Neither goes deeper than JSON may here, see `json.ts`. */
function isOrdered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (!Array.isArray(value) && Object.keys(value).some((key, i, keys) => i > 0 && key < (keys[i - 1] as string)))
    return false;
  return Object.values(value).every(isOrdered);
}

function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(ordered);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, ordered(each)]));
}

/** What a change of a record is, for the trail. */
export function auditLine(action: AuditAction, before: TaskRecord | undefined, after: TaskRecord): AuditLine {
  const { id } = after.task;
  const oldHash = before === undefined || isRemoved(before) ? undefined : definitionHash(before);
  // Most of what is done by hand leaves the definition alone: it is not looked at twice.
  const newHash = isRemoved(after) ? undefined : before?.task === after.task ? oldHash : definitionHash(after);
  return {
    ...{ taskId: id, action, revision: after.revision },
    ...(oldHash !== undefined && { oldHash }),
    ...(newHash !== undefined && { newHash }),
  };
}

/** The node of one transaction; none for one that changes nothing. */
export function auditOps(path: string, principal: string, lines: readonly AuditLine[]): Op[] {
  const rows = lines.map(({ taskId, action, revision, oldHash, newHash }) =>
    JSON.stringify([taskId, action, revision ?? null, oldHash ?? null, newHash ?? null]),
  );
  return rows.length === 0 ? [] : [{ op: 'create', path, data: [JSON.stringify({ principal }), ...rows].join('\n') }];
}

/** The entries of a node. What cannot be read is left out: a trail is read when something has gone wrong already. */
export function decodeAudit(name: string, data: string): AuditEntry[] {
  const [head = '', ...rows] = data.split('\n');
  const { principal } = (parsed(head) ?? {}) as { principal?: unknown };
  if (typeof principal !== 'string') return [];
  const at = formatInstant(madeMs(name));
  return rows.flatMap((row): AuditEntry[] => {
    const line = parsed(row);
    if (!Array.isArray(line)) return [];
    const [taskId, action, revision, oldHash, newHash] = line as unknown[];
    if (typeof taskId !== 'string' || !AUDIT_ACTIONS.includes(action as AuditAction)) return [];
    return [
      {
        ...{ at, taskId, action: action as AuditAction, principal },
        ...(typeof revision === 'number' && { revision }),
        ...(typeof oldHash === 'string' && { oldHash }),
        ...(typeof newHash === 'string' && { newHash }),
      },
    ];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `<ms>-<maker>`: sortable, and nobody else's. */
export const auditName = (atMs: EpochMs, maker: string): string =>
  `${String(Math.max(0, Math.floor(atMs))).padStart(15, '0')}-${maker}`;

/** What a cursor may name; it is compared with, never read. */
export const AUDIT_NAME_PATTERN = /^\d{15}-[^/~]{1,400}$/;

export const madeMs = (name: string): EpochMs => Number.parseInt(name, 10) || 0;

/** `<day>-<number>`: sorted as text, they are in the order of time. */
export const auditDirectory = (atMs: EpochMs, number: number): string =>
  `${dayOf(atMs)}-${String(number).padStart(3, '0')}`;

export const dayOf = (atMs: EpochMs): string => String(Math.floor(Math.max(0, atMs) / DAY_MS)).padStart(7, '0');
export const dayOfDirectory = (name: string): string => name.slice(0, name.indexOf('-'));
export const numberOfDirectory = (name: string): number => Number(name.slice(name.indexOf('-') + 1)) || 0;

/** Directories that are to go, oldest first: those beyond their days, and those that are too many. */
export function expiredDirectories(names: readonly string[], nowMs: EpochMs): string[] {
  const firstKept = dayOf(nowMs - AUDIT_DAYS * DAY_MS);
  const sorted = [...names].sort();
  return sorted.filter((name, i) => dayOfDirectory(name) < firstKept || i < sorted.length - AUDIT_DIRECTORIES_MAX);
}

/** `cronkeeper audit`: who changed what. */
import type { AuditEntry, AuditOptions } from '../audit.ts';
import { collect, sayMore } from './collect.ts';
import { type Context, connect } from './connection.ts';
import { localTime } from './present.ts';
import { type Column, formatTable } from './table.ts';

export interface AuditFlags extends Pick<AuditOptions, 'from' | 'to' | 'cursor'> {
  /** The id of a task. */
  readonly task?: string;
  readonly limit: number;
}

/** Digits of a hash that tell definitions apart at a glance; all of them are in the JSON. */
const HASH_DIGITS_SHOWN = 8;

export async function audit(context: Context, { task, limit, cursor, ...range }: AuditFlags): Promise<void> {
  const { output } = context;
  await using connection = await connect(context);
  const wanted = { ...range, ...(task !== undefined && { taskId: task }) };
  const page = await collect(limit, cursor, (part) => connection.audit({ ...wanted, ...part }));
  output.result(page, () => (page.items.length === 0 ? 'no changes' : formatTable(COLUMNS, page.items)));
  sayMore(context, page.cursor);
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'AT', text: ({ at }) => localTime(at) },
  { title: 'TASK', text: ({ taskId }) => taskId },
  { title: 'ACTION', text: ({ action }) => action },
  { title: 'BY', text: ({ principal }) => principal },
  { title: 'REVISION', text: ({ revision }) => (revision === undefined ? '' : String(revision)), align: 'right' },
  { title: 'DEFINITION', text: ({ oldHash, newHash }) => `${shown(oldHash)} → ${shown(newHash)}` },
];

const shown = (hash: string | undefined): string => hash?.slice(0, HASH_DIGITS_SHOWN) ?? 'none';

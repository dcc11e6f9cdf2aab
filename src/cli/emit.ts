/** `cronkeeper emit`: what a bus would bring, from a file or standard input. */

import { uniqueToken } from '../clock.ts';
import { CronkeeperError } from '../errors.ts';
import { type Emitted, parseEvent } from '../event.ts';
import { type Context, connect } from './connection.ts';
import { readValues } from './documents.ts';
import { oneLine } from './table.ts';

/** Events of one call. */
const EVENTS_MAX = 1_000;

/** Emits one event, or each of a list, in order; one that has no id is given one. */
export async function emit(context: Context, path: string, stdin: AsyncIterable<Buffer>): Promise<void> {
  const values = await readValues(path, stdin);
  if (values.length > EVENTS_MAX) {
    throw new CronkeeperError('too-large', `received ${values.length} events; allowed: at most ${EVENTS_MAX}`);
  }
  const events = values.map((value) => parseEvent(value, uniqueToken));
  await using connection = await connect(context);
  const items: (Emitted & { readonly id: string })[] = [];
  for (const event of events) items.push({ id: event.id, ...(await connection.emit(event)) });
  context.output.result({ items }, () => items.flatMap(linesOf).join('\n'));
}

function linesOf({ id: given, launches, refused }: Emitted & { readonly id: string }): string[] {
  const id = oneLine(given);
  if (launches.length + refused.length === 0) return [`event ${id}: no task names it`];
  return [
    ...launches.map(({ launchId }) => `event ${id}: launch ${launchId} will run at the next tick`),
    ...refused.map(({ message }) => `event ${id}: ${oneLine(message)}`),
  ];
}

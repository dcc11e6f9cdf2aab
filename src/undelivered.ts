/** Messages that nobody has taken, as they are kept: listed, oldest first within a shard. */
import type { Session } from './coordinator.ts';
import { invalidDocument } from './document.ts';
import { received } from './errors.ts';
import type { Layout } from './layout.ts';
import { decodeMail, messageFor } from './mail.ts';
import { readPages } from './outbox.ts';
import { type Page, pageLimit, type UndeliveredOptions, type UndeliveredView } from './tasks.ts';

/** Pages that are read at a time. */
const PAGES_AT_ONCE = 16;

/** The last message that was shown: its shard, its page, and its place on it. */
interface Place {
  readonly shard: number;
  readonly path: string;
  readonly index: number;
}

export async function listUndelivered(
  session: Session,
  layout: Layout,
  options: UndeliveredOptions,
): Promise<Page<UndeliveredView>> {
  const limit = pageLimit(options.limit);
  const after = options.cursor === undefined ? undefined : readCursor(options.cursor);
  const items: UndeliveredView[] = [];
  for (let shard = after?.shard ?? 0; shard < layout.shards; shard++) {
    const directory = layout.undelivered(shard);
    const paths = readPages(directory, await session.children(directory))
      .sort((a, b) => a.sinceMs - b.sinceMs || (a.path < b.path ? -1 : 1))
      .map(({ path }) => path);
    // A page that has gone meanwhile took with it all that is older.
    const from = after?.shard === shard ? Math.max(0, paths.indexOf(after.path)) : 0;
    for (let i = from; i < paths.length; i += PAGES_AT_ONCE) {
      const some = paths.slice(i, i + PAGES_AT_ONCE);
      const nodes = await session.getMany(some);
      for (const [k, node] of nodes.entries()) {
        const path = some[k] as string;
        const skipped = after?.path === path ? after.index + 1 : 0;
        for (const [index, view] of viewsOn(layout.namespace, node?.data).entries()) {
          if (index < skipped) continue;
          items.push(view);
          if (items.length === limit) return { items, cursor: cursorAt({ shard, path, index }) };
        }
      }
    }
  }
  return { items };
}

const viewsOn = (namespace: string, data: string | undefined): UndeliveredView[] =>
  data === undefined
    ? []
    : decodeMail(data).mails.flatMap((mail) =>
        mail.to.map(({ condition, destination, attempts, problem = '' }) => ({
          destination,
          attempts,
          problem,
          message: messageFor(namespace, mail, condition),
        })),
      );

const cursorAt = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

function readCursor(cursor: string): Place {
  try {
    const { shard, path, index } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Place;
    const isSound = Number.isSafeInteger(shard) && shard >= 0 && Number.isSafeInteger(index);
    if (isSound && typeof path === 'string') return { shard, path, index };
  } catch {
    // Said below.
  }
  const message = `received ${received(cursor)}; allowed: the cursor of an earlier answer`;
  throw invalidDocument('request', [{ field: 'cursor', message }]);
}

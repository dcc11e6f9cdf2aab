/** Dead letters as they are kept: read one by one, and listed. */
import type { Session } from './coordinator.ts';
import { assertTaskId } from './document.ts';
import { launchId } from './launch.ts';
import type { Layout } from './layout.ts';
import { cursorAt, type Name, namesFrom } from './listing.ts';
import type { DeadLetter } from './settle.ts';
import { bucketOf } from './shard.ts';
import { isRunSound } from './soundness.ts';
import { type DeadLettersOptions, type DeadLetterView, type Page, pageLimit } from './tasks.ts';
import { runView } from './view.ts';

/** Dead letters that are read at a time, at least. */
const LETTERS_AT_ONCE = 100;

/** Each once, in a stable order; those of one task from the oldest to the latest. */
export async function listDeadLetters(
  session: Session,
  layout: Layout,
  options: DeadLettersOptions,
): Promise<Page<DeadLetterView>> {
  const { taskId, cursor } = options;
  const limit = pageLimit(options.limit);
  if (taskId !== undefined) assertTaskId(taskId);
  const buckets = taskId === undefined ? undefined : [bucketOf(taskId)];
  const items: DeadLetterView[] = [];
  for await (const names of namesFrom(session, (bucket) => layout.deadBucket(bucket), cursor, buckets)) {
    const wanted = taskId === undefined ? names : names.filter(({ id }) => id.startsWith(`${taskId}@`));
    const size = Math.max(limit, LETTERS_AT_ONCE);
    for (let i = 0; i < wanted.length; i += size) {
      const part = wanted.slice(i, i + size);
      const nodes = await session.getMany(part.map(({ bucket, id }) => `${layout.deadBucket(bucket)}/${id}`));
      for (const [k, node] of nodes.entries()) {
        const letter = node === undefined ? undefined : decodeDeadLetter(node.data);
        if (letter !== undefined) items.push(viewOf(letter));
        if (items.length === limit) return { items, cursor: cursorAt(part[k] as Name) };
      }
    }
  }
  return { items };
}

const viewOf = ({ taskId, slotMs, code, input, run }: DeadLetter): DeadLetterView => ({
  launchId: launchId(taskId, slotMs),
  taskId,
  codeHash: code,
  input,
  run: runView(taskId, run),
});

/** The dead letters of a task at these slots, as far as they are there and can be read. */
export async function readDeadLetters(
  session: Session,
  layout: Layout,
  id: string,
  slots: readonly number[],
): Promise<DeadLetter[]> {
  const nodes = await session.getMany(slots.map((slotMs) => layout.dead(id, slotMs)));
  return nodes.flatMap((node, i) => {
    const letter = node === undefined ? undefined : decodeDeadLetter(node.data);
    return letter?.taskId === id && letter.slotMs === slots[i] ? [letter] : [];
  });
}

/** Undefined: a node that is no dead letter is none. */
function decodeDeadLetter(text: string): DeadLetter | undefined {
  try {
    const letter = JSON.parse(text) as DeadLetter;
    return typeof letter.taskId === 'string' && isRunSound(letter.run) ? letter : undefined;
  } catch {
    return undefined;
  }
}

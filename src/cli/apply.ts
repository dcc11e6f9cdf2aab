/** `cronkeeper apply`: task documents from files into the registry, all or none. */
import { openCronkeeper } from '../app.ts';
import { isCronkeeperError } from '../errors.ts';
import type { TaskDocument } from '../task.ts';
import type { PutResult } from '../tasks.ts';
import { type Context, connect } from './connection.ts';
import { locateProblems, readDocuments } from './documents.ts';
import { RefusedDocuments } from './exit.ts';
import { launchedBy, nextText } from './present.ts';
import { type Column, formatTable } from './table.ts';

/** @throws RefusedDocuments naming file, document and field of all that is wrong; nothing is stored then. */
export async function apply(context: Context, paths: readonly string[], stdin: AsyncIterable<Buffer>): Promise<void> {
  const { output, clock } = context;
  const sources = await readDocuments(paths, stdin).catch(refuse);
  const documents = sources.map(({ document }) => document);
  await using connection = await connect(context);
  const relocate = (error: unknown) => refuse(isCronkeeperError(error) ? locateProblems(error, sources) : error);
  if (context.flags.endpoint !== undefined) await rehearse(documents).catch(relocate);
  const items = await connection.tasks.putMany(documents).catch(relocate);
  const columns: Column<PutResult>[] = [
    { title: 'TASK', text: ({ id }) => id },
    { title: 'ACTION', text: ({ created }) => (created ? 'created' : 'applied') },
    { title: 'SCHEDULE', text: launchedBy },
    { title: 'NEXT', text: (task) => nextText(task, clock.now()) },
  ];
  output.result({ items }, () => formatTable(columns, items));
}

function refuse(error: unknown): never {
  throw isCronkeeperError(error, 'invalid') ? new RefusedDocuments(error.message, { cause: error }) : error;
}

/** Over HTTP tasks are stored one by one: what a registry would refuse in the middle must be known before the first. */
async function rehearse(documents: readonly TaskDocument[]): Promise<void> {
  const inMemory = await openCronkeeper({ url: 'embedded:' });
  try {
    await inMemory.tasks.putMany(documents);
  } finally {
    await inMemory.close();
  }
}

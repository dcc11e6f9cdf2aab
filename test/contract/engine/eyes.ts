/** Eyes to see what is stored, and what a tick reports. */
import type { TickReport } from '../../../src/report.ts';
import type { Run } from '../../../src/view.ts';
import type { TestEngine } from './world.ts';

/** All runs of a task, oldest first. */
export async function runsOf({ keeper }: TestEngine, id: string): Promise<Run[]> {
  const runs: Run[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await keeper.tasks.runs(id, { limit: 1_000, ...(cursor !== undefined && { cursor }) });
    runs.push(...page.items);
    cursor = page.cursor;
    if (cursor === undefined) return runs.reverse();
  }
}

export const hasRun =
  (engine: TestEngine, id: string, count = 1) =>
  async (): Promise<boolean> =>
    (await runsOf(engine, id)).length >= count;

export const outputs = (runs: readonly Run[]): unknown[] => runs.map(({ output }) => output);
export const statuses = (runs: readonly Run[]): string[] => runs.map(({ status }) => status);

/** Everything below a directory of the namespace, by default all of it, with its data. */
export async function tree(engine: TestEngine, directory = ''): Promise<Map<string, string>> {
  const session = await engine.session();
  const found = new Map<string, string>();
  const walk = async (path: string): Promise<void> => {
    const [names, node] = await Promise.all([session.children(path), session.get(path)]);
    found.set(path, node?.data ?? '');
    await Promise.all((names ?? []).map((name) => walk(`${path}/${name}`)));
  };
  await walk(directory === '' ? engine.layout.root : `${engine.layout.root}/${directory}`);
  await session.close();
  return found;
}

const paths = async (engine: TestEngine, pattern: RegExp): Promise<string[]> =>
  [...(await tree(engine, 'shards')).keys()].filter((path) => pattern.test(path));

/** Locks and journals of the namespace that are there. */
export const leftovers = (engine: TestEngine) => paths(engine, /\/(lock|journal\/.+)$/);

/** Paths of the due index: days, minutes and pages. */
export const dueIndex = (engine: TestEngine) => paths(engine, /\/due\/./);

/** What must hold for every report. */
export const accountedFor = (report: TickReport): number =>
  report.succeeded + report.failed + report.timedOut + report.skipped + report.uncertain + report.deferred;

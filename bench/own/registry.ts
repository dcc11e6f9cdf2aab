/** A registry for one measurement, gone afterwards: no round is to pay for what those before it have left on the server. */
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { openZooKeeper } from '../../src/coordinator/zookeeper.ts';
import type { Session } from '../../src/coordinator.ts';
import { namespacePath } from '../../src/layout.ts';
import { parseCoordinatorUrl } from '../../src/url.ts';
import { freshNamespace } from '../recovery/stage.ts';

/** Of one transaction or call: each is far below the limits of ZooKeeper, and within a call's time. */
const NODES_PER_CALL = 1_000;
const SESSION_MS = 10_000;

/** Opens a keeper of a namespace of its own, and removes that again when `use` is through. */
export async function inFreshNamespace<T>(url: string, use: (keeper: Cronkeeper) => Promise<T>): Promise<T> {
  const namespace = freshNamespace();
  const keeper = await openCronkeeper({ url, namespace });
  const used = await use(keeper).finally(() => keeper.close());
  await removeNamespace(url, namespace);
  return used;
}

async function removeNamespace(url: string, namespace: string): Promise<void> {
  const parsed = parseCoordinatorUrl(url);
  if (parsed.kind !== 'zookeeper') throw new Error(`${parsed.kind}: only ZooKeeper is measured`);
  const coordinator = openZooKeeper({ ...parsed, sessionTimeoutMs: SESSION_MS, clock: systemClock });
  try {
    const session = await coordinator.connect();
    await removeTree(session, namespacePath(namespace)).finally(() => session.close());
  } finally {
    await coordinator.close();
  }
}

/** Level by level: what is below a node goes before it. */
async function removeTree(session: Session, root: string): Promise<void> {
  const levels: string[][] = [];
  for (let level = [root]; level.length > 0; level = await below(session, level)) levels.push(level);
  for (const level of levels.toReversed()) {
    for (const paths of callsOf(level)) await session.multi(paths.map((path) => ({ op: 'remove', path })));
  }
}

async function below(session: Session, level: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (const paths of callsOf(level)) {
    const lists = await session.childrenMany(paths);
    for (const [i, names = []] of lists.entries()) all.push(...names.map((name) => `${paths[i]}/${name}`));
  }
  return all;
}

const callsOf = (paths: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(paths.length / NODES_PER_CALL) }, (_, i) =>
    paths.slice(i * NODES_PER_CALL, (i + 1) * NODES_PER_CALL),
  );

/** A namespace: one set of tasks with its own shards, made on first use. */
import type { Session } from './coordinator.ts';
import { isRefused } from './coordinator.ts';
import { CronkeeperError, isCronkeeperError, received } from './errors.ts';
import {
  createLayout,
  type Layout,
  laterDirectories,
  NAMESPACE_PATTERN,
  namespaceOps,
  namespacePath,
  namespaceRoot,
} from './layout.ts';
import { SHARDS_MAX } from './shard.ts';

/** Grows when the layout changes in a way that older code must not touch. */
const LAYOUT_VERSION = 1;

/**
 * The layout of a namespace, which is made first if it is not there: whole, or not at all.
 * @param shards for a new namespace; an existing one keeps the number it was made with.
 * @throws CronkeeperError `invalid` for a name or number that is not allowed, `corrupt` for a namespace that this
 * program does not understand.
 */
export async function openNamespace(session: Session, namespace: string, shards: number): Promise<Layout> {
  assertNamespace(namespace);
  if (!Number.isInteger(shards) || shards < 1 || shards > SHARDS_MAX) {
    throw new CronkeeperError(
      'invalid',
      `shards: received ${received(shards)}; allowed: a whole number from 1 to ${SHARDS_MAX}`,
    );
  }
  const path = namespacePath(namespace);
  const later = laterDirectories(createLayout(namespace, shards));
  const [found, ...have] = await session.getMany([path, ...later]);
  const node = found ?? (await make(session, namespace, shards));
  const layout = createLayout(namespace, shardsOf(path, node.data));
  // Made by a program that did not know them. They come with the namespace otherwise.
  const missing = found === undefined ? [] : later.filter((_, i) => have[i] === undefined);
  for (const directory of missing) await createIfMissing(session, directory);
  return layout;
}

export function assertNamespace(namespace: string): void {
  if (NAMESPACE_PATTERN.test(namespace)) return;
  const allowed = '1 to 64 characters from A-Z a-z 0-9 _ -';
  throw new CronkeeperError('invalid', `namespace: received ${received(namespace)}; allowed: ${allowed}`);
}

async function make(session: Session, namespace: string, shards: number): Promise<{ data: string }> {
  const data = JSON.stringify({ v: LAYOUT_VERSION, shards });
  await createIfMissing(session, namespaceRoot);
  try {
    await session.multi(namespaceOps(namespace, shards, data));
    return { data };
  } catch (error) {
    // Somebody else made it just now, or our own reply was lost: what is there counts.
    if (!isRefused(error, 'node-exists') && !isCronkeeperError(error, 'outcome-unknown')) throw error;
    const node = await session.get(namespacePath(namespace));
    if (node === undefined) throw error;
    return node;
  }
}

async function createIfMissing(session: Session, path: string): Promise<void> {
  try {
    await session.multi([{ op: 'create', path, data: '' }]);
  } catch (error) {
    if (!isRefused(error, 'node-exists') && !isCronkeeperError(error, 'outcome-unknown')) throw error;
  }
}

function shardsOf(path: string, data: string): number {
  let settings: { v?: unknown; shards?: unknown } = {};
  try {
    settings = JSON.parse(data) ?? {};
  } catch {
    // Reported below, with what is there.
  }
  const { v, shards } = settings;
  if (
    v === LAYOUT_VERSION &&
    typeof shards === 'number' &&
    Number.isInteger(shards) &&
    shards >= 1 &&
    shards <= SHARDS_MAX
  ) {
    return shards;
  }
  throw new CronkeeperError(
    'corrupt',
    `${path} holds ${received(data)}; this program reads {"v":${LAYOUT_VERSION},"shards":N}`,
  );
}

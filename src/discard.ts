/** Getting rid of a record that nobody can read, with all that is kept beside it: only names tell what that is. */
import type { EpochMs } from './clock.ts';
import type { Op, Session } from './coordinator.ts';
import type { CronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';
import { isNewer } from './record-text.ts';
import { hashesIn, hintOps } from './retention.ts';

export interface DiscardDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly now: () => EpochMs | Promise<EpochMs>;
  readonly maker: () => string;
  /** What is said of it, in the same transaction. */
  readonly note: (nowMs: EpochMs) => Promise<Op[]>;
}

/**
 * Whether there was something.
 * @throws `problem` where a newer version wrote it: then it is not ours to throw away.
 */
export async function discard(
  { session, layout, now, maker, note }: DiscardDeps,
  id: string,
  problem: CronkeeperError,
): Promise<boolean> {
  const path = layout.task(id);
  const dead = layout.deadOf(id);
  const rules = layout.eventRules(id);
  const [node, chunks, letters, wanted] = await Promise.all([
    session.get(path),
    session.children(path),
    session.children(dead.directory),
    session.get(rules),
  ]);
  if (node === undefined) return false;
  if (isNewer(node.data)) throw problem;
  const beside = [
    ...(chunks ?? []).map((name) => `${path}/${name}`),
    ...(letters ?? []).filter((name) => name.startsWith(dead.prefix)).map((name) => `${dead.directory}/${name}`),
    ...(wanted === undefined ? [] : [rules]),
  ].map((each): Op => ({ op: 'remove', path: each }));
  const nowMs = await now();
  const stamp: Op[] = wanted === undefined ? [] : [{ op: 'set', path: layout.events, data: maker() }];
  const hints = hintOps(layout, nowMs, maker, hashesIn(node.data));
  const noted = await note(nowMs);
  await session.multi([...beside, { op: 'remove', path, version: node.version }, ...stamp, ...hints, ...noted]);
  return true;
}

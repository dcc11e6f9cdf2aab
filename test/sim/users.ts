/** Those who put, change and remove tasks, each from a process of its own over the same bad network. */
import type { Cronkeeper } from '../../src/app.ts';
import { isCronkeeperError, messageOf } from '../../src/errors.ts';
import type { SimProcess } from './process.ts';
import type { Act } from './tasks.ts';
import type { World } from './world.ts';

/** Refusals that a user must expect. */
const EXPECTED = ['unavailable', 'session-lost', 'outcome-unknown', 'conflict', 'not-found', 'too-large'] as const;

/** @param isBrief each act ends its session, as functions that are frozen between calls do. */
export function scheduleActs(world: World, acts: readonly Act[], isBrief = false): void {
  const users = new Map<number, Promise<{ process: SimProcess; keeper: Cronkeeper }>>();
  const open = async (user: number, count: number) => {
    const process = world.process(`user${user}.${count}`, user + 10 * count);
    return { process, keeper: await world.keeper(process) };
  };
  const act = async (each: Act) => {
    const known = await users.get(each.user);
    const isUsable = known !== undefined && !known.process.isKilled;
    const count = known === undefined ? 0 : Math.floor(known.process.ordinal / 10) + 1;
    const opening = isUsable ? Promise.resolve(known) : open(each.user, Math.min(count, 9));
    users.set(each.user, opening);
    const { process, keeper } = await opening;
    process.deliver(async () => {
      await perform(world, keeper, each);
      if (isBrief) await keeper.release();
    });
  };
  for (const each of acts) world.time.after(each.atMs, () => void act(each));
}

async function perform({ violations }: World, keeper: Cronkeeper, { taskId, do: what, id }: Act): Promise<void> {
  const { tasks } = keeper;
  try {
    if (what.kind === 'emit') await keeper.emit({ id: what.eventId, source: 'bus', detailType: 'any', detail: {} });
    else if (what.kind === 'put') await tasks.put(what.document);
    else if (what.kind === 'run') await tasks.run(taskId, what.key === undefined ? {} : { key: what.key });
    else await tasks[what.kind](taskId);
  } catch (error) {
    const isExpected = isCronkeeperError(error, ...EXPECTED);
    violations.hold(isExpected, 'I13', () => `${id} (${what.kind} ${taskId}) failed: ${messageOf(error)}`);
  }
}

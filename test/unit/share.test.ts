/** Who takes which shard, and when: two that start together must not end up with the same, and none may be left alone. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openEmbedded } from '../../src/coordinator/embedded.ts';
import type { Coordinator, Session } from '../../src/coordinator.ts';
import type { Layout } from '../../src/layout.ts';
import { openNamespace } from '../../src/namespace.ts';
import { FREE_MS, Share, type ShareOptions } from '../../src/share.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SHARDS = 8;

let clock: VirtualClock;
let coordinator: Coordinator;
let layout: Layout;
let holders = 0;

beforeEach(async () => {
  clock = new VirtualClock();
  coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 10_000, clock });
  layout = await openNamespace(await coordinator.connect(), 'shared', SHARDS);
});
afterEach(() => coordinator.close());

async function join(options: Partial<ShareOptions> = {}): Promise<{ share: Share; session: Session }> {
  const session = await coordinator.connect();
  const holder = () => `holder-${holders++}`;
  return { session, share: new Share({ session, layout, clock, random: 0, holder, ...options }) };
}

const numbers = (leases: readonly { readonly shard: number }[]) => leases.map(({ shard }) => shard).sort();
const ignore = () => undefined;

describe('a share of the shards', () => {
  test.each([1, 2, 3, 4, 8, 11])(
    '%i that start together have all shards between them, and none twice',
    async (count) => {
      const joined = await Promise.all(
        Array.from({ length: count }, () => join({ shardsMax: Math.ceil(SHARDS / count) })),
      );
      const taken = await Promise.all(joined.map(({ share }) => share.first()));
      expect(numbers(taken.flat())).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (const leases of taken) expect(leases.length).toBeLessThanOrEqual(Math.ceil(SHARDS / count));
    },
  );

  test('begins where chance says, and without a bound takes all', async () => {
    const { share, session } = await join({ shardsMax: 3, random: 0.9 });
    expect(numbers(await share.first())).toEqual([0, 1, 7]);
    await session.close();
    const all = await join();
    expect([numbers(await all.share.first()).length, all.share.isLimited]).toEqual([SHARDS, false]);
  });

  test('one that lingers leaves alone what its neighbour gives back and takes again, as workers do all the time', async () => {
    const [one, other] = [await join({ shardsMax: 4 }), await join({ shardsMax: 4 })];
    const held = (await one.share.first()).length;
    await other.share.first();
    expect(await one.share.vacant(held, ignore)).toEqual({ leases: [] });
    await other.session.close();
    await clock.advance(0);
    expect(await one.share.vacant(held, ignore)).toEqual({ leases: [], againInMs: FREE_MS });
    await clock.advance(FREE_MS - 1);
    expect(await one.share.vacant(held, ignore)).toEqual({ leases: [], againInMs: 1 });
    const again = await join({ shardsMax: 4 });
    expect((await again.share.first()).length).toBe(4);
    await clock.advance(1);
    expect(await one.share.vacant(held, ignore)).toEqual({ leases: [] });
    // And another time: its patience begins anew.
    await again.session.close();
    await clock.advance(0);
    expect(await one.share.vacant(held, ignore)).toEqual({ leases: [], againInMs: FREE_MS });
  });

  test('one that lingers takes what has no holder for long, whatever its share', async () => {
    const { share } = await join({ shardsMax: 2 });
    await share.first();
    await share.vacant(2, ignore);
    await clock.advance(FREE_MS);
    expect(numbers((await share.vacant(2, ignore)).leases)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('one that has less than its share takes the rest at once', async () => {
    const { session } = await join();
    const dying = new Share({
      session,
      layout,
      clock,
      random: 0,
      holder: () => 'dying',
      shards: [0, 1, 2, 3, 4, 5, 6],
    });
    await dying.first();
    const { share } = await join({ shardsMax: 3 });
    expect(numbers(await share.first())).toEqual([7]);
    let told = 0;
    expect((await share.vacant(1, () => told++)).leases).toEqual([]);
    await session.close();
    await clock.advance(0);
    expect(told).toBeGreaterThan(0);
    const { leases, againInMs } = await share.vacant(1, ignore);
    expect([leases.length, againInMs]).toEqual([2, FREE_MS]);
  });

  test('one that is told its shards never has others, however long nobody holds them', async () => {
    const { share } = await join({ shards: [1, 6], shardsMax: 1 });
    const [first] = numbers(await share.first());
    await share.vacant(1, ignore);
    await clock.advance(10 * FREE_MS);
    expect([first, ...numbers((await share.vacant(1, ignore)).leases)].sort()).toEqual([1, 6]);
    await expect(join({ shards: [SHARDS] })).rejects.toThrow('shards: received 8; allowed: 0 to 7');
  });
});

/** What a session on a real ZooKeeper leaves behind when it is closed, or given up: nothing. */
import { expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Op } from '../../src/coordinator.ts';
import { eventually, failure } from '../contract/coordinator/world.ts';
import { loseNextReply } from '../support/frames.ts';
import { describeWithZooKeeper } from '../support/zookeeper.ts';
import { useStage } from '../support/zookeeper-stage.ts';

const create = (path: string, data = ''): Op => ({ op: 'create', path, data });
const ephemeral = (path: string): Op => ({ op: 'create', path, data: '', mode: 'ephemeral' });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describeWithZooKeeper('a session on ZooKeeper that is closed', () => {
  const stage = useStage();

  it('has ended on the server, also when the link was down at that moment', async () => {
    const { proxy, session, direct } = await stage.proxied({ sessionTimeoutMs: 8000 });
    const other = await direct.connect();
    await session.multi([ephemeral('/lock')]);
    proxy.refuse = true;
    proxy.cutAll();
    const closing = session.close();
    await eventually('it has noticed', () => proxy.accepted > 1);
    proxy.refuse = false;
    await closing;
    expect(await other.multi([create('/lock', 'free')])).toHaveLength(1);
  });

  it('has ended on the server, also when the confirmation was lost', async () => {
    const { proxy, session, direct } = await stage.proxied({ sessionTimeoutMs: 8000 });
    const other = await direct.connect();
    await session.multi([ephemeral('/lock')]);
    loseNextReply(proxy);
    await session.close();
    expect(await other.multi([create('/lock', 'free')])).toHaveLength(1);
  });

  it.each([
    ['a server that answers', () => {}],
    ['a server that has fallen silent', (proxy: { swallowToServer: boolean }) => (proxy.swallowToServer = true)],
    [
      'a server that cannot be reached',
      (proxy: { refuse: boolean; cutAll(): void }) => {
        proxy.refuse = true;
        proxy.cutAll();
      },
    ],
  ])('leaves no timer and no socket behind (%s)', async (_, fail) => {
    const timers = new Set<object>();
    const { proxy, session } = await stage.proxied({
      clock: counting(timers),
      opTimeoutMs: 300,
      sessionTimeoutMs: 30_000,
    });
    const realTimers = timersOfTheProcess();
    fail(proxy);
    await session.close();
    expect(timers.size).toBe(0);
    expect(timersOfTheProcess()).toBeLessThanOrEqual(realTimers);
    const { accepted } = proxy;
    await pause(500);
    expect(proxy.accepted).toBe(accepted);
    await eventually('its connection is gone', () => proxy.open === 0);
  });
});

describeWithZooKeeper('a session on ZooKeeper that is given up before it began', () => {
  const stage = useStage();

  it('leaves no timer of the client behind, which would later destroy another connection', async () => {
    const connectTimeoutMs = 4242;
    const clock: Clock = {
      ...systemClock,
      after(delayMs, fire) {
        // The deadline comes before the socket has had the time to connect.
        if (delayMs !== connectTimeoutMs) return systemClock.after(delayMs, fire);
        queueMicrotask(fire);
        return () => {};
      },
    };
    const before = timersOfTheProcess();
    const proxy = await stage.proxy();
    const connecting = stage.coordinator({ servers: [proxy.address], clock, connectTimeoutMs }).connect();
    expect(await failure(connecting)).toMatchObject({ code: 'unavailable' });
    expect(timersOfTheProcess()).toBeLessThanOrEqual(before);
  });
});

/** The real clock, with the timers that have neither fired nor been cancelled. */
function counting(timers: Set<object>): Clock {
  return {
    ...systemClock,
    after(delayMs, fire) {
      const timer = {};
      timers.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        timers.delete(timer);
        fire();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
}

const timersOfTheProcess = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** What networks, frozen servers and frozen clients do to a session on a real ZooKeeper, named after the fear. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, jest } from '@jest/globals';
import type { Op } from '../../src/coordinator.ts';
import { eventually, failure } from '../contract/coordinator/world.ts';
import { SessionEnder } from '../support/expiry.ts';
import { loseNextReply } from '../support/frames.ts';
import { describeWithZooKeeper, sharedServer, startServers } from '../support/zookeeper.ts';
import { useStage } from '../support/zookeeper-stage.ts';

jest.setTimeout(30_000);

const create = (path: string, data = ''): Op => ({ op: 'create', path, data });
const ephemeral = (path: string): Op => ({ op: 'create', path, data: '', mode: 'ephemeral' });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first server of the list is tried first. */
const inOrder = () => 0.999;

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describeWithZooKeeper('a ZooKeeper that cannot be reached', () => {
  const stage = useStage();

  it('is given up at the deadline with the reason, and is not tried in secret for ever', async () => {
    const port = await closedPort();
    const coordinator = stage.coordinator({ servers: [`127.0.0.1:${port}`], connectTimeoutMs: 300 });
    const error = await failure(coordinator.connect());
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('ECONNREFUSED') });
    let attempts = 0;
    const listener = createServer((socket) => {
      attempts++;
      socket.destroy();
    }).listen(port, '127.0.0.1');
    await pause(1000);
    listener.close();
    expect(attempts).toBe(0);
  });

  it('is given up when its name is not known', async () => {
    const coordinator = stage.coordinator({ servers: ['no-such-host.invalid:2181'], connectTimeoutMs: 300 });
    expect(await failure(coordinator.connect())).toMatchObject({ code: 'unavailable' });
  });

  it('is given up when it is something else that talks first', async () => {
    const impostor = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'));
    impostor.listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const { port } = impostor.address() as { port: number };
    const coordinator = stage.coordinator({ servers: [`127.0.0.1:${port}`], connectTimeoutMs: 300 });
    expect(await failure(coordinator.connect())).toMatchObject({ code: 'unavailable' });
    impostor.close();
  });

  it('does not hold up the servers that can be reached', async () => {
    const stuck = await stage.proxy();
    stuck.swallowToClient = true;
    const servers = [`127.0.0.1:${await closedPort()}`, stuck.address, sharedServer()];
    const session = await stage.coordinator({ servers, random: inOrder, connectTimeoutMs: 8000 }).connect();
    expect(stuck.accepted).toBe(1);
    expect(await session.get('/')).toMatchObject({ data: '' });
  });

  it('does not hold up a connect for ever when it accepts and never answers', async () => {
    const proxy = await stage.proxy();
    proxy.swallowToClient = true;
    const coordinator = stage.coordinator({ servers: [proxy.address], connectTimeoutMs: 8000 });
    const connecting = coordinator.connect();
    await eventually('it is tried again', () => proxy.accepted > 1);
    proxy.swallowToClient = false;
    expect((await connecting).signal.aborted).toBe(false);
  });
});

describeWithZooKeeper('a link to ZooKeeper that breaks', () => {
  const stage = useStage();

  it('settles everything that waited for it when the session turns out to have expired', async () => {
    const ender = await SessionEnder.before([sharedServer()]);
    // The time-out is long, so that nothing but the server's word can end the session.
    const coordinator = stage.coordinator({ servers: ender.addresses, opTimeoutMs: 20_000, sessionTimeoutMs: 30_000 });
    const session = await coordinator.connect();
    const [proxy] = ender.proxies;
    if (proxy === undefined) throw new Error('there is one proxy per server');
    proxy.refuse = true;
    proxy.cutAll();
    await eventually('it has noticed', () => proxy.accepted > 1);
    const calls = [
      session.get('/'),
      session.get('/', () => {}),
      session.getMany(['/']),
      session.children('/'),
      session.multi([create('/late')]),
    ].map(failure);
    await ender.end(session.id);
    proxy.refuse = false;
    for (const call of calls) expect(await call).toMatchObject({ code: 'session-lost' });
    expect(session.signal.reason).toMatchObject({ code: 'session-lost' });
    await ender[Symbol.asyncDispose]();
  });

  it('is left alone once the session has expired, and the next session is a new one', async () => {
    const ender = await SessionEnder.before([sharedServer()]);
    const coordinator = stage.coordinator({ servers: ender.addresses, sessionTimeoutMs: 30_000 });
    const session = await coordinator.connect();
    await ender.end(session.id);
    ender.proxies[0]?.cutAll();
    await eventually('the session knows', () => session.signal.aborted);
    await eventually('its connection is gone', () => ender.proxies[0]?.open === 0);
    const accepted = ender.proxies[0]?.accepted ?? 0;
    await pause(500);
    expect(ender.proxies[0]?.accepted).toBe(accepted);
    const next = await coordinator.connect();
    expect(next.id).not.toBe(session.id);
    await coordinator.close();
    await ender[Symbol.asyncDispose]();
  });

  it('does not hang a call when it stays open and carries nothing', async () => {
    const { proxy, session } = await stage.proxied({ sessionTimeoutMs: 1500, opTimeoutMs: 5000 });
    proxy.halfOpenAll();
    const write = failure(session.multi([create('/node')]));
    expect(await session.get('/')).toMatchObject({ data: '' });
    expect(await write).toMatchObject({ code: 'outcome-unknown' });
    expect(proxy.accepted).toBe(2);
    expect(session.signal.aborted).toBe(false);
  });

  it('does not let a session that only listens be taken for dead', async () => {
    const { proxy, session, direct } = await stage.proxied({ sessionTimeoutMs: 1000 });
    const writer = await direct.connect();
    const paths = Array.from({ length: 25 }, (_, index) => `/node-${index}`);
    await writer.multi(paths.map((path) => create(path)));
    const onChange = jest.fn<() => void>();
    for (const path of paths) await session.get(path, onChange);
    for (const path of paths) {
      await pause(120);
      await writer.multi([{ op: 'set', path, data: 'x' }]);
    }
    await eventually('it heard everything', () => onChange.mock.calls.length === paths.length);
    expect(session.signal.aborted).toBe(false);
    expect(proxy.accepted).toBe(1);
  });

  it('leaves no doubt about what was never sent: it is not done later either', async () => {
    const { proxy, session } = await stage.proxied({ sessionTimeoutMs: 8000, opTimeoutMs: 300 });
    proxy.refuse = true;
    proxy.cutAll();
    await eventually('it has noticed', () => proxy.accepted > 1);
    expect(await failure(session.multi([create('/late')]))).toMatchObject({ code: 'unavailable' });
    expect(await failure(session.get('/'))).toMatchObject({ code: 'unavailable' });
    proxy.refuse = false;
    await eventually('it is back', () => session.get('/').then(Boolean, () => false));
    expect(await session.get('/late')).toBeUndefined();
  });

  it('says of what was sent and not answered in time that its outcome is unknown, unless it is a read', async () => {
    const { proxy, session } = await stage.proxied({ sessionTimeoutMs: 30_000, opTimeoutMs: 300 });
    proxy.halfOpenAll();
    expect(await failure(session.multi([create('/node')]))).toMatchObject({ code: 'outcome-unknown' });
    expect(await failure(session.get('/'))).toMatchObject({ code: 'unavailable' });
  });

  it('does not collect calls without end', async () => {
    const { proxy, session } = await stage.proxied({ sessionTimeoutMs: 30_000 });
    proxy.halfOpenAll();
    const calls = Array.from({ length: 10_001 }, () => failure(session.get('/')));
    expect(await Promise.race(calls)).toMatchObject({ code: 'too-large' });
    proxy.cutAll();
    await session.close();
    for (const call of calls) expect(await call).toBeDefined();
  });

  it('does not claim that a write failed which was applied', async () => {
    const { proxy, session } = await stage.proxied();
    loseNextReply(proxy);
    expect(await failure(session.multi([create('/node', 'written')]))).toMatchObject({ code: 'outcome-unknown' });
    expect(await session.get('/node')).toMatchObject({ data: 'written' });
  });

  it('tells the holder of a lock in time when it cannot reach anyone any more', async () => {
    const { proxy, session, direct } = await stage.proxied({ sessionTimeoutMs: 1500 });
    const onChange = jest.fn<() => void>();
    await session.multi([ephemeral('/lock')]);
    await session.get('/lock', onChange);
    const other = await direct.connect();
    proxy.halfOpenAll();
    proxy.refuse = true;
    await eventually('it gives up', () => session.signal.aborted);
    expect(session.signal.reason).toMatchObject({ code: 'session-lost' });
    expect(onChange).toHaveBeenCalledTimes(1);
    await eventually('the lock is free', async () => (await other.get('/lock')) === undefined);
  });

  it('keeps its watches through a reconnect, and fires each of them once', async () => {
    const { proxy, session, direct } = await stage.proxied({ sessionTimeoutMs: 8000 });
    const other = await direct.connect();
    await other.multi([create('/changed'), create('/removed'), create('/kept')]);
    const fired: string[] = [];
    for (const path of ['/changed', '/removed', '/kept', '/created', '/missing']) {
      await session.get(path, () => fired.push(path));
    }
    proxy.refuse = true;
    proxy.cutAll();
    await eventually('it has noticed', () => proxy.accepted > 1);
    await other.multi([
      { op: 'set', path: '/changed', data: 'x' },
      { op: 'remove', path: '/removed' },
      create('/created'),
    ]);
    proxy.refuse = false;
    await eventually('what changed has fired', () => fired.length >= 3);
    expect(fired.sort()).toEqual(['/changed', '/created', '/removed']);
    await other.multi([
      { op: 'set', path: '/changed', data: 'y' },
      { op: 'set', path: '/kept', data: 'x' },
      create('/missing'),
    ]);
    await eventually('the rest has fired', () => fired.length >= 5);
    expect(fired.sort()).toEqual(['/changed', '/created', '/kept', '/missing', '/removed']);
  });

  it('does not take a crowd of watchers for a leak', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    const session = await stage.coordinator().connect();
    const onChange = jest.fn<() => void>();
    for (let count = 0; count < 30; count++) await session.get('/', onChange);
    await pause(0);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('refuses more watches than can be set again in one packet', async () => {
    const session = await stage.coordinator().connect();
    const watch = (index: number) => session.get(`/missing-${index}`, () => {});
    await Promise.all(Array.from({ length: 256 }, (_, index) => watch(index)));
    expect(await failure(watch(256))).toMatchObject({ code: 'too-large' });
  });
});

describeWithZooKeeper('a ZooKeeper that becomes a black hole', () => {
  const stage = useStage();

  /** Twice what is promised of all of it together: machines are loaded, but not as slow as waits that add up. */
  const SOON_MS = 10_000;

  const swallowing = async (options = {}) => {
    const staged = await stage.proxied({ sessionTimeoutMs: 10_000, ...options });
    staged.proxy.swallowToServer = staged.proxy.swallowToClient = true;
    return staged;
  };

  it('does not make a write, a look at what became of it, and the good-bye wait one after the other', async () => {
    const { session } = await swallowing();
    const startMs = performance.now();
    expect(await failure(session.multi([create('/node')]))).toMatchObject({ code: 'outcome-unknown' });
    expect(await failure(session.get('/node'))).toMatchObject({ code: 'unavailable' });
    expect(await failure(session.getMany(['/node']))).toMatchObject({ code: 'unavailable' });
    await session.close();
    expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  });

  it('does not hold up whoever only wants to leave', async () => {
    const { session } = await swallowing({ sessionTimeoutMs: 40_000 });
    const startMs = performance.now();
    await session.close();
    expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  });

  it('is told soon to whoever connects', async () => {
    const proxy = await stage.proxy();
    proxy.swallowToServer = proxy.swallowToClient = true;
    const startMs = performance.now();
    const coordinator = stage.coordinator({ servers: [proxy.address], sessionTimeoutMs: 40_000 });
    expect(await failure(coordinator.connect())).toMatchObject({ code: 'unavailable' });
    expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  });

  it('is left for a server that answers, within the call that found out', async () => {
    const servers = [await stage.proxy(), await stage.proxy()];
    const [first, second] = servers;
    const addresses = servers.map(({ address }) => address);
    const session = await stage
      .coordinator({ servers: addresses, sessionTimeoutMs: 30_000, random: inOrder })
      .connect();
    const hole = first?.accepted === 1 ? first : second;
    if (hole === undefined) throw new Error('there are two servers');
    hole.swallowToServer = hole.swallowToClient = true;
    const write = failure(session.multi([create('/node')]));
    expect(await session.get('/')).toMatchObject({ data: '' });
    expect(await write).toMatchObject({ code: 'outcome-unknown' });
    expect(await session.multi([create('/other')])).toMatchObject([{ path: '/other' }]);
    expect(session.signal.aborted).toBe(false);
  });
});

describeWithZooKeeper('a ZooKeeper server that freezes', () => {
  const stage = useStage();

  it('is left for another, and takes nobody’s session with it', async () => {
    const servers = await startServers(3);
    try {
      const leader = await servers.leader();
      const [frozen, other] = servers.members.filter((member) => member !== leader);
      if (frozen === undefined || other === undefined) throw new Error('there are two followers');
      const session = await stage
        .coordinator({ servers: [frozen.address, other.address], random: inOrder, opTimeoutMs: 20_000 })
        .connect({ sessionTimeoutMs: 6000 });
      await session.multi([ephemeral('/lock')]);
      frozen.freeze();
      const [node] = await session.getMany(['/lock']);
      expect(node).toMatchObject({ owner: session.id });
      expect(session.signal.aborted).toBe(false);
      frozen.thaw();
      await session.close();
    } finally {
      await servers.stop();
    }
  }, 120_000);
});

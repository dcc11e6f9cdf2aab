/** Every trap in what the ZooKeeper client and protocol send and answer, each on a real server, named after the fear. */
import { expect, it, jest } from '@jest/globals';
import { createClient, Exception } from 'node-zookeeper-client';
import { COORDINATOR_LIMITS, type Op } from '../../src/coordinator.ts';
import { eventually, failure } from '../contract/coordinator/world.ts';
import { failWith, framesIn, loseNextReply, OP, renumber } from '../support/frames.ts';
import { describeWithZooKeeper, sharedServer } from '../support/zookeeper.ts';
import { useStage } from '../support/zookeeper-stage.ts';

const create = (path: string, data = ''): Op => ({ op: 'create', path, data });

/** Not in the client's table of errors. */
const UNKNOWN_CODE = -999;

describeWithZooKeeper('ZooKeeper’s traps in what is sent', () => {
  const stage = useStage();

  it.each(['set', 'remove', 'check'] as const)('does not take version 0 for "any" (%s)', async (op) => {
    const session = await stage.coordinator().connect();
    await session.multi([create('/node')]);
    await session.multi([{ op: 'set', path: '/node', data: 'newer' }]);
    const stale = { op, path: '/node', data: 'stale', version: 0 } as Op;
    expect(await failure(session.multi([stale]))).toMatchObject({ refusal: 'bad-version', opIndex: 0 });
    expect(await session.get('/node')).toMatchObject({ data: 'newer', version: 1 });
  });

  it('does not let one multi that is too large cut the connection under all that is on the way', async () => {
    const { proxy, session } = await stage.proxied();
    const large = 'x'.repeat(COORDINATOR_LIMITS.nodeBytesMax);
    const ops = Array.from({ length: 5 }, (_, index) => create(`/large-${index}`, large));
    const [small, tooLarge] = [session.multi([create('/small')]), failure(session.multi(ops))];
    expect(await tooLarge).toMatchObject({ code: 'too-large' });
    expect(await small).toHaveLength(1);
    expect(proxy.accepted).toBe(1);
  });

  it('does not let a long chroot make too large what is within the limits', async () => {
    const { proxy, session } = await stage.proxied({ chroot: `/${'long'.repeat(100)}` });
    const checks = Array.from({ length: 5000 }, (): Op => ({ op: 'check', path: '/' }));
    expect(await failure(session.multi(checks))).toMatchObject({ code: 'too-large' });
    expect(await session.multi(checks.slice(0, 2000))).toHaveLength(2000);
    expect(proxy.accepted).toBe(1);
  });

  it('does not number its first request 0, which older servers count wrongly', async () => {
    const proxy = await stage.proxy();
    const xids: number[] = [];
    proxy.onClientBytes = (bytes) => {
      xids.push(...framesIn(bytes).map(({ xid }) => xid));
      return bytes;
    };
    await stage.coordinator({ servers: [proxy.address] }).connect();
    // The first frame is the greeting, which has the protocol's version in this place.
    expect(xids.slice(1).find((xid) => xid >= 0)).toBe(1);
  });

  it('does not do again by itself what has been done and not confirmed', async () => {
    const { proxy, session } = await stage.proxied();
    loseNextReply(proxy);
    const numbered = session.multi([{ op: 'create', path: '/n-', data: '', mode: 'sequential' }]);
    expect(await failure(numbered)).toMatchObject({ code: 'outcome-unknown' });
    expect(await session.children('/')).toEqual(['n-0000000000']);
  });

  it('does not lose a read with its connection, since a read does no harm twice', async () => {
    const { proxy, session } = await stage.proxied();
    await session.multi([create('/node', 'data')]);
    for (const read of [
      () => session.get('/node'),
      () => session.get('/node', () => {}),
      () => session.getMany(['/node']).then(([node]) => node),
    ]) {
      loseNextReply(proxy);
      expect(await read()).toMatchObject({ data: 'data' });
    }
    loseNextReply(proxy);
    expect(await session.children('/node')).toEqual([]);
  });
});

describeWithZooKeeper('ZooKeeper’s traps in what is answered', () => {
  const stage = useStage();

  it('survives a connection that is cut in the middle of a reply', async () => {
    const { proxy, session } = await stage.proxied();
    const data = 'x'.repeat(50_000);
    await session.multi([create('/node', data)]);
    for (const bytes of [2, 10, 20_000]) {
      proxy.cutReplyAfter(bytes);
      expect(await session.get('/node')).toMatchObject({ data });
    }
    expect(session.signal.aborted).toBe(false);
  });

  it('survives a reply that comes byte by byte', async () => {
    const { proxy, session } = await stage.proxied();
    await session.multi([create('/node', 'some data')]);
    proxy.onServerBytes = (bytes, { client }) => {
      for (const byte of bytes) client.write(Buffer.of(byte));
      return Buffer.alloc(0);
    };
    expect(await session.getMany(['/node', '/missing'])).toMatchObject([{ data: 'some data' }, undefined]);
  });

  it('turns an error that the client does not know into an error of the call, not of the process', async () => {
    const { proxy, session } = await stage.proxied();
    Object.assign(proxy, failWith(OP.multi, UNKNOWN_CODE));
    const error = await failure(session.multi([create('/node')]));
    expect(error).toMatchObject({ code: 'internal', message: expect.stringContaining(String(UNKNOWN_CODE)) });
    Object.assign(proxy, failWith(OP.getData, UNKNOWN_CODE));
    expect(await failure(session.get('/node'))).toMatchObject({ code: 'internal' });
    expect(proxy.accepted).toBe(1);
  });

  it('survives such an error in answer to the client’s own request, the watches after a reconnect', async () => {
    const { proxy, session, direct } = await stage.proxied();
    const onChange = jest.fn<() => void>();
    await session.multi([create('/node')]);
    await session.get('/node', onChange);
    const other = await direct.connect();
    const taps = failWith(OP.setWatches, UNKNOWN_CODE);
    proxy.onClientBytes = taps.onClientBytes;
    proxy.onServerBytes = (bytes) => {
      const refused = taps.onServerBytes(bytes);
      if (!refused.equals(bytes)) proxy.onServerBytes = (later) => later;
      return refused;
    };
    proxy.cutAll();
    await eventually('it is refused', () => proxy.accepted === 3);
    await other.multi([{ op: 'set', path: '/node', data: 'changed' }]);
    await eventually('the watch fires all the same', () => onChange.mock.calls.length === 1);
    expect(session.signal.aborted).toBe(false);
  });

  it('tells that a quota is exceeded, which the client does not know', async () => {
    const { session, direct } = await stage.proxied();
    const root = direct.url.slice(direct.url.lastIndexOf('/'));
    const top = await stage.coordinator({ chroot: '/' }).connect();
    const quota = `/zookeeper/quota${root}`;
    await top.multi([
      create(quota),
      create(`${quota}/zookeeper_limits`, 'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2'),
      create(`${quota}/zookeeper_stats`, 'count=1,bytes=0'),
    ]);
    await session.multi([create('/one')]);
    expect(await failure(session.multi([create('/two')]))).toMatchObject({ code: 'too-large' });
    await top.multi([
      { op: 'remove', path: `${quota}/zookeeper_limits` },
      { op: 'remove', path: `${quota}/zookeeper_stats` },
      { op: 'remove', path: quota },
    ]);
  });

  it('drops a reply that is no reply, and goes on with the next connection', async () => {
    const { proxy, session } = await stage.proxied();
    await session.multi([create('/node', 'data')]);
    proxy.onServerBytes = () => {
      proxy.onServerBytes = (later) => later;
      return Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
    };
    expect(await session.get('/node')).toMatchObject({ data: 'data' });
    expect(proxy.accepted).toBe(2);
  });

  it('reads a node that holds null, as other tools make them, as empty', async () => {
    const chroot = `/null-${Date.now()}`;
    const client = createClient(sharedServer());
    client.connect();
    await new Promise<void>((resolve, reject) => {
      client.create(chroot, (error) => (error instanceof Exception || error ? reject(error) : resolve()));
    });
    const session = await stage.coordinator({ chroot }).connect();
    expect(await session.get('/')).toMatchObject({ data: '', version: 0 });
    expect(await session.getMany(['/', '/'])).toMatchObject([
      { data: '', version: 0 },
      { data: '', version: 0 },
    ]);
    await session.multi([{ op: 'set', path: '/', data: '' }]);
    expect(await session.get('/')).toMatchObject({ data: '', version: 1 });
    client.close();
  });

  it('reads in bulk from a server that does not know how', async () => {
    const proxy = await stage.proxy();
    // A server answers every op code that it does not know as one before 3.6 answers multiRead.
    const unknownToServers = 4711;
    let asked = 0;
    const rewrite = renumber(OP.multiRead, unknownToServers);
    proxy.onClientBytes = (bytes) => {
      asked += framesIn(bytes).filter(({ type }) => type === OP.multiRead).length;
      return rewrite(bytes);
    };
    const session = await stage.coordinator({ servers: [proxy.address] }).connect();
    await session.multi([create('/a', '1'), create('/b', '2')]);
    expect(await session.getMany(['/a', '/missing', '/b'])).toMatchObject([{ data: '1' }, undefined, { data: '2' }]);
    expect(asked).toBe(1);
  });

  it('reads a directory of 20,000 names', async () => {
    const session = await stage.coordinator().connect();
    const names = Array.from({ length: 20_000 }, (_, index) => `${index}-${'n'.repeat(30)}`);
    for (let start = 0; start < names.length; start += 5000) {
      await session.multi(names.slice(start, start + 5000).map((name) => create(`/${name}`)));
    }
    expect((await session.children('/'))?.sort()).toEqual(names.sort());
  });

  it('answers each of 5,000 requests on the way with its own reply', async () => {
    const session = await stage.coordinator({ opTimeoutMs: 30_000 }).connect();
    const paths = Array.from({ length: 5000 }, (_, index) => `/${index}`);
    await session.multi(paths.map((path) => create(path, `data of ${path}`)));
    const nodes = await Promise.all(paths.map((path) => session.get(path)));
    expect(nodes.map((node) => node?.data)).toEqual(paths.map((path) => `data of ${path}`));
  });
});

describeWithZooKeeper('ZooKeeper’s traps in who may do what', () => {
  const stage = useStage();
  const auth = 'keeper:secret';

  it('lets nobody else read or write what was made with a password, and says so', async () => {
    const { session, direct } = await stage.proxied({ auth });
    await session.multi([create('/node', 'mine')]);
    const chroot = direct.url.slice(direct.url.lastIndexOf('/'));
    for (const other of [undefined, 'keeper:wrong', 'other:secret']) {
      const stranger = stage.coordinator({ chroot, ...(other === undefined ? {} : { auth: other }) });
      expect(await failure(stranger.connect())).toMatchObject({ code: 'forbidden', refusal: 'no-auth' });
    }
    const top = await stage.coordinator({ chroot: '/' }).connect();
    const path = `${chroot}/node`;
    expect(await failure(top.get(path))).toMatchObject({ code: 'forbidden', refusal: 'no-auth' });
    expect(await failure(top.getMany([path]))).toMatchObject({ code: 'forbidden', refusal: 'no-auth' });
    expect(await failure(top.multi([{ op: 'set', path, data: '' }]))).toMatchObject({
      code: 'forbidden',
      refusal: 'no-auth',
      opIndex: 0,
    });
    const again = await direct.connect();
    expect(await again.get('/node')).toMatchObject({ data: 'mine' });
  });

  it('does not send requests ahead of the password when it reconnects', async () => {
    const { proxy, session } = await stage.proxied({ auth });
    await session.multi([create('/node', 'mine')]);
    proxy.refuse = true;
    proxy.cutAll();
    await eventually('it has noticed', () => proxy.accepted > 1);
    const calls = [session.get('/node'), session.children('/node'), session.multi([create('/node/child')])];
    proxy.refuse = false;
    const [node, children, created] = await Promise.all(calls);
    expect(node).toMatchObject({ data: 'mine' });
    expect(children).toEqual([]);
    expect(created).toHaveLength(1);
  });

  it('does not send the password once for each time that it tried to reconnect', async () => {
    const { proxy, session } = await stage.proxied({ auth });
    proxy.refuse = true;
    proxy.cutAll();
    await eventually('it has tried', () => proxy.accepted > 4);
    let passwords = 0;
    proxy.onClientBytes = (bytes) => {
      passwords += framesIn(bytes).filter(({ type }) => type === OP.auth).length;
      return bytes;
    };
    proxy.refuse = false;
    await session.get('/');
    expect(passwords).toBe(1);
  });

  it.each(['', 'keeper', ':secret', 'keeper:'])('refuses the credentials %j without showing them', (wrong) => {
    expect(() => stage.coordinator({ auth: wrong })).toThrow(/ZooKeeper auth must be user:password/);
    expect(() => stage.coordinator({ auth: wrong })).not.toThrow(/secret/);
  });

  it('shows no password in its address', () => {
    expect(stage.coordinator({ auth }).url).not.toContain('secret');
  });
});

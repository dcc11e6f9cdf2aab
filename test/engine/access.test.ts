/** With a password, a stranger in the network of the ensemble finds nothing to read and nothing to change. */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, it, jest } from '@jest/globals';
import { type Client, createClient, Exception } from 'node-zookeeper-client';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import type { Coordinator } from '../../src/coordinator.ts';
import { failure } from '../contract/coordinator/world.ts';
import { altered, clockAt, task } from '../contract/engine/world.ts';
import { describeWithZooKeeper, sharedServer } from '../support/zookeeper.ts';
import { useStage } from '../support/zookeeper-stage.ts';

jest.setTimeout(60_000);

const AUTH = 'keeper:secret';
/** Where nothing may be sent: it is given up, and kept. */
const NOWHERE = { url: 'https://127.0.0.1/' };
const DAY_MS = 86_400_000;
/** A loaded machine must not lose sessions on its own. */
const SESSION_TIMEOUT_MS = 8_000;

/** Paths from one on, each with who may do what to it, as ZooKeeper itself says. */
async function walk(client: Client, top: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    const answers = await Promise.all([
      asked<string[]>((answer) => client.getChildren(path, answer)),
      asked<unknown>((answer) => client.getACL(path, answer)),
    ]).catch(unlessGone);
    if (answers === undefined) return;
    const [names, acl] = answers;
    found.set(path.slice(top.length), JSON.stringify(acl));
    await Promise.all(names.map((name) => visit(`${path}/${name}`)));
  };
  await visit(top);
  return found;
}

/** What has begun is recorded meanwhile, and its nodes go. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof Exception) || error.getCode() !== Exception.NO_NODE) throw error;
}

const asked = <T>(ask: (answer: (error: unknown, value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    ask((error, value) => (error ? reject(error) : resolve(value)));
  });

describeWithZooKeeper('a namespace with a password', () => {
  const stage = useStage();
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** The library's own client, which knows nothing of ours. */
  async function eye(): Promise<Client> {
    const client = createClient(sharedServer());
    cleanups.push(() => client.close());
    await new Promise<void>((resolve) => {
      client.once('connected', resolve);
      client.connect();
    });
    client.addAuthInfo('digest', Buffer.from(AUTH));
    return client;
  }

  async function open(coordinator: Coordinator, hold = async () => {}): Promise<Cronkeeper> {
    const capabilities = { hold };
    const keeper = await openCronkeeper({ url: 'embedded:', zkAuth: AUTH, shards: 2, coordinator, capabilities });
    cleanups.push(() => keeper.close());
    return keeper;
  }

  /** All that writes: definitions, runs, dead letters, rules of events, the trail, what nobody takes, hints. */
  async function workOut(keeper: Cronkeeper): Promise<void> {
    const { tasks } = keeper;
    await tasks.put(
      task('plain', {
        timeout: '30s',
        capabilities: { call: ['hold'] },
        code: 'export default (ctx) => ctx.call("hold")',
      }),
    );
    await tasks.put(
      task('dead', {
        schedule: { after: '0s' },
        code: 'throw new Error("no")',
        retry: { attempts: 1 },
        onDeadLetter: NOWHERE,
      }),
    );
    await tasks.put({ id: 'heard', on: [{ source: 'shop' }], code: '1' });
    await tasks.put(task('gone'));
    await tasks.put(task('gone', { code: '"of another text, so that the first is dropped"' }));
    await tasks.pause('plain');
    await tasks.resume('plain');
    await tasks.run('plain', { key: 'k' });
    await keeper.emit({ source: 'shop', 'detail-type': 'Order placed', detail: {} });
    await tasks.remove('gone');
    const { succeeded, failed } = await keeper.tick();
    expect([succeeded, failed]).toEqual([2, 1]);
  }

  it('has no node that anybody else may touch, while it works and afterwards', async () => {
    const chroot = `/locked-${randomUUID()}`;
    const locked = stage.coordinator({ chroot, auth: AUTH, sessionTimeoutMs: SESSION_TIMEOUT_MS });
    const client = await eye();
    let during = new Map<string, string>();
    await workOut(
      await open(locked, async () => {
        during = await walk(client, chroot);
      }),
    );
    // By a coordinator's clock that is two days on, what was dropped has had its day.
    const later: Coordinator = {
      ...locked,
      connect: async (...args) => {
        const session = await locked.connect(...args);
        const on = (ms: number) => (ms < 0 ? ms : ms + 2 * DAY_MS);
        return altered(session, {
          multi: async (ops) =>
            (await session.multi(ops)).map((result) => ({ ...result, modifiedMs: on(result.modifiedMs) })),
        });
      },
    };
    const before = await walk(client, chroot);
    const keeper = await openCronkeeper({ url: 'embedded:', coordinator: later, clock: clockAt(2 * DAY_MS) });
    cleanups.push(() => keeper.close());
    await keeper.tick();
    const after = await walk(client, chroot);

    const hasPath = (tree: Map<string, string>, pattern: RegExp) => [...tree.keys()].some((path) => pattern.test(path));
    for (const pattern of [/\/lock$/, /\/journal\/./])
      expect([pattern, hasPath(during, pattern)]).toEqual([pattern, true]);
    for (const name of ['tasks/..', 'code/..', 'dead/..', 'audit/.*', 'events', 'dropped', 'shards/./undelivered']) {
      const pattern = new RegExp(`^/cronkeeper/default/${name}/[^/]+$`);
      expect([name, hasPath(before, pattern)]).toEqual([name, true]);
    }
    expect(hasPath(after, /\/dropped\/./)).toBe(false);

    const acls = new Set([...during.values(), ...before.values(), ...after.values()]);
    expect([...acls]).toEqual([
      expect.stringMatching(/^\[\{"permission":31,"id":\{"scheme":"digest","id":"keeper:[^"]+"\}\}\]$/),
    ]);

    const stranger = await stage.coordinator({ chroot: '/' }).connect();
    const refused = { code: 'forbidden', refusal: 'no-auth' };
    for (const path of [
      chroot,
      ...[...after.keys()].filter((each) => !/\/(tasks|code|dead)\/..$/.test(each)).map((each) => chroot + each),
    ]) {
      expect([path, await failure(stranger.get(path))]).toEqual([path, expect.objectContaining(refused)]);
      expect(await failure(stranger.children(path))).toMatchObject(refused);
      expect(await failure(stranger.multi([{ op: 'set', path, data: 'mine' }]))).toMatchObject(refused);
      expect(await failure(stranger.multi([{ op: 'create', path: `${path}/mine`, data: '' }]))).toMatchObject(refused);
    }
  });
});

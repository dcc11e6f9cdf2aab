/** The ground under a contract test: sessions that are closed after it, and a subtree of its own. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type Coordinator, CoordinatorError, type Session } from '../../../src/coordinator.ts';

/** What an implementation brings to the contract. */
export interface World {
  readonly coordinator: Coordinator;
  /**
   * Makes the coordinator end `session` as if it had not been heard of for its time-out. May resolve before that has
   * been noticed: the tests look again until it shows.
   */
  expire(session: Session): Promise<void>;
  /** Closes the coordinator and whatever was started for it. */
  dispose(): Promise<void>;
}

export interface TestWorld {
  connect(): Promise<Session>;
  expire(session: Session): Promise<void>;
  /** A path in this test's own subtree, whose root exists. */
  at(name: string): string;
}

export function useWorld(open: () => Promise<World>): TestWorld {
  let world: World | undefined;
  let base = '';
  const sessions: Session[] = [];
  const opened = (): World => {
    if (!world) throw new Error('a contract test ran before its world was open');
    return world;
  };
  const connect = async () => {
    const session = await opened().coordinator.connect();
    sessions.push(session);
    return session;
  };
  beforeAll(async () => {
    world = await open();
  });
  beforeEach(async () => {
    base = `/contract-${randomUUID()}`;
    const session = await connect();
    await session.multi([{ op: 'create', path: base, data: '' }]);
  });
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close()));
  });
  afterAll(async () => {
    await world?.dispose();
  });
  return { connect, expire: (session) => opened().expire(session), at: (name) => `${base}/${name}` };
}

const EVENTUALLY_MS = 30_000;
const LOOK_AGAIN_MS = 10;

/** Looks again until `holds` does; fails with `what` when it still does not after a long while. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + EVENTUALLY_MS;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`still not so after ${EVENTUALLY_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** The error that `call` must end with. */
export async function failure(call: Promise<unknown>): Promise<CoordinatorError> {
  const error: unknown = await call.then(
    (value) => new Error(`settled with ${JSON.stringify(value)} where a failure was expected`),
    (reason: unknown) => reason,
  );
  if (error instanceof CoordinatorError) return error;
  throw error;
}

/**
 * A process of its own on an embedded file, for tests that kill it, freeze it or race it.
 * Usage: `node embedded-process.ts <role> <file> <session time-out in ms>`; what it says, it says in lines.
 */
import { systemClock } from '../../src/clock.ts';
import { openEmbedded } from '../../src/coordinator/embedded.ts';
import { isRefused, type Session } from '../../src/coordinator.ts';
import { isCronkeeperError } from '../../src/errors.ts';

export const APPENDS_IN_FLIGHT = 8;
export const COUNTS_PER_PROCESS = 150;

const say = (line: string | number): void => {
  process.stdout.write(`${line}\n`);
};

/** Writes pairs of nodes for ever, and says the number of each pair that was acknowledged. */
async function append(session: Session): Promise<void> {
  await session.multi([{ op: 'create', path: '/mine', data: '', mode: 'ephemeral' }]);
  let next = 0;
  const writer = async () => {
    for (;;) {
      const number = next;
      next += 1;
      await session.multi([
        { op: 'create', path: `/a-${number}`, data: 'x'.repeat(1_000) },
        { op: 'create', path: `/b-${number}`, data: '' },
      ]);
      say(number);
    }
  };
  await Promise.all(Array.from({ length: APPENDS_IN_FLIGHT }, writer));
}

/** Adds to a counter, which others do too. */
async function count(session: Session): Promise<void> {
  for (let counted = 0; counted < COUNTS_PER_PROCESS; ) {
    const { data, version } = (await session.get('/counter')) ?? { data: '', version: 0 };
    try {
      await session.multi([{ op: 'set', path: '/counter', data: String(Number(data) + 1), version }]);
      counted += 1;
    } catch (error) {
      if (!isRefused(error, 'bad-version')) throw error;
    }
  }
  await session.close();
  say('counted');
}

/** Holds a lock; says when its session ends, and what comes of a write each time it is asked for one. */
async function hold(session: Session): Promise<void> {
  session.signal.addEventListener('abort', () => say('ended'));
  await session.multi([{ op: 'create', path: '/lock', data: '', mode: 'ephemeral' }]);
  say('holding');
  for await (const _ of process.stdin) {
    const write = session.multi([{ op: 'set', path: '/record', data: 'stale' }]);
    say(
      await write.then(
        () => 'wrote',
        (error: unknown) => (isCronkeeperError(error) ? error.code : String(error)),
      ),
    );
  }
}

/** Leaves a session and a watch open, and has nothing else to do. */
async function idle(session: Session): Promise<void> {
  await session.get('/anything', () => {});
  say('idle');
}

const roles = { append, count, hold, idle };

if (import.meta.main) {
  const [role, path, sessionTimeoutMs] = process.argv.slice(2);
  const coordinator = openEmbedded({ path, sessionTimeoutMs: Number(sessionTimeoutMs), clock: systemClock });
  await roles[role as keyof typeof roles](await coordinator.connect());
}

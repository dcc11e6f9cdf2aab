import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { openEmbedded } from '../../src/coordinator/embedded.ts';
import { coordinatorContract, type World } from '../contract/coordinator.ts';

/** Only where sessions expire in real time is it short; a busy machine must not look like a dead one. */
const sessionTimeoutMs = 10_000;
const SHORT_MS = 1_500;

coordinatorContract('memory', async (): Promise<World> => {
  const coordinator = openEmbedded({ path: undefined, sessionTimeoutMs, clock: systemClock });
  return {
    coordinator,
    expire: ({ id }) => coordinator.expire(id),
    dispose: () => coordinator.close(),
  };
});

coordinatorContract('a file', async (): Promise<World> => {
  const directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
  const path = join(directory, 'a/b.db');
  const coordinator = openEmbedded({ path, sessionTimeoutMs: SHORT_MS, clock: systemClock });
  return {
    coordinator,
    // The slow way, as it happens to a process that is frozen.
    expire: async ({ id }) => void coordinator.silence(id),
    dispose: async () => {
      await coordinator.close();
      rmSync(directory, { recursive: true });
    },
  };
});

// Sessions go in turn to two coordinators, which know nothing of each other but the file: like two processes.
coordinatorContract('a file that two coordinators share', async (): Promise<World> => {
  const directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
  const options = { path: join(directory, 'shared.db'), sessionTimeoutMs, clock: systemClock, pollIntervalMs: 5 };
  const coordinators = [openEmbedded(options), openEmbedded(options)] as const;
  let connects = 0;
  return {
    coordinator: {
      url: coordinators[0].url,
      connect: (connectOptions) => {
        connects += 1;
        return coordinators[connects % 2 === 0 ? 0 : 1].connect(connectOptions);
      },
      close: () => Promise.reject(new Error('not used')),
    },
    expire: ({ id }) => coordinators[0].expire(id),
    dispose: async () => {
      await Promise.all(coordinators.map((coordinator) => coordinator.close()));
      rmSync(directory, { recursive: true });
    },
  };
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { openEmbedded } from '../../src/coordinator/embedded.ts';
import { engineContract, type World } from '../contract/engine.ts';

const sessionTimeoutMs = 4_000;

/** In memory, the same engine is held to more than this in a thousand worlds: see test/sim. */
engineContract('a file', async (): Promise<World> => {
  const directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
  const coordinator = openEmbedded({ path: join(directory, 'engine.db'), sessionTimeoutMs, clock: systemClock });
  return {
    coordinator,
    expire: ({ id }) => coordinator.expire(id),
    dispose: async () => {
      await coordinator.close();
      rmSync(directory, { recursive: true });
    },
  };
});

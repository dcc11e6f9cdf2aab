/** How late the latest slot is while an ensemble elects another leader. */
import { setTimeout as delay } from 'node:timers/promises';
import { openCronkeeper } from '../../src/app.ts';
import type { Member, Servers } from '../../tools/zookeeper-server.ts';
import type { Probe, Row } from '../suite.ts';
import { freshNamespace, until, urlOf } from './stage.ts';

const TASKS = 10;
const BEFORE_MS = 1_500;
const AFTER_MS = 4_000;

export function leaderKilled(rows: { latest: Row; usual: Row }, servers: Servers, sessionTimeoutMs: number): Probe {
  return {
    rows: [rows.latest, rows.usual],
    async measure() {
      const options = { url: urlOf(servers.addresses), namespace: freshNamespace(), sessionTimeoutMs };
      const keeper = await openCronkeeper(options);
      const stopped = new AbortController();
      let killed: Member | undefined;
      try {
        const every = { schedule: { every: '200ms' }, overlap: 'queue', misfire: { policy: 'all' } } as const;
        await keeper.tasks.putMany(Array.from({ length: TASKS }, (_, i) => ({ id: `beat-${i}`, code: '1', ...every })));
        const lates: number[] = [];
        const onRun = (_: string, run: { startedMs: number; slotMs: number }) => lates.push(run.startedMs - run.slotMs);
        const ticking = keeper.tick({ lingerMs: 60_000, signal: stopped.signal, onRun });
        await until('it is at work', () => lates.length > TASKS);
        lates.length = 0; // the first look at the code is not what is measured
        await delay(BEFORE_MS);
        const usualMs = Math.max(...lates);
        killed = await servers.leader();
        await killed.kill();
        await delay(AFTER_MS);
        stopped.abort();
        await ticking;
        return [Math.max(...lates), usualMs];
      } finally {
        stopped.abort();
        await keeper.close();
        await killed?.restart();
      }
    },
  };
}

/** From the end of a process that held the leases to the start of its launch elsewhere. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openCronkeeper } from '../../src/app.ts';
import type { Servers } from '../../tools/zookeeper-server.ts';
import type { Probe, Row } from '../suite.ts';
import { freshNamespace, until, urlOf } from './stage.ts';

const holderScript = fileURLToPath(new URL('../../test/support/holder.ts', import.meta.url));

const CALLS_GATE = {
  code: 'export default async (ctx) => { await ctx.call("gate", ctx.slot, ctx.attempt); }',
  capabilities: { call: ['gate'] },
};

export function holderKilled(rows: { again: Row; beyond: Row }, servers: Servers, sessionTimeoutMs: number): Probe {
  return {
    rows: [rows.again, rows.beyond],
    async measure() {
      const url = urlOf(servers.addresses);
      const namespace = freshNamespace();
      let againMs: number | undefined;
      const gate = async () => {
        againMs = performance.now();
      };
      const keeper = await openCronkeeper({ url, namespace, sessionTimeoutMs, capabilities: { gate } });
      try {
        await keeper.tasks.put({ id: 'slow', schedule: { after: '0s' }, timeout: '1m', ...CALLS_GATE });
        const child = spawn(process.execPath, [holderScript, url, namespace, `${sessionTimeoutMs}`]);
        await isRunning(child.stdout);
        const stopped = new AbortController();
        const heir = keeper.tick({ lingerMs: 60_000, standby: true, signal: stopped.signal });
        const killedMs = performance.now();
        child.kill('SIGKILL');
        await until('the launch begins again', () => againMs !== undefined);
        stopped.abort();
        await heir;
        const tookMs = (againMs as number) - killedMs;
        return [tookMs, tookMs - sessionTimeoutMs];
      } finally {
        await keeper.close();
      }
    },
  };
}

/** It has no other word for it than a line. */
async function isRunning(stdout: NodeJS.ReadableStream): Promise<void> {
  const [chunk] = await once(stdout, 'data');
  if (!String(chunk).includes('running')) throw new Error(`the holder said ${chunk}`);
}

/**
 * A tick in a process of its own, for tests that kill or freeze it while it holds leases. Its tasks may call `gate`,
 * which says so and waits for a line on the standard input.
 * Usage: `node holder.ts <url> <namespace> <session time-out in ms>`; what it says, it says in lines of JSON.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openCronkeeper } from '../../src/app.ts';
import { isCronkeeperError, messageOf } from '../../src/errors.ts';
import type { TickReport } from '../../src/report.ts';

export type HolderLine =
  | { readonly says: 'running'; readonly slot: string; readonly attempt: number }
  | { readonly says: 'ended'; readonly report: TickReport }
  | { readonly says: 'failed'; readonly code: string; readonly message: string };

const say = (line: HolderLine): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

async function hold(url: string, namespace: string, sessionTimeoutMs: number): Promise<void> {
  const opened = once(createInterface({ input: process.stdin }), 'line');
  const gate = async (slot: string, attempt: number): Promise<void> => {
    say({ says: 'running', slot, attempt });
    await opened;
  };
  const keeper = await openCronkeeper({ url, namespace, sessionTimeoutMs, capabilities: { gate } });
  try {
    say({ says: 'ended', report: await keeper.tick() });
  } catch (error) {
    say({ says: 'failed', code: isCronkeeperError(error) ? error.code : 'none', message: messageOf(error) });
  }
  await keeper.close();
  process.stdin.destroy();
}

if (import.meta.main) {
  const [url = '', namespace = '', sessionTimeoutMs] = process.argv.slice(2);
  await hold(url, namespace, Number(sessionTimeoutMs));
}

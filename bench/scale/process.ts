/**
 * One of several processes that share the shards of a namespace: a keeper with a sandbox of one worker. It gets warm on
 * launches of its own, says so, waits for a line, and ticks until nothing is left that nobody else does.
 * Usage: `node process.ts <url> <namespace> <shards at a time> <launches to get warm> <wait in ms>`; what it says, it
 * says in lines of JSON.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { openCronkeeper } from '../../src/app.ts';
import { freshNamespace } from '../recovery/stage.ts';
import { backlog } from './backlog.ts';

/** What a process has done. */
export interface Share {
  readonly shards: number;
  readonly launches: number;
  /** By the clock of the machine: when it began, and when all of it was recorded. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly cpuMs: number;
  /** Of each launch, its task. */
  readonly taskIds: readonly string[];
}

const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const wait = async (waitMs: unknown) => delay(Number(waitMs), null);

async function warmUp(url: string, launches: number, waitMs: number): Promise<void> {
  const keeper = await openCronkeeper({ url, namespace: freshNamespace(), capabilities: { wait } });
  await keeper.tasks.putMany(backlog(launches, waitMs));
  await keeper.tick();
  await keeper.close();
}

async function share(url: string, namespace: string, shardsMax: number): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const told = once(lines, 'line');
  const keeper = await openCronkeeper({ url, namespace, capabilities: { wait } });
  await keeper.tick(); // its sandbox is there
  say('ready');
  await told;
  const fromMs = Date.now();
  const before = process.cpuUsage();
  const taskIds: string[] = [];
  const { shards } = await keeper.tick({ shardsMax, onRun: (taskId) => taskIds.push(taskId) });
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1_000;
  say({ shards, launches: taskIds.length, fromMs, untilMs: Date.now(), cpuMs, taskIds } satisfies Share);
  await keeper.close();
  lines.close();
}

const [url = '', namespace = '', shardsMax = '', warm = '', waitMs = ''] = process.argv.slice(2);
await warmUp(url, Number(warm), Number(waitMs));
await share(url, namespace, Number(shardsMax));

/** `npm run chaos -- [--minutes M] [--seed S] [--json]`: real processes, really killed; and did the promises hold? */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/errors.ts';
import { findZooKeeper } from '../../tools/zookeeper-server.ts';
import { runChaos } from './chaos.ts';
import { asJson, asText, holds } from './report.ts';

const MINUTES_MIN = 0.1;
const MINUTES_MAX = 24 * 60;
const SEED_MAX = 2 ** 32 - 1;

const USAGE = `npm run chaos -- [--minutes M]    how long faults are injected, ${MINUTES_MIN} to ${MINUTES_MAX}; default 1
                 [--seed S]       repeats the plan of an earlier run, 0 to ${SEED_MAX}; default: by chance
                 [--json]         one line of JSON on stdout`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_STOPPED = 130;

class UsageError extends Error {}
class MissingError extends Error {}

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());

try {
  await main();
} catch (error) {
  if (stopping.signal.aborted) {
    process.exitCode = EXIT_STOPPED;
  } else {
    process.stderr.write(`${textOf(error)}\n`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}

function textOf(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${USAGE}`;
  if (error instanceof MissingError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main(): Promise<void> {
  const { minutes, seed, isJson, help } = readArguments();
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const installation = await findZooKeeper();
  if (typeof installation === 'string') throw new MissingError(`chaos needs a real ZooKeeper: ${installation}`);
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const result = await runChaos({ minutes, seed, installation, tell, signal: stopping.signal });
  process.stdout.write(`${isJson ? asJson(result) : asText(result)}\n`);
  if (!holds(result)) process.exitCode = EXIT_FAILED;
}

function readArguments() {
  const { values } = parse();
  const { json: isJson, help } = values;
  const minutes = numberIn('--minutes', values.minutes, MINUTES_MIN, MINUTES_MAX);
  const seed = numberIn('--seed', values.seed, 0, SEED_MAX);
  if (!Number.isInteger(seed)) throw new UsageError(`--seed: received ${values.seed}; allowed: a whole number`);
  return { minutes, seed, isJson, help };
}

function parse() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * SEED_MAX)) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function numberIn(name: string, text: string, min: number, max: number): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name}: received ${JSON.stringify(text)}; allowed: a number from ${min} to ${max}`);
}

/** How large each packaged function is, and how long it takes to import and to answer its first call. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unpack } from './unpack.ts';

const PROBE = fileURLToPath(new URL('./package-probe.mjs', import.meta.url));
const ROUNDS = 5;
const ROUND_TIMEOUT_MS = 60_000;

const COMMAND = JSON.stringify({ command: 'tick' });

/** An event for the first call of each function: small, and understood. */
const EVENTS: Readonly<Record<string, unknown>> = {
  tick: {},
  api: {
    version: '2.0',
    rawPath: '/healthz',
    rawQueryString: '',
    headers: {},
    requestContext: { http: { method: 'GET' } },
  },
  queue: { Records: [{ messageId: 'm', body: COMMAND, eventSource: 'aws:sqs' }] },
  topic: { Records: [{ EventSource: 'aws:sns', Sns: { MessageId: 'm', Message: COMMAND } }] },
  events: { id: 'e', source: 'probe', 'detail-type': 'Probe', detail: {} },
};

export interface PackageStats {
  readonly name: string;
  readonly zipBytes: number;
  readonly importMs: readonly number[];
  readonly firstMs: readonly number[];
}

/** Of the functions that were packaged last in a project. */
export async function measurePackages(root: string): Promise<PackageStats[]> {
  const directory = join(root, '.serverless');
  const zips = (await readdir(directory)).filter((name) => name.endsWith('.zip')).sort();
  const unpacked = await mkdtemp(join(tmpdir(), 'cronkeeper-package-'));
  try {
    const all: PackageStats[] = [];
    for (const zip of zips) all.push(await measure(join(directory, zip), unpacked));
    return all;
  } finally {
    await rm(unpacked, { recursive: true });
  }
}

async function measure(zip: string, unpacked: string): Promise<PackageStats> {
  const name = basename(zip, '.zip');
  const directory = join(unpacked, name);
  const { zipBytes } = await unpack(zip, directory);
  const rounds: { importMs: number; firstMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [PROBE, join(directory, `build/${name}.js`), JSON.stringify(EVENTS[name] ?? {})],
      {
        cwd: directory,
        timeout: ROUND_TIMEOUT_MS,
        env: { CRONKEEPER_URL: 'embedded:', CRONKEEPER_API_TOKEN: 'probe', AWS_LAMBDA_FUNCTION_NAME: name },
      },
    );
    rounds.push(JSON.parse(stdout));
  }
  return {
    name,
    zipBytes,
    importMs: rounds.map((round) => round.importMs),
    firstMs: rounds.map((round) => round.firstMs),
  };
}

export function statsTable(all: readonly PackageStats[]): string {
  const head = `${'function'.padEnd(10)}${'zip'.padStart(10)}${'import'.padStart(24)}${'first call'.padStart(24)}\n`;
  const lines = all.map(
    ({ name, zipBytes, importMs, firstMs }) =>
      `${name.padEnd(10)}${`${Math.round(zipBytes / 1024)} KiB`.padStart(10)}${spread(importMs)}${spread(firstMs)}\n`,
  );
  const note = `median (least to most) of ${ROUNDS} cold starts; the first call on the embedded coordinator\n`;
  return `\n${head}${lines.join('')}${note}`;
}

function spread(all: readonly number[]): string {
  const sorted = [...all].sort((one, other) => one - other).map((ms) => ms.toFixed(0));
  return `${sorted[Math.floor(sorted.length / 2)]} ms (${sorted[0]} to ${sorted.at(-1)})`.padStart(24);
}

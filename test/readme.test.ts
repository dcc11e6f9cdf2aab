/**
 * Every command and snippet of the README is run here, and those of docs/LOCAL.md that build: a stranger copies them, and
 * they must work.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { openCronkeeper } from '../src/app.ts';
import { parseTask } from '../src/task.ts';
import { projectRoot } from '../tools/imports.ts';
import { withTable } from '../tools/settings-table.ts';
import { describeWithZooKeeper } from './support/zookeeper.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] as string);
/** Commands, one a line; a backslash at the end goes on. */
const commands = blocks('sh').flatMap((block) =>
  block
    .trim()
    .replaceAll(/\\\n\s*/g, '')
    .split('\n'),
);

const WAIT_MS = 60_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cronkeeper-readme-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A shell in the project, with a database of its own and none of the developer's settings. */
function start(command: string, environment: Record<string, string> = {}): ChildProcess {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, CRONKEEPER_URL: `embedded:${join(directory, 'readme.db')}`, PORT: '0', ...environment };
  return spawn('bash', ['-c', `exec ${command}`], { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** As npm would run it, which would only take its own time. */
async function runCli(command: string): Promise<string> {
  expect(script('cli')).toBe('node src/cli.ts');
  return run(command.replace('npm run -s cli -- ', 'node_modules/.bin/node src/cli.ts '));
}

async function run(command: string, environment?: Record<string, string>): Promise<string> {
  const child = start(command, environment);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`);
  return output;
}

/** Reads until a line matches. */
async function lineOf(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
        seen.push(line);
        const match = pattern.exec(line);
        if (match !== null) resolve(match);
      });
    }
    const waited = setTimeout(() => reject(new Error(`no ${pattern} in ${WAIT_MS} ms:\n${seen.join('\n')}`)), WAIT_MS);
    waited.unref();
    child.once('close', (code) => reject(new Error(`ended with ${code} before ${pattern}:\n${seen.join('\n')}`)));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

/** `npm start` as the README shows it, with its `curl` sent to where it listens. */
async function startAndPut(environment: Record<string, string>): Promise<void> {
  const stack = start('node_modules/.bin/node src/cli.ts dev', environment);
  try {
    const launched = lineOf(stack, /✓ hello .*hello at /);
    const [, url] = await lineOf(stack, /(http:\/\/127\.0\.0\.1:\d+)/);
    await run(
      (commands.find((command) => command.startsWith('curl')) as string).replace(
        'http://127.0.0.1:8080',
        url as string,
      ),
    );
    await launched;
  } finally {
    await stop(stack);
  }
}

const script = (name: string): string =>
  JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).scripts[name];
const ci = readFileSync(join(projectRoot, '.ci/run'), 'utf8');

/** How each command is run. One that is not here fails the test: write down how. */
const known: readonly (readonly [RegExp, (command: string) => Promise<unknown> | unknown])[] = [
  [/^npm ci && npm start$/, () => expect(script('start')).toBe('node src/cli.ts dev')],
  [/^curl /, () => startAndPut({})],
  [/^npm cit$|^npm test$/, () => expect(ci).toMatch(/^npm ci$[\s\S]*npm test/m)],
  [/^npm run (lint|typecheck)$/, (command) => expect(ci).toContain(command)],
  [/^npm run shape$/, () => expect(ci).toContain('npm run -s shape')],
  // In test/engine/recovery.test.ts, where an ensemble has the machine for itself.
  [/^npm run bench -- failover recovery$/, () => undefined],
  // In test/engine/scale.test.ts, with two processes.
  [/^npm run bench -- scale$/, () => undefined],
  [/^npm run -s cost$/, async (command) => expect(await run(command)).toContain('| **in all** |')],
  // In test/chaos/chaos.test.ts, for a minute.
  [/^npm run chaos /, () => expect(script('chaos')).toBe('node test/chaos/main.ts')],
  // In test/sim/sim.test.ts, with more seeds.
  [/^npm run sim -- --seeds 200$/, () => expect(script('sim')).toBe('node test/sim/main.ts')],
  // What it writes is in test/unit/bench-readme.test.ts, what it measures in test/engine/measures.test.ts.
  [/^npm run bench -- --readme$/, () => expect(script('bench')).toBe('node bench/main.ts')],
  // In test/bench.test.ts, quickly.
  [/^npm run bench -- evaluator$/, () => expect(script('bench')).toBe('node bench/main.ts')],
  [/^npm run -s cli -- /, runCli],
  [/^npm run package$/, run],
  [/^npm run -s invoke -- /, async (command) => expect(await run(command)).toContain('"shards": 8')],
  // With a server, below.
  [/^npm run zk$|^CRONKEEPER_URL=zookeeper:\/\/127\.0\.0\.1:2181 npm start$/, () => undefined],
];

describe('what the README shows', () => {
  test.each(commands)(
    'works: %s',
    async (command) => {
      const entry = known.find(([pattern]) => pattern.test(command));
      if (entry === undefined) throw new Error(`no test says how to run: ${command}`);
      await entry[1](command);
    },
    120_000,
  );

  test.each(blocks('yaml'))('is a task: %#', (text) => {
    expect(parseTask(parse(text)).task.id).toMatch(/./);
  });

  test.each(blocks('ts'))(
    'is a program: %#',
    async (text) => {
      const path = join(projectRoot, 'test', `readme-snippet-${process.pid}.ts`);
      writeFileSync(path, text);
      try {
        expect(await run(`node_modules/.bin/node ${path}`)).toContain("3 [ 'succeeded', 'succeeded', 'succeeded' ]");
      } finally {
        rmSync(path);
      }
    },
    60_000,
  );

  test('has every setting of config.ts, as it is (write it with: node tools/settings-table.ts)', () => {
    expect(readme).toBe(withTable(readme));
  });
});

// Here, and not beside it: these build where the README's commands build, and two at a time would disturb each other.
describe('what docs/LOCAL.md shows', () => {
  const page = readFileSync(join(projectRoot, 'docs/LOCAL.md'), 'utf8');
  const shown = (pattern: RegExp): string => pattern.exec(page)?.[1] ?? `docs/LOCAL.md has no ${pattern}`;

  test('a message of a queue launches the task that it names', async () => {
    const url = `embedded:${join(directory, 'queue.db')}`;
    const keeper = await openCronkeeper({ url });
    try {
      await keeper.tasks.put(JSON.parse(shown(/-f tick -d '(\{"command":"put".*\})'/)).task);
      const answer = await run(shown(/^(npm run -s invoke -- -f queue .*)$/m), { CRONKEEPER_URL: url });
      expect(answer).toContain('"batchItemFailures": []');
      const { items } = await keeper.tasks.runs('report');
      expect(items).toMatchObject([{ status: 'succeeded', output: { day: '2026-03-08' } }]);
    } finally {
      await keeper.close();
    }
  }, 60_000);

  test('serverless-offline asks for the token that it was given, and stores a task', async () => {
    const [, build, offline] = /^node (\S+) > \/dev\/null && serverless (.*)$/.exec(script('offline')) ?? [];
    await run(`node_modules/.bin/node ${build}`);
    const token = shown(/^CRONKEEPER_API_TOKEN=(\S+) npm run offline$/m);
    const port = 21_000 + 2 * (process.pid % 10_000);
    const stack = start(
      `node_modules/.bin/node node_modules/.bin/serverless ${offline} --httpPort ${port} --lambdaPort ${port + 1}`,
      { CRONKEEPER_API_TOKEN: token, CRONKEEPER_URL: `embedded:${join(directory, 'offline.db')}` },
    );
    try {
      await lineOf(stack, /Server ready/);
      const put = async (headers: Record<string, string>) => {
        const body = JSON.stringify({ schedule: { every: '10s' }, code: '1' });
        const options = { method: 'PUT', body, headers: { 'content-type': 'application/json', ...headers } };
        return (await fetch(`http://localhost:${port}/v1/tasks/hello`, options)).status;
      };
      expect([await put({}), await put({ authorization: `Bearer ${token}` })]).toEqual([401, 201]);
    } finally {
      await stop(stack);
    }
  }, 120_000);
});

describeWithZooKeeper('what the README shows of ZooKeeper', () => {
  test('npm run zk starts one, and npm start runs on it', async () => {
    const port = 20_000 + (process.pid % 10_000);
    const servers = start(`node_modules/.bin/node tools/zk.ts --port ${port} --data ${join(directory, 'zk')}`);
    try {
      const [, url] = await lineOf(servers, /CRONKEEPER_URL=(zookeeper:\S+)/);
      await startAndPut({ CRONKEEPER_URL: url as string });
    } finally {
      await stop(servers);
    }
  }, 120_000);
});

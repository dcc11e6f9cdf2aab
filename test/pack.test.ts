/** The package that others install: it runs where there is nothing else, and its declarations are those of the source. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import manifest from '../package.json' with { type: 'json' };
import { projectRoot } from '../tools/imports.ts';

const SLOW_MS = 120_000;

let directory: string;
/** Runs there, without the checkout's settings, to its end. */
async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { HOME } = process.env;
  const env = { HOME, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, TZ: 'UTC' };
  const { stdout } = await promisify(execFile)(command, args, { cwd: directory, env, timeout: SLOW_MS });
  return stdout;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cronkeeper-pack-'));
  const packed = await run(process.execPath, join(projectRoot, 'tools/pack.ts'), join(directory, 'dist'));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await run('npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', packed.trim());
}, SLOW_MS);
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the installed package', () => {
  test('has the command, with all that its sandbox needs', async () => {
    const cronkeeper = (...args: string[]) => run('node_modules/.bin/cronkeeper', ...args);
    expect(await run('npx', '--offline', 'cronkeeper', '--version')).toBe(`${manifest.version}\n`);
    expect(await cronkeeper('next', '@daily', '--from', '2026-03-07T00:00:00Z', '-n', '1')).toMatch(
      /^2026-03-0[78]T00:00/,
    );
    await writeFile(join(directory, 'task.json'), '{"id":"hi","schedule":{"after":"0s"},"code":"({ output: `hi` })"}');
    await cronkeeper('apply', 'task.json');
    expect(JSON.parse(await cronkeeper('tick', '--json'))).toMatchObject({ due: 1, succeeded: 1 });
  }, 60_000);

  test('has the library, its sandbox and its console, for the program of docs/EMBED.md as for any other', async () => {
    await cp(join(projectRoot, 'examples/embed'), join(directory, 'embed'), { recursive: true });
    expect(await run(process.execPath, 'embed/program.ts')).toBe('due 1, succeeded 1, invoices 1\nsucceeded: sent\n');
    await writeFile(
      join(directory, 'console.js'),
      `import { createApiHandler, CronkeeperError } from 'cronkeeper';
      import { createEvaluator } from 'cronkeeper/sandbox';
      const handler = createApiHandler({ url: 'embedded:', apiToken: 'token' });
      const event = { version: '2.0', rawPath: '/', rawQueryString: '', headers: { host: 'localhost' },
        requestContext: { http: { method: 'GET', path: '/' } }, isBase64Encoded: false };
      const { statusCode, body } = await handler(event, { getRemainingTimeInMillis: () => 10_000 });
      const isOurs = await createEvaluator({ workers: 0 }).catch((error) => error instanceof CronkeeperError);
      console.log(statusCode, body.includes('<title>'), isOurs);
      process.exit();`,
    );
    expect(await run(process.execPath, 'console.js')).toMatch(/^200 true true$/m);
  }, 60_000);

  test('has declarations with which the example compiles, and a mistake in it does not', async () => {
    for (const name of ['zod', '@types', 'undici-types']) {
      await mkdir(dirname(join(directory, 'node_modules', name)), { recursive: true });
      await symlink(join(projectRoot, 'node_modules', name), join(directory, 'node_modules', name));
    }
    await writeFile(
      join(directory, 'embed/mistake.ts'),
      `import type { TaskDocument } from 'cronkeeper';
      // @ts-expect-error an id is a text
      export const task: TaskDocument = { id: 5, schedule: { every: '1s' }, code: '1' };`,
    );
    const flags = '--noEmit --strict --skipLibCheck --target es2024 --module nodenext --types node';
    const files = ['program.ts', 'handlers.ts', 'mistake.ts'].map((name) => `embed/${name}`);
    const compiler = join(projectRoot, 'node_modules/.bin/tsc');
    await run(process.execPath, compiler, ...flags.split(' '), '--allowImportingTsExtensions', ...files);
  }, 60_000);
});

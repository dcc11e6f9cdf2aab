import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Servers } from '../../tools/zookeeper-server.ts';
import { startSharedServer } from './zookeeper-setup.ts';

/** Where the global teardown, which jest runs in the same process, finds what the set-up has started. */
export const shared: { servers?: Servers | undefined; cli?: string } = {};

/** As `cli.ts` reads it; importing that here would load what only tests may. */
const BUNDLED_CLI = 'CRONKEEPER_TEST_CLI';

/** What is used of jest's global configuration. */
interface Selection {
  readonly rootDir: string;
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

export default async function setUp({ rootDir, testPathPatterns }: Selection): Promise<void> {
  const { patterns } = testPathPatterns;
  if ((await suitesThat(rootDir, patterns, /support\/cli\.ts/)).length > 0) await bundleCli(rootDir);
  const suites = await suitesThat(rootDir, patterns, /describeWithZooKeeper/);
  if (suites.length > 0) shared.servers = await startSharedServer(suites);
}

async function bundleCli(rootDir: string): Promise<void> {
  shared.cli = await mkdtemp(join(tmpdir(), 'cronkeeper-cli-'));
  await promisify(execFile)(process.execPath, [join(rootDir, 'tools/bundle-cli.ts'), shared.cli], { cwd: rootDir });
  process.env[BUNDLED_CLI] = join(shared.cli, 'cli.js');
}

/** The selected test files in which something stands: what none of them needs is not started. */
async function suitesThat(rootDir: string, patterns: readonly string[], needs: RegExp): Promise<string[]> {
  const suites: string[] = [];
  for await (const file of glob(`${rootDir}/test/**/*.test.ts`)) {
    const isSelected = patterns.length === 0 || patterns.some((pattern) => new RegExp(pattern).test(file));
    if (isSelected && needs.test(await readFile(file, 'utf8'))) {
      suites.push(relative(rootDir, file));
    }
  }
  return suites;
}

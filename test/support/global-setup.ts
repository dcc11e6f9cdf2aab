import { glob, readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Servers } from '../../tools/zookeeper-server.ts';
import { startSharedServer } from './zookeeper-setup.ts';

/** Where the global teardown, which jest runs in the same process, finds what the set-up has started. */
export const shared: { servers?: Servers | undefined } = {};

/** What is used of jest's global configuration. */
interface Selection {
  readonly rootDir: string;
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

export default async function setUp({ rootDir, testPathPatterns }: Selection): Promise<void> {
  const suites = await suitesOnZooKeeper(rootDir, testPathPatterns.patterns);
  if (suites.length > 0) shared.servers = await startSharedServer(suites);
}

/** The selected test files that run on a server: without any, none is started. */
async function suitesOnZooKeeper(rootDir: string, patterns: readonly string[]): Promise<string[]> {
  const suites: string[] = [];
  for await (const file of glob(`${rootDir}/test/**/*.test.ts`)) {
    const isSelected = patterns.length === 0 || patterns.some((pattern) => new RegExp(pattern).test(file));
    if (isSelected && (await readFile(file, 'utf8')).includes('describeWithZooKeeper')) {
      suites.push(relative(rootDir, file));
    }
  }
  return suites;
}

import { glob, readFile } from 'node:fs/promises';
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
  if (await needsZooKeeper(rootDir, testPathPatterns.patterns)) shared.servers = await startSharedServer();
}

/** A server is started only when a test file is selected that runs on it. */
async function needsZooKeeper(rootDir: string, patterns: readonly string[]): Promise<boolean> {
  for await (const file of glob(`${rootDir}/test/**/*.test.ts`)) {
    const isSelected = patterns.length === 0 || patterns.some((pattern) => new RegExp(pattern).test(file));
    if (isSelected && (await readFile(file, 'utf8')).includes('describeWithZooKeeper')) return true;
  }
  return false;
}

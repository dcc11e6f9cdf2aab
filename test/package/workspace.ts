/** The service, packaged in a directory of its own: exactly what would be deployed, and nothing of the checkout beside it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../tools/imports.ts';
import { unpack } from '../../tools/unpack.ts';

const PACKAGING_MS = 120_000;

export const FUNCTIONS = ['api', 'events', 'queue', 'tick', 'topic'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** A resource of a CloudFormation template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Workspace {
  readonly template: { readonly Resources: Readonly<Record<string, Resource>>; readonly Outputs: object };
  /** SHA-256 of every zip, by function. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Names in a function's zip. */
  readonly files: (name: FunctionName) => readonly string[];
  /** Where a function's zip was unpacked. */
  readonly taskRoot: (name: FunctionName) => string;
  readonly zipBytes: (name: FunctionName) => number;
  dispose(): Promise<void>;
}

/** @param stage and parameters, as on the framework's command line. */
export async function packageService(...flags: readonly string[]): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'cronkeeper-service-'));
  await Promise.all(
    ['serverless.yml', 'deploy', 'package.json'].map((name) =>
      cp(join(projectRoot, name), join(directory, name), { recursive: true }),
    ),
  );
  await symlink(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
  const run = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [...args], { cwd: directory, timeout: PACKAGING_MS });
  await run(join(projectRoot, 'tools/build.ts'), join(directory, 'build'));
  await run('node_modules/.bin/serverless', 'package', ...flags);

  const packaged = join(directory, '.serverless');
  const zips = (await readdir(packaged)).filter((name) => name.endsWith('.zip'));
  const taskRoot = (name: string) => join(directory, 'unpacked', name);
  const all = new Map<string, { zipBytes: number; files: readonly string[]; hash: string }>();
  for (const zip of zips) {
    const name = zip.replace('.zip', '');
    const hash = createHash('sha256')
      .update(await readFile(join(packaged, zip)))
      .digest('hex');
    all.set(name, { ...(await unpack(join(packaged, zip), taskRoot(name))), hash });
  }
  const of = (name: string) => {
    const found = all.get(name);
    if (found === undefined) throw new Error(`${name} was not packaged; what was: ${zips.join(', ')}`);
    return found;
  };
  return {
    template: JSON.parse(await readFile(join(packaged, 'cloudformation-template-update-stack.json'), 'utf8')),
    hashes: Object.fromEntries([...all].map(([name, { hash }]) => [name, hash])),
    files: (name) => of(name).files,
    taskRoot,
    zipBytes: (name) => of(name).zipBytes,
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}

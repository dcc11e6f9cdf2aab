/** Installs BullMQ where git does not look, the first time that it is asked for: no dependency of the package. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../../../tools/imports.ts';

const MANIFEST = fileURLToPath(new URL('./package.json', import.meta.url));
const DIRECTORY = join(projectRoot, '.cronkeeper/bench/bullmq');
const INSTALL_MS_MAX = 300_000;

/** `install`, not `ci`: a lockfile names parts for other platforms, which not every registry has. */
const COMMAND = ['install', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];

export interface Installed {
  readonly directory: string;
  readonly version: string;
}

/** @throws Error with what npm said. */
export async function installBullMq(tell: (line: string) => void): Promise<Installed> {
  const version = JSON.parse(await readFile(MANIFEST, 'utf8')).dependencies.bullmq as string;
  if ((await installedVersion()) !== version) {
    tell(`installing BullMQ ${version} into ${DIRECTORY}`);
    await mkdir(DIRECTORY, { recursive: true });
    await copyFile(MANIFEST, join(DIRECTORY, 'package.json'));
    await npm(COMMAND);
  }
  return { directory: DIRECTORY, version };
}

async function installedVersion(): Promise<string | undefined> {
  const manifest = await readFile(join(DIRECTORY, 'node_modules/bullmq/package.json'), 'utf8').catch(() => undefined);
  return manifest === undefined ? undefined : JSON.parse(manifest).version;
}

async function npm(args: readonly string[]): Promise<void> {
  const child = spawn('npm', args, { cwd: DIRECTORY, stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS_MAX });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}: ${output.slice(-2_000)}`);
}

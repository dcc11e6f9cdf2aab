/**
 * `npm run package`: builds, and packages as for a deployment, without credentials or a network. `-- --stats` says how
 * large each function is, and how long it takes to import and to answer its first call; what else is given is for the framework.
 */
import { spawnSync } from 'node:child_process';
import { projectRoot } from './imports.ts';
import { measurePackages, statsTable } from './package-stats.ts';

const given = process.argv.slice(2).filter((argument) => argument !== '--stats');
const steps = [['tools/build.ts'], ['node_modules/.bin/serverless', 'package', ...given]];
for (const step of steps) {
  const { status, error } = spawnSync(process.execPath, step, { cwd: projectRoot, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
if (process.argv.includes('--stats')) process.stdout.write(statsTable(await measurePackages(projectRoot)));

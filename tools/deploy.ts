/** `npm run deploy -- --stage prod --param=name=value`: the doctor first, then the build, then the framework. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { projectRoot } from './imports.ts';

const given = process.argv.slice(2);
const { values } = parseArgs({
  args: given,
  // What else there is, is for the framework to judge.
  strict: false,
  allowPositionals: true,
  options: { stage: { type: 'string' }, param: { type: 'string', multiple: true } },
});

const parameters = (values.param ?? []).flatMap((parameter) => ['--param', String(parameter)]);
const steps = [
  ['src/cli.ts', 'doctor', '--stage', String(values.stage ?? 'dev'), ...parameters],
  ['tools/build.ts'],
  ['node_modules/.bin/serverless', 'deploy', ...given],
];
for (const step of steps) {
  const { status, error } = spawnSync(process.execPath, step, { cwd: projectRoot, stdio: 'inherit' });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
  if (status !== 0) break;
}

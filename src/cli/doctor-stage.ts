/** `cronkeeper doctor --stage`: what is wrong with a stage is said before anything of it is deployed. */
import { execFile } from 'node:child_process';
import { access, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, received } from '../errors.ts';
import { type Check, failed, ok, sayChecks } from './check.ts';
import { checkDeployment, parseService } from './deployment.ts';
import { checkNode } from './doctor.ts';
import type { Output } from './output.ts';

export interface StageFlags {
  readonly stage: string;
  /** As on the framework's command line: `name=value`. */
  readonly param: readonly string[];
}

/** What `auth` may be in serverless.yml. */
const AUTHORIZERS = ['iam', 'jwt'];

const PRINT_TIMEOUT_MS = 60_000;
const PRINT_BYTES_MAX = 8 * 1024 * 1024;

/** @param directory where serverless.yml is. @throws SaidFailure when a check failed. */
export async function doctorStage(output: Output, flags: StageFlags, directory: string): Promise<void> {
  sayChecks(output, [checkNode(process.versions.node), ...(await checkStage(flags, directory))]);
}

async function checkStage({ stage, param }: StageFlags, directory: string): Promise<Check[]> {
  const command = join(directory, 'node_modules/.bin/serverless');
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  if (!(await isThere(join(directory, 'serverless.yml')))) {
    return [failed('service', `there is no serverless.yml in ${directory}`, 'run it where the service is')];
  }
  const auth = param.findLast((each) => nameOf(each) === 'auth')?.slice('auth='.length);
  if (auth !== undefined && !AUTHORIZERS.includes(auth)) {
    // The framework would say no more than that something was not found.
    const allowed = AUTHORIZERS.join(', ');
    return [failed('authorizers', `auth: received ${received(auth)}; allowed: ${allowed}`, 'nobody is let in unasked')];
  }
  if (!(await isThere(command))) return [failed('service', 'the framework is not installed', 'npm ci')];
  try {
    const flags = ['--stage', stage, ...param.map((each) => `--param=${each}`), '--format', 'json'];
    const { stdout } = await promisify(execFile)(process.execPath, [await realpath(command), 'print', ...flags], {
      cwd: directory,
      maxBuffer: PRINT_BYTES_MAX,
      timeout: PRINT_TIMEOUT_MS,
    });
    const service = parseService(JSON.parse(stdout));
    return [ok('service', `stage ${stage} resolves`), ...checkDeployment(service, param.map(nameOf))];
  } catch (error) {
    return [failed('service', saidBy(error), 'correct serverless.yml or the parameters')];
  }
}

const nameOf = (parameter: string): string => parameter.split('=', 1)[0] ?? '';

/** Of all that the framework writes when it fails, the part that says why. */
function saidBy(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
  const said = `${stderr}\n${stdout}`.split(/^Error:$/m)[1] ?? '';
  const lines = said.split('\n').map((line) => line.trim());
  return (
    lines
      .filter((line) => line !== '')
      .slice(0, 5)
      .join(' ') || messageOf(error)
  );
}

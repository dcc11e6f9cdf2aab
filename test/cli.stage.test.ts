/** `cronkeeper doctor --stage`, on the service as it is. */
import { expect, test } from '@jest/globals';
import { projectRoot } from '../tools/imports.ts';
import { cli } from './support/cli.ts';

const SOUND = [
  'url=zookeeper://zk-1.internal:2181/ck',
  'subnetIds=subnet-0a1b2c3d4e5f60718',
  'securityGroupIds=sg-0a1b2c3d4e5f60718',
];

const doctor = async (...parameters: readonly string[]) => {
  const flags = parameters.flatMap((parameter) => ['--param', parameter]);
  const { code, stdout } = await cli(['doctor', '--stage', 'prod', ...flags, '--json'], { cwd: projectRoot });
  const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string; detail: string }[] };
  return { code, wrong: checks.filter(({ status }) => status !== 'ok').map(({ check }) => check) };
};

test('says what is missing of a stage that nobody has set up, and nothing of one that is', async () => {
  expect(await doctor()).toEqual({ code: 1, wrong: ['environment', 'subnets', 'security groups'] });
  expect(await doctor(...SOUND)).toEqual({ code: 0, wrong: [] });
  expect(await doctor(...SOUND, 'auth=none')).toEqual({ code: 1, wrong: ['authorizers'] });
}, 60_000);

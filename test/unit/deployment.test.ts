/** What would go wrong with a stage is said before anything of it is deployed. */
import { describe, expect, test } from '@jest/globals';
import { checkDeployment, parseService } from '../../src/cli/deployment.ts';

const SECRET = (key: string) => `{{resolve:secretsmanager:cronkeeper/prod:SecretString:${key}}}`;

interface Stage {
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly vpc?: unknown;
  readonly tick?: Readonly<Record<string, unknown>>;
  readonly api?: Readonly<Record<string, unknown>>;
  readonly httpApi?: unknown;
}

/** A stage with which nothing is wrong, but for what is given. */
const stage = ({ environment, vpc, tick, api, httpApi }: Stage = {}) =>
  parseService({
    params: { default: { url: '', namespace: 'default' } },
    provider: {
      environment: {
        CRONKEEPER_URL: 'zookeeper://zk-1:2181,zk-2:2181/ck',
        CRONKEEPER_ZK_AUTH: SECRET('zkAuth'),
        ...environment,
      },
      vpc: vpc ?? {
        subnetIds: { 'Fn::Split': [',', 'subnet-0a1b2c3d,subnet-0a1b2c3d4e5f60718'] },
        securityGroupIds: ['sg-0a1b2c3d4e5f60718'],
      },
      ...(httpApi !== undefined && { httpApi }),
    },
    functions: {
      tick: {
        handler: 'build/tick.handler',
        timeout: 70,
        reservedConcurrency: 2,
        ...tick,
        environment: { CRONKEEPER_LINGER_MS: '55000', ...(tick?.environment as object) },
      },
      api: {
        handler: 'build/api.handler',
        environment: { CRONKEEPER_API_TOKEN: SECRET('apiToken') },
        url: { authorizer: 'aws_iam' },
        events: [{ httpApi: { path: '/', authorizer: { type: 'aws_iam' } } }],
        ...api,
      },
    },
  });

const wrong = (service: Stage, given: readonly string[] = []) =>
  checkDeployment(stage(service), given)
    .filter(({ status }) => status !== 'ok')
    .map(({ check, status, detail }) => `${status} ${check}: ${detail}`);

test('a stage that is well has nothing to do', () => {
  expect(wrong({})).toEqual([]);
  expect(checkDeployment(stage(), ['url']).every(({ remedy }) => remedy === undefined)).toBe(true);
});

describe('a stage is not deployed', () => {
  const environment = (name: string, value: unknown): Stage => ({ environment: { [name]: value } });
  test.each<[string, Stage, string]>([
    [
      'without a coordinator',
      environment('CRONKEEPER_URL', ''),
      'failed environment: CRONKEEPER_URL: received nothing',
    ],
    ['with one in a file', environment('CRONKEEPER_URL', 'embedded:./a.db'), 'a function keeps no files'],
    [
      'with one on the function itself',
      environment('CRONKEEPER_URL', 'zookeeper://localhost:2181'),
      'the function itself',
    ],
    [
      'with one of nowhere',
      environment('CRONKEEPER_URL', 'zk1:2181'),
      'failed environment: CRONKEEPER_URL: received "zk1:2181"',
    ],
    [
      'with a namespace that cannot be',
      environment('CRONKEEPER_NAMESPACE', 'a/b'),
      'CRONKEEPER_NAMESPACE: received "a/b"',
    ],
    [
      'with a secret in clear text',
      environment('CRONKEEPER_ZK_AUTH', 'me:hunter2'),
      'failed secrets: CRONKEEPER_ZK_AUTH would be',
    ],
    [
      'with the subnet of the example',
      { vpc: { subnetIds: ['subnet-00000000000000000'], securityGroupIds: ['sg-12345678'] } },
      'failed subnets: received "subnet-00000000000000000"',
    ],
    ['without a security group', { vpc: { subnetIds: ['subnet-12345678'] } }, 'failed security groups: received none'],
    [
      'with a route for anybody',
      { api: { events: [{ httpApi: '*' }] } },
      'failed authorizers: api can be called by anybody',
    ],
    ['with a URL for anybody', { api: { url: true } }, 'failed authorizers: api can be called by anybody'],
    [
      'with tokens of an issuer of nowhere',
      { httpApi: { authorizers: { jwt: { issuerUrl: '' } } } },
      'failed authorizers: issuer of the JWTs: received ""',
    ],
    [
      'with a tick that lingers until it is killed',
      { tick: { timeout: 60 } },
      'failed linger: tick lingers for 55 s of 60 s',
    ],
    [
      'with help that would not be let in',
      { tick: { environment: { CRONKEEPER_FAN_OUT_MAX: 3 } } },
      'failed fan-out: tick may call 3 others',
    ],
  ])('%s', (_, service, message) => {
    expect(wrong(service).join('\n')).toContain(message);
    expect(wrong(service).join('\n')).not.toContain('hunter2');
  });

  test('with a parameter that nobody knows', () => {
    expect(wrong({}, ['url', 'ulr'])).toEqual(['failed parameters: received "ulr"; allowed: url, namespace']);
  });
});

test('who leaves ZooKeeper open to its network is warned', () => {
  expect(wrong({ environment: { CRONKEEPER_ZK_AUTH: '' } })).toEqual([
    expect.stringContaining('warning secrets: no CRONKEEPER_ZK_AUTH: whoever reaches ZooKeeper may read and write'),
  ]);
});

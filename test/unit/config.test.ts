import { describe, expect, test } from '@jest/globals';
import { optionsOf, readConfig, SETTINGS } from '../../src/config.ts';
import { errorOf } from '../support/error-of.ts';

describe('the environment', () => {
  test('that says nothing gives the defaults, and no URL', () => {
    expect(readConfig({})).toEqual({
      namespace: 'default',
      sessionTimeoutMs: 10_000,
      shards: 8,
      lingerMs: 0,
      auth: 'token',
      shardsPerTick: 0,
      fanOutMax: 0,
      port: 8_080,
      taskMetrics: false,
    });
    expect(readConfig({ CRONKEEPER_URL: '', PORT: '' })).toEqual(readConfig({}));
  });

  test('that says everything is read', () => {
    expect(
      readConfig({
        CRONKEEPER_URL: 'zookeeper://a:2181/cron',
        CRONKEEPER_NAMESPACE: 'prod_1-a',
        CRONKEEPER_ZK_AUTH: 'user:pass:word',
        CRONKEEPER_SESSION_TIMEOUT_MS: '4000',
        CRONKEEPER_SHARDS: '16',
        CRONKEEPER_LINGER_MS: '55000',
        CRONKEEPER_SHARDS_PER_TICK: '4',
        CRONKEEPER_FAN_OUT_MAX: '3',
        CRONKEEPER_FETCH_ALLOW_ADDRESSES: '10.1.0.0/16, ::1/128',
        CRONKEEPER_API_TOKEN: 'a'.repeat(16),
        CRONKEEPER_READ_TOKEN: 'b'.repeat(64),
        CRONKEEPER_AUTH: 'jwt',
        CRONKEEPER_MAX_TASKS: '1000',
        CRONKEEPER_TASK_METRICS: 'true',
        PORT: '0',
        AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001',
        PATH: '/bin',
      }),
    ).toEqual({
      url: 'zookeeper://a:2181/cron',
      namespace: 'prod_1-a',
      zkAuth: 'user:pass:word',
      sessionTimeoutMs: 4_000,
      shards: 16,
      lingerMs: 55_000,
      shardsPerTick: 4,
      fanOutMax: 3,
      apiToken: 'a'.repeat(16),
      readToken: 'b'.repeat(64),
      auth: 'jwt',
      maxTasks: 1_000,
      taskMetrics: true,
      port: 0,
      fetchAllowAddresses: ['10.1.0.0/16', '::1/128'],
      runtimeApi: '127.0.0.1:9001',
    });
  });

  test.each([
    ['CRONKEEPER_URL', 'localhost:2181', '"localhost:2181"'],
    ['CRONKEEPER_NAMESPACE', 'a/b', '"a/b"'],
    ['CRONKEEPER_NAMESPACE', 'x'.repeat(65), '"xxx'],
    ['CRONKEEPER_SESSION_TIMEOUT_MS', '999', '"999"'],
    ['CRONKEEPER_SESSION_TIMEOUT_MS', '40001', '"40001"'],
    ['CRONKEEPER_SESSION_TIMEOUT_MS', '10s', '"10s"'],
    ['CRONKEEPER_SHARDS', '0', '"0"'],
    ['CRONKEEPER_SHARDS', '257', '"257"'],
    ['CRONKEEPER_SHARDS', '1.5', '"1.5"'],
    ['CRONKEEPER_SHARDS', '1e1', '"1e1"'],
    ['CRONKEEPER_SHARDS', ' 8', '" 8"'],
    ['CRONKEEPER_TASK_METRICS', 'constructor', '"constructor"'],
    ['CRONKEEPER_LINGER_MS', '-1', '"-1"'],
    ['CRONKEEPER_LINGER_MS', '840001', '"840001"'],
    ['CRONKEEPER_SHARDS_PER_TICK', '257', '"257"'],
    ['CRONKEEPER_FAN_OUT_MAX', '17', '"17"'],
    ['CRONKEEPER_FETCH_ALLOW_ADDRESSES', '10.0.0.1', '"10.0.0.1"'],
    ['CRONKEEPER_FETCH_ALLOW_ADDRESSES', '10.0.0.0/8,', '"10.0.0.0/8,"'],
    ['CRONKEEPER_FETCH_ALLOW_ADDRESSES', '10.0.0.0/8 ::1/128', '"10.0.0.0/8 ::1/128"'],
    ['CRONKEEPER_FETCH_ALLOW_ADDRESSES', Array(65).fill('10.0.0.0/8').join(), '"10.0.0.0/8,10'],
    ['CRONKEEPER_AUTH', 'none', '"none"'],
    ['CRONKEEPER_MAX_TASKS', '0', '"0"'],
    ['PORT', '65536', '"65536"'],
    ['PORT', 'http', '"http"'],
  ])('%s=%s is refused: name, what was received, what is allowed', (name, value, shown) => {
    const error = errorOf(() => readConfig({ [name]: value }));
    expect(error.code).toBe('invalid');
    const allowed = SETTINGS.find((setting) => setting.name === name)?.allowed;
    expect(error.problems).toEqual([{ field: name, message: expect.stringContaining(`received ${shown}`) }]);
    expect(error.message).toContain(`${name}: received`);
    expect(error.message).toContain(`allowed: ${allowed}`);
  });

  test.each([
    ['CRONKEEPER_ZK_AUTH', 'nocolon-s3cret'],
    ['CRONKEEPER_ZK_AUTH', ':s3cret'],
    ['CRONKEEPER_API_TOKEN', `s3cret${'x'.repeat(1_024)}`],
    ['CRONKEEPER_API_TOKEN', `s3cret ${'x'.repeat(20)}`],
    ['CRONKEEPER_READ_TOKEN', `s3crét${'x'.repeat(20)}`],
    ['CRONKEEPER_URL', 'zookeeper://user:s3cret@host'],
  ])('%s that is wrong is refused without being shown', (name, value) => {
    const { message } = errorOf(() => readConfig({ [name]: value }));
    expect(message).toContain(name);
    expect(message).not.toContain('s3cr');
  });

  test('says what tasks may fetch from, and never Lambda’s Runtime API', () => {
    const environment = { CRONKEEPER_FETCH_ALLOW_ADDRESSES: '127.0.0.0/8', AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001' };
    const fetch = { allowAddresses: ['127.0.0.0/8'], denyEndpoints: ['127.0.0.1:9001'] };
    expect(optionsOf(readConfig(environment))).toMatchObject({ fetch });
    expect(optionsOf(readConfig({}))).toMatchObject({ fetch: { allowAddresses: [], denyEndpoints: [] } });
  });

  test('has what Lambda says of AWS, and nothing of it without credentials', () => {
    const secrets = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 's3cret', AWS_SESSION_TOKEN: 't0ken' };
    const environment = { ...secrets, AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4566' };
    expect(optionsOf(readConfig(environment)).aws).toEqual({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKID', secretAccessKey: 's3cret', sessionToken: 't0ken' },
      endpoints: { sqs: 'http://127.0.0.1:4566' },
    });
    expect(readConfig({ AWS_REGION: 'eu-central-1' }).aws).toBeUndefined();
    const wrong = { AWS_REGION: 'Frankfurt', AWS_ENDPOINT_URL: 'https://me:s3cret@host' };
    const error = errorOf(() => readConfig({ ...environment, ...wrong }));
    expect(error.problems.map(({ field }) => field)).toEqual(['AWS_REGION', 'AWS_ENDPOINT_URL']);
    expect(error.message).not.toContain('s3cret');
  });

  test('with many mistakes names all of them at once', () => {
    const error = errorOf(() => readConfig({ CRONKEEPER_SHARDS: 'x', PORT: 'y', CRONKEEPER_LINGER_MS: 'z' }));
    expect(error.problems.map(({ field }) => field)).toEqual(['CRONKEEPER_SHARDS', 'CRONKEEPER_LINGER_MS', 'PORT']);
  });

  test('is not changed by who changes it later', () => {
    const environment: Record<string, string> = { PORT: '1' };
    const config = readConfig(environment);
    environment.PORT = '2';
    expect(config.port).toBe(1);
  });
});

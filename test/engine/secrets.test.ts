/** Passwords and tokens are used, and said nowhere: not in a log, an error, an answer, nor by who looks for a fault. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Context as LambdaContext } from 'aws-lambda';
import { createApi } from '../../src/api.ts';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import { doctor } from '../../src/cli/doctor.ts';
import { createOutput } from '../../src/cli/output.ts';
import { systemClock } from '../../src/clock.ts';
import { optionsOf, readConfig } from '../../src/config.ts';
import { createApiHandler, createTickHandler } from '../../src/lambda.ts';
import { createJsonLog } from '../../src/log.ts';
import { askApp } from '../support/api.ts';
import { streams } from '../support/streams.ts';
import { describeWithZooKeeper, sharedServer } from '../support/zookeeper.ts';

jest.setTimeout(60_000);

const secret = (name: string): string => `canary-${name}-${randomUUID()}`;
const PASSWORD = secret('password');
const WRONG = secret('wrong');
const TOKENS = { CRONKEEPER_API_TOKEN: secret('api'), CRONKEEPER_READ_TOKEN: secret('read') };
const AWS = { AWS_SECRET_ACCESS_KEY: secret('key'), AWS_SESSION_TOKEN: secret('session') };
const SECRETS = [PASSWORD, WRONG, ...Object.values(TOKENS), ...Object.values(AWS)];

const context = {
  awsRequestId: 'r-1',
  functionName: 'canary',
  getRemainingTimeInMillis: () => 20_000,
} as unknown as LambdaContext;

const event = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../events/${name}.json`, import.meta.url), 'utf8'));

describeWithZooKeeper('with secrets in the environment', () => {
  const url = `zookeeper://${sharedServer()}/secrets-${randomUUID()}`;
  const before = { ...process.env };
  beforeAll(() => void Object.assign(process.env, AWS));
  afterAll(() => {
    for (const name of Object.keys(AWS)) delete process.env[name];
    Object.assign(process.env, before);
  });

  /** All that is said by all that can say something, while the password is right or wrong. */
  async function saidWith(password: string): Promise<string> {
    const said: string[] = [];
    const write = (line: string) => void said.push(line);
    const log = createJsonLog(write, systemClock);
    const environment = { CRONKEEPER_URL: url, CRONKEEPER_ZK_AUTH: `keeper:${password}`, ...TOKENS, ...AWS };
    const config = readConfig(environment);
    // As Node, or Lambda's runtime, shows what nobody has caught: with its causes and its properties.
    const outcome = async (what: Promise<unknown>) =>
      void said.push(
        await what.then(
          (value) => inspect(value, { depth: 20, showHidden: true }),
          (error) => inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error),
        ),
      );
    const keeper: Cronkeeper = await openCronkeeper({ ...optionsOf(config), url });
    try {
      const put = keeper.tasks.put({ id: 'curious', schedule: { after: '0s' }, code: CURIOUS });
      for (const what of [put, keeper.tick(), keeper.status(), keeper.probe(), keeper.audit()]) await outcome(what);
      await outcome(keeper.tasks.runs('curious'));
      const app = createApi({ keeper, apiToken: config.apiToken, readToken: config.readToken, log });
      for (const token of [...Object.values(TOKENS), WRONG]) {
        for (const path of ['/v1/status', '/v1/tasks', '/v1/audit', '/healthz', `/v1/tasks?cursor=%00`]) {
          const { text, headers } = await askApp(app, 'GET', path, { headers: { authorization: `Bearer ${token}` } });
          said.push(text, JSON.stringify([...headers]));
        }
      }
    } finally {
      await keeper.close();
    }
    await outcome(createTickHandler({ environment, write })(event('scheduler'), context));
    const headers = {
      ...(event('http-api-v2').headers as object),
      authorization: `Bearer ${TOKENS.CRONKEEPER_API_TOKEN}`,
    };
    await outcome(createApiHandler({ environment, write })({ ...event('http-api-v2'), headers }, context));
    const shown = streams();
    for (const isJson of [false, true]) {
      const output = createOutput(isJson, shown);
      const flags = { url };
      await outcome(doctor(output, { flags, config, output, clock: systemClock, principal: 'local:me' }));
    }
    return `${said.join('\n')}\n${shown.text()}`;
  }

  /** What it finds, it says everywhere. */
  const CURIOUS = `export default (ctx) => {
    const all = [globalThis, ctx].flatMap((object) => Object.getOwnPropertyNames(object).map((name) => String(object[name])));
    console.log(all.join(), typeof process === 'object' ? JSON.stringify(process.env) : 'no process');
    throw new Error(all.join());
  }`;

  it('says none of them, whether all is well or the password is wrong', async () => {
    const well = await saidWith(PASSWORD);
    expect(well).toContain('no process');
    expect(well).toMatch(/✓.* coordinator/);
    const refused = await saidWith(WRONG);
    expect(refused).toContain('"level":"ERROR"');
    expect(refused).toContain("code: 'forbidden'");
    expect(refused).toContain('CRONKEEPER_ZK_AUTH');
    for (const each of SECRETS) {
      expect([well, refused].flatMap((text) => text.split('\n').filter((line) => line.includes(each)))).toEqual([]);
    }
  });
});

/** What would be deployed is held to the least that it needs: read from the packaged CloudFormation template. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Resource, Workspace } from './workspace.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
}

/** Neither network interfaces of a VPC nor X-Ray know of resources that a policy could name: AWS's own policies for them. */
const MANAGED = ['service-role/AWSLambdaVPCAccessExecutionRole', 'AWSXRayDaemonWriteAccess'].map(
  (name) => `arn:\${AWS::Partition}:iam::aws:policy/${name}`,
);

export function templateTests(service: () => Workspace): void {
  const resources = () => Object.entries(service().template.Resources);
  const ofType = (type: string): (readonly [name: string, properties: Resource['Properties']])[] =>
    resources().flatMap(([name, { Type, Properties }]) => (Type === type ? [[name, Properties] as const] : []));

  const policies = () =>
    ofType('AWS::IAM::Role').flatMap(([role, { Policies = [] }]) =>
      (Policies as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(({ PolicyDocument }) =>
        PolicyDocument.Statement.map((statement) => ({ role, ...statement })),
      ),
    );

  test('no role may do what it does not say, or to whatever there is', () => {
    expect(policies().length).toBeGreaterThan(8);
    for (const { role, Action, Resource } of policies()) {
      for (const action of [Action].flat()) expect([role, action]).toEqual([role, expect.stringMatching(/^\w+:\w+$/)]);
      expect([role, JSON.stringify(Resource)]).toEqual([role, expect.not.stringContaining('*')]);
      expect(Resource).toBeDefined();
    }
  });

  test('no role has a policy of AWS but for network interfaces and traces', () => {
    const managed = ofType('AWS::IAM::Role').flatMap(
      ([, { ManagedPolicyArns = [] }]) => ManagedPolicyArns as unknown[],
    );
    expect([...new Set(managed.map((arn) => (arn as { 'Fn::Sub': string })['Fn::Sub']))].toSorted()).toEqual(
      MANAGED.toSorted(),
    );
  });

  test('the guide says of every kind of resource what it is for, and of no other', () => {
    const guide = readFileSync(new URL('../../docs/DEPLOY.md', import.meta.url), 'utf8');
    const named = [...guide.matchAll(/`(AWS::\w+::\w+)`/g)].map(([, type]) => type);
    expect([...new Set(named)].toSorted()).toEqual([...new Set(resources().map(([, { Type }]) => Type))].toSorted());
  });

  test('every function has a role of its own, and no function may read the messages of another', () => {
    const roles = ofType('AWS::Lambda::Function').map(([, { Role }]) => JSON.stringify(Role));
    expect(new Set(roles).size).toBe(5);
    const receivers = policies().filter(({ Action }) => [Action].flat().includes('sqs:ReceiveMessage'));
    expect(receivers.map(({ role }) => role)).toEqual(['QueueRole']);
  });

  test('no route and no function URL lets anybody in', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(([, { AuthorizationType }]) => AuthorizationType);
    expect(routes).toEqual(['AWS_IAM', 'AWS_IAM']);
    expect(ofType('AWS::Lambda::Url').map(([, { AuthType }]) => AuthType)).toEqual(['AWS_IAM']);
    for (const [, { Principal, SourceArn }] of ofType('AWS::Lambda::Permission')) {
      expect([Principal, SourceArn]).toEqual([expect.stringMatching(/^\w+\.amazonaws\.com$/), expect.anything()]);
    }
  });

  test('no message is lost that cannot be handled: every queue, subscription and rule has where to put it', () => {
    const queues = ofType('AWS::SQS::Queue');
    const targets = JSON.stringify(queues.map(([, { RedrivePolicy }]) => RedrivePolicy ?? null));
    const others = queues.filter(([, { RedrivePolicy }]) => RedrivePolicy === undefined).map(([name]) => name);
    // Those that have none are themselves where others put what they cannot handle.
    expect(others.toSorted()).toEqual(['FailedCommands', 'FailedInvocations']);
    expect(targets).toContain('FailedCommands');
    for (const [, { RedrivePolicy }] of ofType('AWS::SNS::Subscription')) expect(RedrivePolicy).toBeDefined();
    const rules = ofType('AWS::Events::Rule').flatMap(([, { Targets }]) => Targets as Record<string, unknown>[]);
    expect(rules.map(({ DeadLetterConfig }) => DeadLetterConfig)).toEqual([
      { Arn: { 'Fn::GetAtt': ['FailedInvocations', 'Arn'] } },
    ]);
    // A queue has one policy: with two of them, one would win.
    expect(ofType('AWS::SQS::QueuePolicy')).toHaveLength(1);
    expect(ofType('AWS::Lambda::EventSourceMapping').map(([, mapping]) => mapping.FunctionResponseTypes)).toEqual([
      ['ReportBatchItemFailures'],
    ]);
  });

  test('a tick that failed is not tried again, nor one that is late: the next minute has its own', () => {
    const [schedule] = ofType('AWS::Scheduler::Schedule');
    expect(schedule?.[1].Target).toEqual({
      Arn: { 'Fn::GetAtt': ['TickLambdaFunction', 'Arn'] },
      RoleArn: { 'Fn::GetAtt': ['SchedulerRole', 'Arn'] },
      RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    });
    const invoke = Object.fromEntries(ofType('AWS::Lambda::EventInvokeConfig'));
    expect(invoke.TickLambdaEvConf).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
  });

  test('no secret is in the template: CloudFormation looks them up', () => {
    const secret = /TOKEN|AUTH/;
    const found = ofType('AWS::Lambda::Function').flatMap(([, { Environment }]) =>
      Object.entries((Environment as { Variables: Record<string, string> }).Variables),
    );
    const secrets = found.filter(([name]) => secret.test(name) && name !== 'CRONKEEPER_AUTH');
    expect(secrets).toHaveLength(7);
    for (const [, value] of secrets)
      expect(value).toMatch(/^\{\{resolve:secretsmanager:cronkeeper\/dev:SecretString:\w+\}\}$/);
  });

  test('every function is of the runtime that is tested, logs in JSON, is traced, and its log does not stay for ever', () => {
    for (const [name, { Runtime, Architectures, LoggingConfig, TracingConfig, VpcConfig }] of ofType(
      'AWS::Lambda::Function',
    )) {
      expect([name, Runtime, Architectures, TracingConfig]).toEqual([
        name,
        'nodejs24.x',
        ['arm64'],
        { Mode: 'Active' },
      ]);
      expect(LoggingConfig).toMatchObject({ LogFormat: 'JSON' });
      expect(VpcConfig).toBeDefined();
    }
    const logs = ofType('AWS::Logs::LogGroup');
    expect(logs).toHaveLength(6);
    for (const [name, { RetentionInDays }] of logs) expect([name, RetentionInDays]).toEqual([name, 30]);
  });

  test('somebody hears of missed launches, late ones, failing ticks, none at all, and messages that wait or failed', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(alarms.map(([, { MetricName }]) => MetricName).toSorted()).toEqual([
      ...['ApproximateAgeOfOldestMessage', 'ApproximateNumberOfMessagesVisible', 'ApproximateNumberOfMessagesVisible'],
      ...['Errors', 'Invocations', 'LatenessMs', 'Missed'],
    ]);
    for (const [, { AlarmActions }] of alarms) expect(AlarmActions).toEqual([{ Ref: 'AlarmTopic' }]);
  });

  describe('a function', () => {
    test.each([
      ['tick', [], 540],
      ['api', ['console.html'], 620],
      ['queue', [], 540],
      ['topic', [], 540],
      ['events', [], 540],
    ] as const)('%s holds what it uses, and nothing else', (name, own, kib) => {
      const late = new RegExp(`^build/${name}-[a-z]+-[A-Z0-9]{8}\\.js$`);
      const files = service().files(name);
      const shared = ['evaluator-worker.js', 'guest.json', 'package.json', 'quickjs.wasm.br'];
      const known = [`${name}.js`, ...own, ...shared].map((file) => `build/${file}`);
      expect(files.filter((file) => !late.test(file)).toSorted()).toEqual(known.toSorted());
      // The client of requests, the tracer, and a coordinator in a file: no invocation parses what it does not need.
      for (const part of ['client', 'tracing', 'embedded']) {
        expect(files.filter((file) => file.startsWith(`build/${name}-${part}-`))).toHaveLength(1);
      }
      expect(service().zipBytes(name)).toBeLessThan(kib * 1024);
    });
  });
}

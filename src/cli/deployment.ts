/**
 * What is wrong with a stage before it is deployed: pure. It looks at the service as the framework resolved it, so at what
 * would be deployed, and not at what somebody meant to write.
 */
import * as z from 'zod';
import { readConfig } from '../config.ts';
import { isCronkeeperError, received } from '../errors.ts';
import { parseCoordinatorUrl } from '../url.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** `serverless print`, as far as it matters here. */
const serviceSchema = z.looseObject({
  params: z.object({ default: z.record(z.string(), z.unknown()).default({}) }).default({ default: {} }),
  provider: z.looseObject({
    vpc: z.looseObject({ subnetIds: z.unknown().optional(), securityGroupIds: z.unknown().optional() }).optional(),
    environment: z.record(z.string(), z.unknown()).default({}),
    timeout: z.number().optional(),
    httpApi: z.looseObject({ authorizers: z.record(z.string(), z.looseObject({})).default({}) }).optional(),
  }),
  functions: z.record(
    z.string(),
    z.looseObject({
      handler: z.string(),
      timeout: z.number().optional(),
      reservedConcurrency: z.coerce.number().optional(),
      environment: z.record(z.string(), z.unknown()).default({}),
      events: z.array(z.unknown()).default([]),
    }),
  ),
});

export type Service = z.infer<typeof serviceSchema>;

/** @throws ZodError for something else than a service. */
export const parseService = (printed: unknown): Service => serviceSchema.parse(printed);

/** Kept back at the end of a tick's time-out: to end what runs, to record it, and to close the session. */
const TICK_RESERVE_S = 10;

/** `{{resolve:secretsmanager:…}}`: CloudFormation looks it up, and the template does not hold it. */
const REFERENCE = /^\{\{resolve:(?:secretsmanager|ssm-secure|ssm):[^{}]+\}\}$/;
const SECRETS = ['CRONKEEPER_ZK_AUTH', 'CRONKEEPER_API_TOKEN', 'CRONKEEPER_READ_TOKEN'];

/** In place of a secret that is looked up later. */
const STAND_IN = 'user:password';

/** @param given names of the parameters on the command line. */
export function checkDeployment(service: Service, given: readonly string[]): Check[] {
  return [
    ...checkParameters(service, given),
    ...checkEnvironment(service),
    ...checkSecrets(service),
    checkIds('subnets', service.provider.vpc?.subnetIds, 'subnet', 'subnetIds'),
    checkIds('security groups', service.provider.vpc?.securityGroupIds, 'sg', 'securityGroupIds'),
    ...checkAuthorizers(service),
    ...checkIssuers(service),
    ...checkLinger(service),
    ...checkFanOut(service),
  ];
}

function checkParameters({ params }: Service, given: readonly string[]): Check[] {
  const known = Object.keys(params.default);
  return given
    .filter((name) => !known.includes(name))
    .map((name) =>
      failed('parameters', `received ${received(name)}; allowed: ${known.join(', ')}`, 'correct the name'),
    );
}

const environments = ({ provider, functions }: Service): [name: string, environment: Record<string, unknown>][] =>
  Object.entries(functions).map(([name, { environment }]) => [name, { ...provider.environment, ...environment }]);

/** What the functions would say of their environment at their first event. */
function checkEnvironment(service: Service): Check[] {
  const problems = new Set(environments(service).flatMap(([, environment]) => environmentProblems(environment)));
  if (problems.size === 0) return [ok('environment', 'of every function is sound')];
  return [...problems].map((problem) =>
    failed(
      'environment',
      problem,
      'give the parameter by --param=name=value, or in a section of the stage in serverless.yml',
    ),
  );
}

function environmentProblems(environment: Record<string, unknown>): string[] {
  const texts = Object.entries(environment).map(([name, value]): [string, string] => [
    name,
    REFERENCE.test(String(value)) ? STAND_IN : String(value ?? ''),
  ]);
  try {
    const { url } = readConfig(Object.fromEntries(texts));
    if (url === undefined) return ['CRONKEEPER_URL: received nothing; allowed: zookeeper://host:2181,host:2181/chroot'];
    return urlProblems(url);
  } catch (error) {
    if (!isCronkeeperError(error, 'invalid')) throw error;
    return error.problems.map(({ field, message }) => `${field}: ${message}`);
  }
}

function urlProblems(url: string): string[] {
  const parsed = parseCoordinatorUrl(url);
  if (parsed.kind === 'embedded') {
    return [`CRONKEEPER_URL: received ${received(url)}; a function keeps no files: allowed: zookeeper://…`];
  }
  const local = parsed.servers.filter((server) => /^(?:localhost|127\.|\[::1\])/.test(server));
  return local.map((server) => `CRONKEEPER_URL: received ${received(server)}, which is the function itself`);
}

function checkSecrets(service: Service): Check[] {
  const all = environments(service).flatMap(([, environment]) => Object.entries(environment));
  const secrets = new Map(all.filter(([name]) => SECRETS.includes(name)).map(([name, value]) => [name, String(value)]));
  const plain = [...secrets].filter(([, value]) => value !== '' && !REFERENCE.test(value)).map(([name]) => name);
  const checks = plain.map((name) =>
    failed(
      'secrets',
      `${name} would be in the template in clear text`,
      'put it into Secrets Manager, and give its name as "secret"',
    ),
  );
  if ((secrets.get('CRONKEEPER_ZK_AUTH') ?? '') === '') {
    const remedy = 'give the secret a key zkAuth, user:password: ZooKeeper needs to know nothing of it beforehand';
    checks.push(
      warning('secrets', 'no CRONKEEPER_ZK_AUTH: whoever reaches ZooKeeper may read and write every task', remedy),
    );
  }
  return checks.length > 0
    ? checks
    : [ok('secrets', `${secrets.size} looked up by CloudFormation, none in the template`)];
}

/** A list, or what CloudFormation splits into one. */
function idsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const split = (value as { 'Fn::Split'?: unknown } | undefined)?.['Fn::Split'];
  return Array.isArray(split) && typeof split[1] === 'string' ? split[1].split(',') : [];
}

function checkIds(check: string, value: unknown, prefix: string, parameter: string): Check {
  const ids = idsOf(value);
  const isId = (id: unknown) => typeof id === 'string' && new RegExp(`^${prefix}-(?!0+$)[0-9a-f]{8,17}$`).test(id);
  const wrong = ids.filter((id) => !isId(id));
  if (ids.length > 0 && wrong.length === 0) return ok(check, ids.join(', '));
  const shown = ids.length === 0 ? 'none' : wrong.map((id) => received(id)).join(', ');
  const allowed = `${prefix}-0123456789abcdef0, separated by commas`;
  return failed(
    check,
    `received ${shown}; allowed: ${allowed}`,
    `give --param=${parameter}=…, from which the ensemble can be reached`,
  );
}

/** Every route of an API in front of a function, and its authorizer. */
function checkAuthorizers({ functions }: Service): Check[] {
  const open = Object.entries(functions).flatMap(([name, { events, ...rest }]) => {
    const routes = events.flatMap((event) => (isRoute(event) ? [event] : []));
    const isOpen = routes.some(({ httpApi, http }) => !hasAuthorizer(httpApi ?? http));
    const hasOpenUrl = 'url' in rest && rest.url !== undefined && !hasAuthorizer(rest.url);
    return isOpen || hasOpenUrl ? [name] : [];
  });
  if (open.length === 0) return [ok('authorizers', 'one in front of every route')];
  const remedy = 'set auth to iam or jwt: whoever stores a task runs code';
  return open.map((name) => failed('authorizers', `${name} can be called by anybody`, remedy));
}

function checkIssuers({ provider }: Service): Check[] {
  return Object.values(provider.httpApi?.authorizers ?? {}).flatMap(({ issuerUrl }) => {
    if (typeof issuerUrl === 'string' && URL.parse(issuerUrl)?.protocol === 'https:') return [];
    const detail = `issuer of the JWTs: received ${received(issuerUrl)}; allowed: an https URL`;
    return [failed('authorizers', detail, 'give --param=jwtIssuer=https://…')];
  });
}

const isRoute = (event: unknown): event is { httpApi?: unknown; http?: unknown } =>
  typeof event === 'object' && event !== null && ('httpApi' in event || 'http' in event);

const hasAuthorizer = (route: unknown): boolean =>
  typeof route === 'object' && route !== null && Boolean((route as { authorizer?: unknown }).authorizer);

/** A tick that lingers up to its time-out is killed in the middle of a run. */
function checkLinger(service: Service): Check[] {
  return environments(service).flatMap(([name, { CRONKEEPER_LINGER_MS: linger }]) => {
    if (linger === undefined) return [];
    const timeoutS = service.functions[name]?.timeout ?? service.provider.timeout ?? 0;
    const leastS = Math.ceil(Number(linger) / 1000) + TICK_RESERVE_S;
    const detail = `${name} lingers for ${Number(linger) / 1000} s of ${timeoutS} s`;
    if (timeoutS >= leastS) return [ok('linger', detail)];
    return [failed('linger', detail, `give the function a timeout of ${leastS} s, or let it linger for less`)];
  });
}

/** Whom a tick calls for help must be let in beside it. */
function checkFanOut(service: Service): Check[] {
  return environments(service).flatMap(([name, { CRONKEEPER_FAN_OUT_MAX: max }]) => {
    const fanOutMax = Number(max ?? 0);
    const concurrency = service.functions[name]?.reservedConcurrency ?? Infinity;
    if (fanOutMax === 0 || concurrency > fanOutMax) return [];
    const detail = `${name} may call ${fanOutMax} others, and ${concurrency} may be at work`;
    return [failed('fan-out', detail, `give --param=tickConcurrency=${fanOutMax + 1}`)];
  });
}

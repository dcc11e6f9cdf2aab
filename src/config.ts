/** The environment, checked: the only reader of `process.env`. One table says what there is; the README shows it. */
import type { CronkeeperOptions } from './app.ts';
import type { AwsSettings } from './aws.ts';
import { awsOf } from './aws-environment.ts';
import { isCidr } from './cidr.ts';
import { CronkeeperError, type Problem, received } from './errors.ts';
import { FAN_OUT_MAX } from './fan-out.ts';
import { NAMESPACE_PATTERN } from './layout.ts';
import { TASKS_MAX } from './quota.ts';
import { SHARDS_MAX } from './shard.ts';
import { LINGER_MS_MAX } from './tick.ts';
import { parseCoordinatorUrl, shownUrl } from './url.ts';

export interface Config {
  /** Undefined: not set. Local commands then use a file, a Lambda refuses to start. */
  readonly url?: string;
  readonly namespace: string;
  /** `user:password`, digest. */
  readonly zkAuth?: string;
  readonly sessionTimeoutMs: number;
  readonly shards: number;
  readonly lingerMs: number;
  /** That a tick takes at a time; 0: all that nobody holds. */
  readonly shardsPerTick: number;
  /** Further ticks that a tick may ask for; 0: none. */
  readonly fanOutMax: number;
  /** May do everything. */
  readonly apiToken?: string;
  /** May read. */
  readonly readToken?: string;
  /** Who is in front of a deployed API, and authenticates. */
  readonly auth: 'token' | 'iam' | 'jwt';
  /** Tasks that the namespace may have. Undefined: any number. */
  readonly maxTasks?: number;
  readonly port: number;
  /** Metrics of each task beside those of all; CloudWatch charges for each. */
  readonly taskMetrics: boolean;
  /** Blocks of addresses that are not public, and that tasks may fetch from. */
  readonly fetchAllowAddresses?: readonly string[];
  /** `host:port` of Lambda's Runtime API, on loopback and without a password: whoever reaches it speaks for the function. */
  readonly runtimeApi?: string;
  /** How AWS is called, from AWS's own variables. Undefined: without credentials, nothing can be sent there. */
  readonly aws?: AwsSettings;
}

interface Setting {
  readonly name: string;
  readonly key: keyof Config;
  /** One line for the README. */
  readonly what: string;
  readonly unit: string;
  /** Bounds of a number; a text has none. */
  readonly range?: readonly [min: number, max: number];
  readonly fallback?: string | number;
  readonly allowed: string;
  readonly check?: (value: string) => boolean;
  /** What a text means; undefined when it is wrong. Default: itself. */
  readonly read?: (value: string) => readonly string[] | boolean | undefined;
}

const BLOCKS_MAX = 64;

const AUTH_NAMES = ['token', 'iam', 'jwt'];

const isToken = (value: string): boolean => /^[\x21-\x7e]{1,1024}$/.test(value);
const tokenAllowed = 'visible ASCII characters; make it 32 random ones';

export const SETTINGS: readonly Setting[] = [
  {
    name: 'CRONKEEPER_URL',
    what: 'where the tasks are',
    key: 'url',
    unit: 'URL',
    allowed: '`zookeeper://host:2181,…/chroot`, `embedded:` or `embedded:./file.db`',
    check: isUrl,
  },
  {
    name: 'CRONKEEPER_NAMESPACE',
    what: 'which set of tasks',
    key: 'namespace',
    unit: 'name',
    fallback: 'default',
    allowed: '1 to 64 characters from A-Z a-z 0-9 _ -',
    check: (value) => NAMESPACE_PATTERN.test(value),
  },
  {
    name: 'CRONKEEPER_ZK_AUTH',
    what: 'ZooKeeper credentials; every node is then created for this user alone',
    key: 'zkAuth',
    unit: 'secret',
    allowed: '`user:password` (digest)',
    check: (value) => /^[^:]+:.+$/.test(value),
  },
  {
    name: 'CRONKEEPER_SESSION_TIMEOUT_MS',
    what: 'how long a lease outlives a holder that died',
    key: 'sessionTimeoutMs',
    unit: 'ms',
    range: [1_000, 40_000],
    fallback: 10_000,
    allowed: '1,000 to 40,000',
  },
  {
    name: 'CRONKEEPER_SHARDS',
    what: 'slices of the tasks that can be leased apart; fixed when a namespace is made',
    key: 'shards',
    unit: 'count',
    range: [1, SHARDS_MAX],
    fallback: 8,
    allowed: `1 to ${SHARDS_MAX}`,
  },
  {
    name: 'CRONKEEPER_LINGER_MS',
    what: 'how long a tick stays to run tasks on exact timers',
    key: 'lingerMs',
    unit: 'ms',
    range: [0, LINGER_MS_MAX],
    fallback: 0,
    allowed: '0 to 840,000',
  },
  {
    name: 'CRONKEEPER_SHARDS_PER_TICK',
    what: 'shards that a tick takes at a time, so that several ticks share them; 0: all that nobody holds',
    key: 'shardsPerTick',
    unit: 'count',
    range: [0, SHARDS_MAX],
    fallback: 0,
    allowed: `0 to ${SHARDS_MAX}`,
  },
  {
    name: 'CRONKEEPER_FAN_OUT_MAX',
    what: 'times that a function may invoke itself for shards with work that it cannot get through; 0: never',
    key: 'fanOutMax',
    unit: 'count',
    range: [0, FAN_OUT_MAX],
    fallback: 0,
    allowed: `0 to ${FAN_OUT_MAX}`,
  },
  {
    name: 'CRONKEEPER_FETCH_ALLOW_ADDRESSES',
    what: 'addresses that are not public, and that tasks may fetch from nevertheless',
    key: 'fetchAllowAddresses',
    unit: 'CIDR blocks',
    allowed: `up to ${BLOCKS_MAX}, separated by commas: \`10.1.0.0/16,127.0.0.1/32,::1/128\``,
    read: readBlocks,
  },
  {
    name: 'CRONKEEPER_API_TOKEN',
    what: 'bearer token that may do everything',
    key: 'apiToken',
    unit: 'secret',
    allowed: tokenAllowed,
    check: isToken,
  },
  {
    name: 'CRONKEEPER_READ_TOKEN',
    what: 'bearer token that may read',
    key: 'readToken',
    unit: 'secret',
    allowed: tokenAllowed,
    check: isToken,
  },
  {
    name: 'CRONKEEPER_AUTH',
    what: 'who authenticates in front of a deployed API, see [docs/ACCESS.md](docs/ACCESS.md)',
    key: 'auth',
    unit: 'name',
    fallback: 'token',
    allowed: '`token`: nobody, `iam`, `jwt`',
    check: (value) => AUTH_NAMES.includes(value),
  },
  {
    name: 'CRONKEEPER_MAX_TASKS',
    what: 'tasks that the namespace may have; more are refused, existing ones are not',
    key: 'maxTasks',
    unit: 'count',
    range: [1, TASKS_MAX],
    allowed: '1 to 10,000,000',
  },
  {
    name: 'CRONKEEPER_TASK_METRICS',
    what: 'metrics of each task, beside those of all; CloudWatch charges for every one',
    key: 'taskMetrics',
    unit: 'switch',
    fallback: 'false',
    allowed: '`true` or `false`',
    read: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  },
  {
    name: 'PORT',
    what: 'of the local API',
    key: 'port',
    unit: 'TCP port',
    range: [0, 65_535],
    fallback: 8_080,
    allowed: '0 to 65,535',
  },
];

/**
 * @param environment default: that of the process.
 * @throws CronkeeperError `invalid`, with a problem for every variable that is wrong. Secrets are not shown.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const { aws, problems: awsProblems } = awsOf(environment);
  const problems: Problem[] = [...awsProblems];
  const values = SETTINGS.map((setting): [string, Config[keyof Config]] => {
    const text = environment[setting.name];
    if (text === undefined || text === '') return [setting.key, fallbackOf(setting)];
    const value = readSetting(setting, text);
    if (value === undefined) {
      const shown = setting.unit === 'secret' ? `${text.length} characters` : received(shownUrl(text));
      problems.push({ field: setting.name, message: `received ${shown}; allowed: ${setting.allowed}` });
    }
    return [setting.key, value];
  });
  if (problems.length > 0) {
    const list = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
    throw new CronkeeperError('invalid', `invalid environment: ${list}`, { problems });
  }
  values.push(['runtimeApi', environment.AWS_LAMBDA_RUNTIME_API], ['aws', aws]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as unknown as Config;
}

/** Whether the invocation under way is traced: Lambda says so anew for each. */
export const isTraced = (environment: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  /(?:^|;)Sampled=1(?:;|$)/.test(environment._X_AMZN_TRACE_ID ?? '');

/** What of it opens a keeper; where the tasks are, each program says itself. */
export function optionsOf(config: Config): Omit<CronkeeperOptions, 'url'> {
  const { namespace, sessionTimeoutMs, shards, zkAuth, maxTasks, fetchAllowAddresses = [], runtimeApi, aws } = config;
  const fetch = { allowAddresses: fetchAllowAddresses, denyEndpoints: runtimeApi === undefined ? [] : [runtimeApi] };
  return {
    ...{ namespace, sessionTimeoutMs, shards, fetch },
    ...(zkAuth !== undefined && { zkAuth }),
    ...(aws !== undefined && { aws }),
    ...(maxTasks !== undefined && { maxTasks }),
  };
}

/** A switch is off until it is put on: its default is shown, not read. */
const fallbackOf = ({ read, fallback }: Setting): Config[keyof Config] =>
  typeof fallback === 'string' && read !== undefined ? read(fallback) : fallback;

function readSetting({ range, check, read }: Setting, text: string): Config[keyof Config] {
  if (range !== undefined) return readNumber(text, range);
  if (read !== undefined) return read(text);
  return check?.(text) === false ? undefined : text;
}

function readBlocks(text: string): string[] | undefined {
  const blocks = text.split(',').map((block) => block.trim());
  return blocks.length <= BLOCKS_MAX && blocks.every(isCidr) ? blocks : undefined;
}

function readNumber(text: string, [min, max]: readonly [number, number]): number | undefined {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function isUrl(value: string): boolean {
  try {
    parseCoordinatorUrl(value);
    return true;
  } catch {
    return false;
  }
}

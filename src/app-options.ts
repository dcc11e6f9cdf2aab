import type { AwsSettings } from './aws.ts';
import type { Clock, Random } from './clock.ts';
import type { Coordinator } from './coordinator.ts';
import type { Courier } from './courier.ts';
import { CronkeeperError, received } from './errors.ts';
import type { Capability, Evaluator } from './evaluator.ts';
import { assertNamespace } from './namespace.ts';
import type { FetchPermissions } from './outbound.ts';
import { TASKS_MAX } from './quota.ts';
import { SHARDS_MAX } from './shard.ts';
import { parseCoordinatorUrl } from './url.ts';

export interface CronkeeperOptions {
  /** `zookeeper://host:2181,host:2181/chroot`, `embedded:` (memory) or `embedded:./path/file.db`. */
  readonly url: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** ZooKeeper digest credentials, `user:password`. With them, every node is created for this user alone. */
  readonly zkAuth?: string;
  /** How long a lease outlives a holder that died. 500 to 40,000; default 10,000. ZooKeeper clamps it to its own bounds. */
  readonly sessionTimeoutMs?: number;
  /** Shards of a namespace that is made now; an existing one keeps its number. 1 to 256, default 8. */
  readonly shards?: number;
  /** Tasks that the namespace may have; existing ones can be edited beyond it, too. 1 to 10,000,000; default: any number. */
  readonly maxTasks?: number;
  /** Who makes the changes that `tasks` makes, for the audit trail. 1 to 256 visible ASCII characters; default `library`. */
  readonly principal?: string;
  /** Functions that tasks may `ctx.call`, if their manifest names them. Arguments and results are JSON. */
  readonly capabilities?: Readonly<Record<string, Capability>>;
  /** What tasks may `ctx.fetch` beside public addresses, if their manifest names it. Default: nothing. */
  readonly fetch?: FetchPermissions;
  /** How AWS is called: where destinations are, and functions. Default: nothing can be sent there. */
  readonly aws?: AwsSettings;
  /** Worker threads of the sandbox. Default 1. */
  readonly workers?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Names that nobody else has. Default: random UUIDs. */
  readonly token?: () => string;
  /** In place of the sandbox, for tests and simulations. */
  readonly evaluator?: Evaluator;
  /** In place of what sends messages to destinations, for tests and simulations. */
  readonly courier?: Courier;
  /** In place of the one that `url` names, for tests and simulations. */
  readonly coordinator?: Coordinator;
}

const OPTION_NAMES: ReadonlySet<string> = new Set([
  ...['url', 'namespace', 'zkAuth', 'sessionTimeoutMs', 'shards', 'maxTasks', 'principal'],
  ...['capabilities', 'fetch', 'aws', 'workers'],
  ...['clock', 'random', 'token', 'evaluator', 'courier', 'coordinator'],
]);

/** @throws CronkeeperError `invalid`, naming the option. */
export function assertOptions(options: CronkeeperOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new CronkeeperError('invalid', `openCronkeeper: received ${received(options)}; allowed: { url, … }`);
  }
  const refuse = (field: string, value: unknown, allowed: string): never => {
    throw new CronkeeperError('invalid', `openCronkeeper: ${field}: received ${received(value)}; allowed: ${allowed}`);
  };
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.has(name)) refuse(name, options[name as keyof CronkeeperOptions], [...OPTION_NAMES].join(', '));
  }
  if (typeof options.url !== 'string') refuse('url', options.url, 'a coordinator URL');
  parseCoordinatorUrl(options.url);
  assertNamespace(options.namespace ?? 'default');
  const whole = (field: 'sessionTimeoutMs' | 'shards' | 'workers' | 'maxTasks', min: number, max: number) => {
    const value = options[field];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
    refuse(field, value, `a whole number from ${min} to ${max}`);
  };
  whole('sessionTimeoutMs', 500, 40_000);
  whole('shards', 1, SHARDS_MAX);
  whole('workers', 1, 64);
  whole('maxTasks', 1, TASKS_MAX);
}

/** One client, two transports: the registry itself, or the HTTP API in front of it. */
import { type CronkeeperOptions, openCronkeeper } from '../app.ts';
import type { AuditEntry, AuditOptions } from '../audit.ts';
import { createHttpClient } from '../client.ts';
import type { Clock } from '../clock.ts';
import { type Config, optionsOf } from '../config.ts';
import { CronkeeperError } from '../errors.ts';
import type { BusEvent, Emitted } from '../event.ts';
import type { Status } from '../status.ts';
import type { Page, Tasks } from '../tasks.ts';
import { LOCAL_URL } from '../url.ts';
import type { Output } from './output.ts';

/** Flags that every command has. */
export interface GlobalFlags {
  readonly url?: string;
  readonly endpoint?: string;
  readonly token?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}

/** What a command works with besides its own arguments. */
export interface Context {
  readonly flags: GlobalFlags;
  readonly config: Config;
  readonly output: Output;
  readonly clock: Clock;
  /** Whose changes are made on the registry itself. */
  readonly principal: string;
}

export interface Connection extends AsyncDisposable {
  readonly tasks: Tasks;
  audit(options: AuditOptions): Promise<Page<AuditEntry>>;
  emit(event: BusEvent): Promise<Emitted>;
  status(): Promise<Status>;
}

/** Where the tasks are, from flags before environment before the local file. */
export function keeperOptions({
  flags,
  config,
  principal,
}: Pick<Context, 'flags' | 'config' | 'principal'>): CronkeeperOptions {
  return {
    ...optionsOf(config),
    url: flags.url ?? config.url ?? LOCAL_URL,
    namespace: flags.namespace ?? config.namespace,
    principal,
  };
}

/** Opens what the flags say; the coordinator or the API is not contacted before it is needed. */
export async function connect(context: Context): Promise<Connection> {
  const { endpoint, token } = context.flags;
  if (endpoint === undefined) return connectDirectly(context);
  const client = createHttpClient({ endpoint, token: token ?? context.config.apiToken });
  return {
    tasks: client,
    audit: (options) => client.audit(options),
    emit: (event) => client.emit(event),
    status: () => client.status(),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function connectDirectly(context: Context): Promise<Connection> {
  const keeper = await openCronkeeper(keeperOptions(context));
  return {
    tasks: keeper.tasks,
    audit: (options) => keeper.audit(options),
    emit: (event) => keeper.emit(event),
    status: () => keeper.status(),
    [Symbol.asyncDispose]: () => keeper.close(),
  };
}

/** For commands that run tasks: an API cannot do that for them. */
export function assertDirect({ flags }: Context, command: string): void {
  if (flags.endpoint === undefined) return;
  throw new CronkeeperError('invalid', `${command} works on the registry itself: give it --url, not --endpoint`);
}

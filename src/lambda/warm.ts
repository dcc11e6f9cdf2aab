/** What a function keeps warm between invocations: its configuration, its stack, and a keeper that is opened once. */
import { type Cronkeeper, type CronkeeperOptions, openCronkeeper } from '../app.ts';
import { type Config, optionsOf, readConfig } from '../config.ts';
import { CronkeeperError } from '../errors.ts';
import { Stack, type StackOptions } from './stack.ts';

/** What is left out comes from the environment, see `config.ts`. */
export interface HandlerOptions<Keeper> extends Partial<CronkeeperOptions>, Omit<StackOptions, 'clock'> {
  /** One that is open already; whoever opened it closes it. Default: one opened by these options at the first event. */
  readonly keeper?: Keeper;
}

export interface Warm<Keeper> {
  readonly config: Config;
  readonly stack: Stack;
  readonly keeper: () => Promise<Keeper>;
}

/** @throws CronkeeperError `invalid` at once, when nothing says where the tasks are. */
export function warm<Keeper>(options: HandlerOptions<Keeper>): Warm<Keeper | Cronkeeper> {
  const { keeper, environment, log, write, ...given } = options;
  const config = readConfig(environment);
  const settled = { config, stack: new Stack(config, options) };
  if (keeper !== undefined) return { ...settled, keeper: () => Promise.resolve(keeper) };

  const url = given.url ?? config.url;
  if (url === undefined) {
    const message = 'CRONKEEPER_URL is not set: where are the tasks? allowed: zookeeper://host:2181,host:2181/chroot';
    throw new CronkeeperError('invalid', message, { problems: [{ field: 'CRONKEEPER_URL', message }] });
  }
  const standard = optionsOf(config);
  // A handler's own permissions come on top, but nothing opens Lambda's Runtime API.
  const denyEndpoints = [standard.fetch, given.fetch].flatMap((permissions) => permissions?.denyEndpoints ?? []);
  const all = { ...standard, ...given, fetch: { ...standard.fetch, ...given.fetch, denyEndpoints }, url };
  let opened: Promise<Cronkeeper> | undefined;
  return {
    ...settled,
    keeper: () => {
      opened ??= openCronkeeper(all);
      return opened;
    },
  };
}

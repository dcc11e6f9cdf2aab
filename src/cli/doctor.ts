/** `cronkeeper doctor`: what works, what does not, and what to do about it. */
import { openCronkeeper } from '../app.ts';
import { createHttpClient } from '../client.ts';
import { CronkeeperError, isCronkeeperError, messageOf } from '../errors.ts';
import type { Probe } from '../probe.ts';
import type { Status } from '../status.ts';
import { type Check, failed, ok, sayChecks, warning } from './check.ts';
import { type Context, keeperOptions } from './connection.ts';
import type { Output } from './output.ts';
import { relativeTo, roughly } from './present.ts';

const NODE_MAJOR_MIN = 24;

/** Beyond this, a clock is wrong rather than a request slow. */
const SKEW_MAX_MS = 1_000;

/** A namespace that nobody has ticked for so long is probably not looked after. */
const UNTICKED_MAX_MS = 10 * 60_000;

/** @param context or what is wrong with the configuration. @throws SaidFailure when a check failed. */
export async function doctor(output: Output, context: Context | CronkeeperError): Promise<void> {
  const checks = [checkNode(process.versions.node)];
  if (context instanceof CronkeeperError) {
    checks.push(failed('configuration', context.message, 'correct the variables named, or unset them'));
  } else {
    checks.push(ok('configuration', 'the environment is sound'));
    const { endpoint } = context.flags;
    checks.push(...(endpoint === undefined ? await checkCoordinator(context) : await checkEndpoint(context, endpoint)));
  }
  sayChecks(output, checks);
}

export function checkNode(version: string): Check {
  const major = Number.parseInt(version, 10);
  if (major >= NODE_MAJOR_MIN) return ok('node', version);
  return failed(
    'node',
    `${version}; needed: ${NODE_MAJOR_MIN} or later`,
    'run it by "npm run", which brings its own Node',
  );
}

async function checkCoordinator(context: Context): Promise<Check[]> {
  const options = keeperOptions(context);
  try {
    const keeper = await openCronkeeper(options);
    try {
      const probe = await keeper.probe();
      return [...checkProbe(probe), ...(probe.exists ? checkShards(await keeper.status(), context.clock.now()) : [])];
    } finally {
      await keeper.close();
    }
  } catch (error) {
    return [failed('coordinator', messageOf(error), coordinatorRemedy(error))];
  }
}

function coordinatorRemedy(error: unknown): string {
  if (isCronkeeperError(error, 'forbidden')) return 'check CRONKEEPER_ZK_AUTH, and who may read the path or file';
  if (isCronkeeperError(error, 'corrupt'))
    return 'the path or file belongs to something else: choose another, or restore it';
  if (isCronkeeperError(error, 'invalid')) return 'correct the coordinator URL';
  return 'check that it runs, the host and port in the URL, and the network between; "npm run zk" starts one to try';
}

function checkProbe({ coordinator, namespace, exists, connectMs, roundTripMs, clockSkewMs }: Probe): Check[] {
  const reached = `${coordinator} answers in ${milliseconds(roundTripMs)}, connected in ${milliseconds(connectMs)}`;
  const remedy = "let NTP set both clocks; until then the coordinator's time decides what is due";
  return [
    ok('coordinator', reached),
    Math.abs(clockSkewMs) > SKEW_MAX_MS
      ? warning(
          'clock',
          `${roughly(Math.abs(clockSkewMs))} ${clockSkewMs > 0 ? 'ahead of' : 'behind'} the coordinator`,
          remedy,
        )
      : ok('clock', `agrees with the coordinator (${Math.abs(clockSkewMs)} ms)`),
    ok('namespace', exists ? namespace : `${namespace} does not exist yet; the first use makes it`),
  ];
}

const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

async function checkEndpoint({ flags, config, clock }: Context, endpoint: string): Promise<Check[]> {
  const startMs = clock.elapsed();
  try {
    const client = createHttpClient({ endpoint, token: flags.token ?? config.apiToken });
    const status = await client.status();
    const answered = ok('endpoint', `${endpoint} answers in ${milliseconds(clock.elapsed() - startMs)}`);
    const coordinator = ok('coordinator', `${status.coordinator}, namespace ${status.namespace}`);
    return [answered, coordinator, ...checkShards(status, clock.now())];
  } catch (error) {
    return [failed('endpoint', messageOf(error), endpointRemedy(error))];
  }
}

const endpointRemedy = (error: unknown): string =>
  isCronkeeperError(error, 'unauthenticated', 'forbidden')
    ? "give the API's token by --token or CRONKEEPER_API_TOKEN"
    : 'check that the API runs there; "npm start" starts one on this machine';

function checkShards({ shards }: Status, nowMs: number): Check[] {
  const held = shards.filter((shard) => shard.held).length;
  const latestMs = Math.max(...shards.map(({ lastLeaseAt }) => (lastLeaseAt === null ? 0 : Date.parse(lastLeaseAt))));
  const overdue = shards.some(({ overdueDays }) => overdueDays > 0);
  const last = latestMs === 0 ? 'never ticked' : `last tick ${relativeTo(nowMs, latestMs)}`;
  const detail = `${shards.length}, ${held} held now; ${last}`;
  const remedy = 'nothing runs without a tick: "cronkeeper worker", "npm start" or the deployed trigger';
  const isTicked = held > 0 || (nowMs - latestMs < UNTICKED_MAX_MS && !overdue);
  return [isTicked ? ok('shards', detail) : warning('shards', detail, remedy), ...checkOutbox(shards)];
}

/** Nothing is said where nothing waits: most have no destinations. */
function checkOutbox(shards: Status['shards']): Check[] {
  const waiting = shards.reduce((sum, { outbox }) => sum + outbox, 0);
  const givenUp = shards.reduce((sum, { undelivered }) => sum + undelivered, 0);
  if (waiting === 0 && givenUp === 0) return [];
  const detail = `${waiting} messages wait, ${givenUp} were given up`;
  if (givenUp === 0) return [ok('outbox', detail)];
  return [warning('outbox', detail, '"cronkeeper undelivered" shows which, and what their destinations said')];
}

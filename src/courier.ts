/** The port to whoever is told of launches, and its one implementation on the ports of HTTP requests and of AWS. */
import { AWS_CALL_MS, type Aws } from './aws.ts';
import type { Clock } from './clock.ts';
import type { Condition, Destination } from './destination.ts';
import { isCronkeeperError, messageOf } from './errors.ts';
import type { Message, Told } from './mail.ts';
import { FetchDenied, type Outbound } from './outbound.ts';

/** Chains are no letters: they are launches, made in the registry. */
export type Outside = Exclude<Destination, { readonly task: string }>;

export interface Letter {
  readonly destination: Outside;
  readonly message: Message;
  /** Of the lease under which the run was recorded. */
  readonly fence: number;
}

/** Sends one letter, once. Never rejects. Ends early when `signal` aborts; nobody looks at the outcome then. */
export type Courier = (letter: Letter, signal: AbortSignal) => Promise<Told>;

/** One attempt, from looking up the host to the last byte of the answer. */
export const SEND_MS = AWS_CALL_MS;

/** What EventBridge rules match. */
const DETAIL_TYPES: Readonly<Record<Condition, string>> = {
  success: 'Launch Succeeded',
  failure: 'Launch Failed',
  'dead-letter': 'Launch Dead',
};

const SOURCE = 'cronkeeper';

/** Statuses other than 5xx that are worth another attempt. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

export interface CourierDeps {
  readonly outbound: Outbound;
  /** Absent: there are no credentials. */
  readonly aws: Aws | undefined;
  readonly clock: Clock;
}

export function createCourier({ outbound, aws, clock }: CourierDeps): Courier {
  return async (letter, stop) => {
    const { destination } = letter;
    if (!('url' in destination) && aws === undefined) return { is: 'later', problem: NO_CREDENTIALS };
    const over = new AbortController();
    const end = () => over.abort();
    const cancel = clock.after(SEND_MS, end);
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    try {
      if ('url' in destination) return await post(outbound, destination.url, letter, over.signal);
      await send(aws as Aws, destination, letter.message, over.signal);
      return { is: 'delivered' };
    } catch (error) {
      return over.signal.aborted ? { is: 'later', problem: `no answer within ${SEND_MS / 1_000} s` } : failed(error);
    } finally {
      cancel();
      stop.removeEventListener('abort', end);
    }
  };
}

const NO_CREDENTIALS = 'no credentials for AWS: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set';

/** A redirect is no delivery, and is not followed: what is told is for whom the task names. */
async function post(outbound: Outbound, url: string, { message, fence }: Letter, signal: AbortSignal): Promise<Told> {
  const { idempotencyKey, launchId } = message;
  const fetch = outbound.grant({ origins: [new URL(url).origin], idempotencyKey, fence });
  const headers = [
    ['content-type', 'application/json'],
    ['x-cronkeeper-launch-id', launchId],
  ] as const;
  const body = Buffer.from(JSON.stringify(message));
  const { status } = await fetch({ url, method: 'POST', headers, body, redirect: 'manual' }, signal);
  if (status >= 200 && status < 300) return { is: 'delivered' };
  return { is: status >= 500 || LATER.has(status) ? 'later' : 'refused', problem: `it answered ${status}` };
}

async function send(aws: Aws, to: Exclude<Outside, { readonly url: string }>, message: Message, signal: AbortSignal) {
  const body = JSON.stringify(message);
  const order = { group: message.taskId, key: message.idempotencyKey };
  if ('queue' in to) return aws.sendMessage({ queue: to.queue, body, ...order }, signal);
  if ('topic' in to) return aws.publish({ topic: to.topic, body, ...order }, signal);
  const [source, detailType, timeMs] = [SOURCE, DETAIL_TYPES[message.condition], Date.parse(message.finishedAt)];
  return aws.putEvent({ bus: to.bus, source, detailType, detail: body, timeMs }, signal);
}

/** What AWS forbids, it may allow when somebody has mended the role; what the operator forbids to fetch stays so. */
function failed(error: unknown): Told {
  const isFinal = error instanceof FetchDenied || isCronkeeperError(error, 'invalid', 'too-large');
  return { is: isFinal ? 'refused' : 'later', problem: messageOf(error) };
}

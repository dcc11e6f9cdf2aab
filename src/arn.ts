/** Names of AWS resources, as documents and the environment give them. Pure. */

/** What messages are sent to, or a function: where it is, and what it is called there. */
export interface Arn {
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** What follows the account: `my-queue.fifo`, `event-bus/default`, `function:tick`. */
  readonly resource: string;
}

/** AWS allows more for some; nothing that is a destination is longer. */
const ARN_CHARS_MAX = 512;

const REGION = '[a-z]{2,5}(?:-[a-z]+)+-\\d{1,2}';
const ARN = new RegExp(`^arn:aws[a-z-]{0,16}:([a-z]{2,16}):(${REGION}):(\\d{12}):([A-Za-z0-9_.:/-]+)$`);
const QUEUE_URL = new RegExp(
  `^https://(?:sqs\\.(${REGION})|(${REGION})\\.queue)\\.([a-z0-9.-]+)/(\\d{12})/([A-Za-z0-9_.-]+)$`,
);

/** How the names of AWS's servers end, by how the region's name begins. Source: AWS's list of partitions. */
const SUFFIXES: readonly (readonly [prefix: string, suffix: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
];

export const isRegion = (text: string): boolean => new RegExp(`^${REGION}$`).test(text);

export const suffixOf = (region: string): string =>
  SUFFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'amazonaws.com';

/** Undefined for what is no ARN of a resource in a region and an account. */
export function parseArn(text: string): Arn | undefined {
  if (text.length > ARN_CHARS_MAX) return undefined;
  const [, service, region, account, resource] = ARN.exec(text) ?? [];
  if (service === undefined || region === undefined || account === undefined || resource === undefined)
    return undefined;
  return { service, region, account, resource };
}

/**
 * An SQS queue, by its URL or its ARN; undefined for anything else, a URL of a server that is not AWS's included: what
 * is sent there is signed, and nobody else is to have it.
 */
export function parseQueue(text: string): Arn | undefined {
  const arn = parseArn(text);
  if (arn !== undefined) return arn.service === 'sqs' && isName(arn.resource, 80) ? arn : undefined;
  if (text.length > ARN_CHARS_MAX) return undefined;
  const [, named, legacy, suffix, account, resource] = QUEUE_URL.exec(text) ?? [];
  const region = named ?? legacy;
  if (region === undefined || account === undefined || resource === undefined) return undefined;
  return suffix === suffixOf(region) && isName(resource, 80)
    ? { service: 'sqs', region, account, resource }
    : undefined;
}

/** An SNS topic, by its ARN. */
export function parseTopic(text: string): Arn | undefined {
  const arn = parseArn(text);
  return arn?.service === 'sns' && isName(arn.resource, 256) ? arn : undefined;
}

export interface Bus {
  /** Undefined: the program's own. */
  readonly region: string | undefined;
}

/** An EventBridge bus, by its name or its ARN. */
export function parseBus(text: string): Bus | undefined {
  const arn = parseArn(text);
  if (arn !== undefined) {
    return arn.service === 'events' && /^event-bus\/[\w./-]{1,256}$/.test(arn.resource)
      ? { region: arn.region }
      : undefined;
  }
  return /^[\w./-]{1,256}$/.test(text) ? { region: undefined } : undefined;
}

/** A Lambda function, by its name or its ARN, with or without a version or an alias. */
export function parseFunction(text: string): Bus | undefined {
  const arn = parseArn(text);
  if (arn !== undefined) {
    return arn.service === 'lambda' && /^function:[\w-]{1,64}(?::[\w$-]{1,128})?$/.test(arn.resource)
      ? { region: arn.region }
      : undefined;
  }
  return /^[\w-]{1,64}(?::[\w-]{1,128})?$/.test(text) ? { region: undefined } : undefined;
}

/** Where FIFO queues and topics differ: they want a group and a key. */
export const isFifo = ({ resource }: Arn): boolean => resource.endsWith('.fifo');

const isName = (text: string, charsMax: number): boolean =>
  text.length <= charsMax && /^[A-Za-z0-9_-]+(?:\.fifo)?$/.test(text);

/**
 * What an answer of AWS means: whether the same call may succeed later. Of an error only its code is told: AWS's message
 * about a signature quotes the request, session token included. Pure.
 */
import type { AwsService } from '../aws.ts';
import { CronkeeperError, messageOf } from '../errors.ts';

/** Codes that mean "later", whatever the status. Source: AWS's SDKs, "retry behavior", and each service's common errors. */
const LATER = new Set([
  ...['Throttling', 'ThrottlingException', 'ThrottledException', 'RequestThrottled', 'RequestThrottledException'],
  ...['TooManyRequestsException', 'RequestLimitExceeded', 'LimitExceededException', 'OverLimit', 'SlowDown'],
  ...['KMSThrottling', 'KmsThrottled', 'KMSThrottlingException', 'EC2ThrottledException', 'PriorRequestNotComplete'],
  ...['InternalError', 'InternalFailure', 'InternalException', 'ServiceUnavailable', 'ServiceException'],
  ...['RequestTimeout', 'RequestTimeoutException', 'TransactionInProgressException'],
  // Another invocation has newer credentials, and a clock that was set.
  ...['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'RequestTimeTooSkewed'],
]);

const NOT_ALLOWED = new Set([401, 403]);

/** The error of an answer that is no success. */
export function refusal(service: AwsService, response: Response, text: string): CronkeeperError {
  const { status } = response;
  const code = codeOf(response, text);
  const isLater = status >= 500 || status === 429 || status === 408 || LATER.has(code);
  const kind = isLater ? 'unavailable' : NOT_ALLOWED.has(status) ? 'forbidden' : 'invalid';
  return new CronkeeperError(kind, `${service}: AWS answered ${status}${code === '' ? '' : ` ${code}`}`);
}

/** For a PutEvents that answered with success: the error of its one entry, if it failed. */
export function failedEntry(text: string): CronkeeperError | undefined {
  const { FailedEntryCount, Entries } = objectOf(text);
  if (FailedEntryCount === 0) return undefined;
  if (typeof FailedEntryCount !== 'number') {
    return new CronkeeperError('unavailable', 'eventbridge: AWS did not say whether the event was taken');
  }
  const [entry]: unknown[] = Array.isArray(Entries) ? Entries : [];
  const code = plain((entry as { ErrorCode?: unknown } | undefined)?.ErrorCode);
  const kind = code === '' || LATER.has(code) ? 'unavailable' : 'invalid';
  return new CronkeeperError(kind, `eventbridge: the event was not taken${code === '' ? '' : `: ${code}`}`);
}

/** There was no answer. It may have been applied. */
export function unreachable(service: AwsService, isOver: boolean, error: unknown): CronkeeperError {
  const cause = (error as { cause?: { code?: unknown } } | undefined)?.cause;
  const why = isOver ? 'no answer in time' : plain(cause?.code) || plain(messageOf(error)) || 'no answer';
  return new CronkeeperError('unavailable', `${service}: ${why}`);
}

/** Where each protocol puts it: a header of Lambda's, a field of JSON, an element of SNS's XML. */
function codeOf({ headers }: Response, text: string): string {
  const inXml = /<Code>([^<]{1,128})<\/Code>/.exec(text)?.[1];
  const named = headers.get('x-amzn-errortype') ?? inXml ?? objectOf(text).__type;
  const [first = ''] = String(named ?? '').split(':', 1);
  return plain(first.slice(first.lastIndexOf('#') + 1));
}

/** A name: letters, digits and what joins them. Anything else is not shown. */
const plain = (value: unknown): string =>
  typeof value === 'string' && /^[A-Za-z0-9_. -]{1,128}$/.test(value) ? value : '';

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

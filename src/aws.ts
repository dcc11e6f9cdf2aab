/**
 * The port to AWS: the few calls that Cronkeeper makes itself. Each is tried once, within {@link AWS_CALL_MS}; whoever
 * calls decides whether to try again.
 *
 * All reject with a CronkeeperError: `unavailable` for what may be tried again, also where it may have been applied and
 * only the answer is missing; `forbidden` when the role may not do this; `invalid` for any other refusal. No message
 * shows credentials, or what AWS says of a signature.
 */

/** How long one call may take, ms. */
export const AWS_CALL_MS = 5_000;

/** UTF-8 bytes of a message: what all of SQS, SNS and EventBridge take, with room for what is around it. */
export const AWS_MESSAGE_BYTES_MAX = 240 * 1024;

export interface Aws {
  /** SQS. */
  sendMessage(message: QueueMessage, signal?: AbortSignal): Promise<void>;
  /** SNS. */
  publish(message: TopicMessage, signal?: AbortSignal): Promise<void>;
  /** EventBridge; one event. */
  putEvent(event: BusEntry, signal?: AbortSignal): Promise<void>;
  /**
   * Lambda: queued there (202), and not waited for.
   * @param functionName a name or an ARN, with or without a version or an alias.
   * @param payload sent as JSON.
   */
  invokeAsync(functionName: string, payload: unknown, signal?: AbortSignal): Promise<void>;
}

/** For FIFO queues and topics; others ignore it. */
export interface InOrder {
  /** What is of one group arrives in order: 1 to 128 characters from A-Z a-z 0-9 . _ - */
  readonly group: string;
  /** The same key within five minutes is the same message. Any text: a long one is hashed. */
  readonly key: string;
}

export interface QueueMessage extends InOrder {
  /** URL or ARN. */
  readonly queue: string;
  readonly body: string;
}

export interface TopicMessage extends InOrder {
  /** ARN. */
  readonly topic: string;
  readonly body: string;
}

export interface BusEntry {
  /** Name or ARN. */
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  /** JSON text of an object. */
  readonly detail: string;
  readonly timeMs: number;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Services that are called, as the variables `AWS_ENDPOINT_URL_…` name them. */
export const AWS_SERVICES = ['sqs', 'sns', 'eventbridge', 'lambda'] as const;

export type AwsService = (typeof AWS_SERVICES)[number];

/** Where services are instead of at AWS: for all of them, and for each. URLs of http or https. */
export type AwsEndpoints = Readonly<Partial<Record<AwsService | 'all', string>>>;

export interface AwsSettings {
  /** Of what names no region itself. */
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly endpoints?: AwsEndpoints;
}

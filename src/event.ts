/** An event of a bus, in the words of EventBridge's envelope, and what became of it. */
import type { LaunchAsked } from './tasks.ts';

export interface BusEvent {
  /** Given by the bus, and the same each time the event is delivered: the idempotency key of what it launches. */
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: unknown;
  /** ISO. */
  readonly time?: string;
  readonly account?: string;
  readonly region?: string;
  readonly resources?: readonly string[];
}

export interface Emitted {
  readonly launches: readonly LaunchAsked[];
  /** Tasks that the event matches, and that cannot be launched by it. */
  readonly refused: readonly RefusedLaunch[];
}

export interface RefusedLaunch {
  readonly taskId: string;
  readonly message: string;
  /** The same event may be taken later: whoever delivers it should deliver it again. */
  readonly temporary?: true;
}

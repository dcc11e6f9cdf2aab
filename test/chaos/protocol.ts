/** What a worker process is given, is told, and says. */
import type { EpochMs } from '../../src/clock.ts';

export interface WorkerSettings {
  readonly listenerPort: number;
  readonly periodMs: number;
  /** Before its first invocation, so that not all workers come at once. */
  readonly phaseMs: number;
  readonly lingerMs: number;
  readonly functionTimeoutMs: number;
}

export type Told =
  /** Invoke the handler once more, beside whatever it does. */
  | { readonly kind: 'trigger' }
  /** The trigger comes late. */
  | { readonly kind: 'hold'; readonly forMs: number }
  /** Invoke no more, and end. */
  | { readonly kind: 'stop' };

export type Said =
  | { readonly kind: 'ready' }
  /** A connection to the listener, by its own port: somebody runs here. */
  | { readonly kind: 'dialled'; readonly port: number }
  | { readonly kind: 'invoked'; readonly startedMs: EpochMs; readonly endedMs: EpochMs; readonly error?: string }
  /** The event loop stood still: the machine was busy, or the process was frozen. */
  | { readonly kind: 'stalled'; readonly fromMs: EpochMs; readonly untilMs: EpochMs }
  /** An error that nobody caught. */
  | { readonly kind: 'escaped'; readonly error: string }
  | { readonly kind: 'stopped' };

/**
 * The outbound port: HTTP requests of tasks, each within what the task's manifest allows and the operator permits.
 * Bodies are whole: they are small, and nothing of a request outlives its run.
 */

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface FetchRequest {
  /** As the task wrote it. */
  readonly url: string;
  readonly method: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
}

export interface FetchResponse {
  /** The last one, after redirects. */
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/**
 * One request of one run. Rejects with {@link FetchDenied} when it is not allowed, with an error whose message the task
 * may see when it failed. Ends early when `signal` aborts: the run is over.
 */
export type Fetch = (request: FetchRequest, signal: AbortSignal) => Promise<FetchResponse>;

/** The manifest does not name it, or the operator forbids its address. */
export class FetchDenied extends Error {
  override readonly name = 'FetchDenied';
}

/** What a run may reach, and what is sent along. */
export interface Grant {
  /** `https://api.example.com`, `http://127.0.0.1:8080`: scheme, host and port. */
  readonly origins: readonly string[];
  /** Sent with every request, as `Idempotency-Key`, unless the task sends its own. */
  readonly idempotencyKey: string;
  /** Sent with every request, as `Cronkeeper-Fence`. */
  readonly fence: number;
}

export interface Outbound {
  grant(grant: Grant): Fetch;
  /** Ends what is under way. */
  close(): Promise<void>;
}

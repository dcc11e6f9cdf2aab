/**
 * The outbound port: HTTP requests of tasks, each within what the task's manifest allows and the operator permits.
 * Bodies are whole: they are small, and nothing of a request outlives its run.
 */

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** `follow` (default): up to three. `manual`: the redirect is the response. `error`: it is a failure. */
export type RedirectMode = 'follow' | 'manual' | 'error';

export interface FetchRequest {
  /** As the task wrote it. */
  readonly url: string;
  readonly method: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
  readonly redirect?: RedirectMode;
}

export interface FetchResponse {
  /** The last one, after redirects, without its fragment. */
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; one that came twice is here twice. `set-cookie` is left out: nothing keeps cookies. */
  readonly headers: HeaderList;
  /** Decompressed. */
  readonly body: Uint8Array;
}

/**
 * One request of one run. Rejects with {@link FetchDenied} when it is not allowed, with an error whose message the task
 * may see when it failed. Ends early when `signal` aborts: the run is over.
 */
export type Fetch = (request: FetchRequest, signal: AbortSignal) => Promise<FetchResponse>;

/** The manifest does not name it, or the operator forbids its address. The task may see the message. */
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
  /** A fetch for one run. What all of its requests together may take is bounded. */
  grant(grant: Grant): Fetch;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What the operator permits. */
export interface FetchPermissions {
  /**
   * Blocks of addresses that are not public and that tasks may reach nevertheless, if their manifest names the host:
   * `10.1.2.3/32`, `127.0.0.0/8`, `::1/128`. Default: none.
   */
  readonly allowAddresses?: readonly string[];
  /** `host:port` that no task reaches, whatever is allowed. Where the tasks are kept is always among them. */
  readonly denyEndpoints?: readonly string[];
}

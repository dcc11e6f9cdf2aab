/** Tasks over HTTP: the same interface as on the registry itself. */
import type { Status } from './status.ts';
import type { Tasks } from './tasks.ts';

export interface HttpClientOptions {
  /** Where the API is, such as `https://example.com` or `http://127.0.0.1:8080`. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  /** For one request, ms. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface HttpClient extends Tasks {
  status(): Promise<Status>;
}

/** @throws CronkeeperError `invalid` for an endpoint or a token that cannot be. */
export declare function createHttpClient(options: HttpClientOptions): HttpClient;

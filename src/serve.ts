/** The API on a port of this machine. */
import type { Hono } from 'hono';

export interface ServeOptions {
  readonly app: Hono;
  /** See {@link listenOn}. */
  readonly hostname: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface Served {
  /** Where it can be reached from this machine, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Stops listening, lets answers under way end for a moment, and closes what is left. */
  close(): Promise<void>;
}

/** Where to listen, and what to tell the user about it. @throws CronkeeperError `invalid` */
export declare function listenOn(options: { readonly apiToken?: string | undefined; readonly hostname?: string | undefined }): {
  readonly hostname: string;
  readonly message: string;
};

/** @throws CronkeeperError `unavailable` when the port is taken or may not be used. */
export declare function serve(options: ServeOptions): Promise<Served>;

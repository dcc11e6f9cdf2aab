/** One request and its response, on a connection of its own. */
import type { Client } from 'undici';
import type { HeaderList } from '../outbound.ts';
import { dialler } from './dial.ts';
import { FETCH_LIMITS } from './limits.ts';

export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
}

export interface Head {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: HeaderList;
}

export interface Reply extends Head {
  /** As it came; empty if it was not wanted. */
  readonly body: Uint8Array;
}

/** Whether what follows the head is to be read. */
export type WantsBody = (head: Head) => boolean;

/**
 * @param addresses checked; the only ones that are connected to.
 * @param signal ends it, with its reason.
 */
export async function exchange(
  hop: Hop,
  addresses: readonly string[],
  wantsBody: WantsBody,
  signal: AbortSignal,
): Promise<Reply> {
  // Loaded when it is first needed, and no more of it than that: most ticks fetch nothing.
  const { default: UndiciClient } = await import('undici/lib/dispatcher/client.js');
  signal.throwIfAborted();
  const client = new UndiciClient(hop.url.origin, {
    connect: dialler(addresses, signal),
    maxHeaderSize: FETCH_LIMITS.responseHeaderBytes,
    maxResponseSize: FETCH_LIMITS.responseBodyBytes,
    // Time is kept by the signal.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const stop = () => void client.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await dispatch(client, hop, wantsBody);
  } finally {
    signal.removeEventListener('abort', stop);
    await client.destroy();
  }
}

function dispatch(client: Client, { url, body, ...hop }: Hop, wantsBody: WantsBody): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let head: Head = { status: 0, statusText: '', headers: [] };
    const chunks: Buffer[] = [];
    const request = {
      path: `${url.pathname}${url.search}`,
      method: hop.method,
      headers: hop.headers.flat(),
      body: body ?? null,
    };
    client.dispatch(
      { ...request, reset: true },
      {
        onRequestStart: () => undefined,
        onResponseStart(controller, status, _headers, statusText = '') {
          // What comes before the response itself (100, 103) comes here, too: the last one counts.
          const headers = pairs(controller.rawHeaders);
          head = { status, statusText: statusText.slice(0, FETCH_LIMITS.statusTextChars), headers };
          if (!wantsBody(head)) resolve({ ...head, body: new Uint8Array() });
        },
        onResponseData: (_controller, chunk) => chunks.push(chunk),
        onResponseEnd: () => resolve({ ...head, body: Buffer.concat(chunks) }),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}

/** Names and values take turns in undici's list. */
function pairs(raw: unknown): HeaderList {
  const texts = Array.isArray(raw) ? raw.map((each: Buffer | string) => each.toString('latin1')) : [];
  const list: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) list.push([texts[i]!.toLowerCase(), texts[i + 1]!]);
  return list;
}

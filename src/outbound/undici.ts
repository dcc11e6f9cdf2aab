/**
 * The outbound port on undici. Every hop of every request is checked against the task's manifest, its host looked up
 * once, its addresses checked, and one of exactly those connected to, on a connection that serves nothing else. Proxies
 * that the environment names are not used: they would look names up themselves.
 */
import type { Clock } from '../clock.ts';
import { CronkeeperError, received } from '../errors.ts';
import { parseOrigin } from '../origin.ts';
import {
  type Fetch,
  FetchDenied,
  type FetchRequest,
  type FetchResponse,
  type Grant,
  type Outbound,
} from '../outbound.ts';
import { decoded } from './decode.ts';
import { exchange, type Hop, type Reply } from './exchange.ts';
import { FetchFailed, failure } from './failure.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { FETCH_LIMITS } from './limits.ts';
import { Places } from './places.ts';
import { Reach, type ReachOptions } from './reach.ts';
import { isRedirect, redirected } from './redirect.ts';

export interface OutboundOptions extends ReachOptions {
  readonly clock: Clock;
  /** Sent unless the task says something else. */
  readonly userAgent: string;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** @throws CronkeeperError `invalid` for permissions that are no blocks of addresses. */
export const openOutbound = (options: OutboundOptions): Outbound => new UndiciOutbound(options);

/** One run: what it may reach, and how much of it at a time. */
interface Account {
  readonly grant: Grant;
  readonly origins: ReadonlySet<string>;
  readonly places: Places;
  readonly lookups: Places;
}

class UndiciOutbound implements Outbound {
  readonly #options: OutboundOptions;
  readonly #reach: Reach;
  readonly #places = new Places(FETCH_LIMITS.perProcess, FETCH_LIMITS.waiting);
  readonly #underWay = new Map<AbortController, Promise<unknown>>();
  #isClosed = false;

  constructor(options: OutboundOptions) {
    this.#options = options;
    this.#reach = new Reach(options);
  }

  grant(grant: Grant): Fetch {
    const account: Account = {
      grant,
      origins: new Set(grant.origins.flatMap(sound)),
      places: new Places(FETCH_LIMITS.perRun),
      lookups: new Places(FETCH_LIMITS.lookupsPerRun),
    };
    return (request, over) => this.#fetch(account, request, over);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const controller of this.#underWay.keys()) controller.abort(closed());
    await Promise.allSettled(this.#underWay.values());
  }

  /** Its time is counted from here; it ends with the run, and with everything else. */
  async #fetch(account: Account, request: FetchRequest, over: AbortSignal): Promise<FetchResponse> {
    if (this.#isClosed) throw closed();
    const controller = new AbortController();
    const end = () => controller.abort(new FetchFailed('the run is over'));
    const { totalMs } = FETCH_LIMITS;
    const cancel = this.#options.clock.after(totalMs, () =>
      controller.abort(new FetchFailed(`no complete response within ${totalMs / 1000} s`)),
    );
    over.addEventListener('abort', end, { once: true });
    if (over.aborted) end();
    const work = this.#inPlace(account, request, controller.signal);
    this.#underWay.set(controller, work);
    try {
      return await work;
    } finally {
      cancel();
      over.removeEventListener('abort', end);
      this.#underWay.delete(controller);
    }
  }

  async #inPlace(account: Account, request: FetchRequest, signal: AbortSignal): Promise<FetchResponse> {
    const first = this.#firstHop(account, request);
    using _own = await account.places.take(signal);
    using _common = await this.#places.take(signal);
    return await this.#follow(account, request, first, signal); // the places are kept until then
  }

  #firstHop({ grant }: Account, { url: text, method: name, headers, body }: FetchRequest): Hop {
    const method = name.toUpperCase();
    if (!METHODS.includes(method))
      throw new FetchFailed(`method: received ${received(name)}; allowed: ${METHODS.join(', ')}`);
    if (text.length > FETCH_LIMITS.urlChars || !URL.canParse(text)) {
      throw new FetchFailed(`url: received ${received(text)}; allowed: an absolute URL of http or https`);
    }
    if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw new FetchFailed(`${method} takes no body`);
    if (body !== undefined && body.byteLength > FETCH_LIMITS.requestBodyBytes) {
      throw new FetchFailed(`the body has ${body.byteLength} bytes; ${FETCH_LIMITS.requestBodyBytes} are allowed`);
    }
    const all = requestHeaders(headers, grant, this.#options.userAgent);
    return { url: new URL(text), method, headers: all, ...(body !== undefined && { body }) };
  }

  async #follow(account: Account, request: FetchRequest, first: Hop, signal: AbortSignal): Promise<FetchResponse> {
    const { redirect = 'follow' } = request;
    let hop = first;
    for (let redirects = 0; ; redirects++) {
      const reply = await this.#once(account, hop, redirect !== 'manual', signal);
      if (redirect === 'manual' || !isRedirect(reply)) return responseOf(hop, reply, redirects > 0);
      if (redirect === 'error')
        throw new FetchFailed(`${hop.url.host} redirects, and the task asked for that to be an error`);
      if (redirects === FETCH_LIMITS.redirects) throw new FetchFailed(`more than ${redirects} redirects`);
      hop = redirected(hop, reply);
    }
  }

  async #once(account: Account, hop: Hop, follows: boolean, signal: AbortSignal): Promise<Reply> {
    assertGranted(hop.url, account.origins);
    try {
      const addresses = await this.#reach.addresses(hop.url, account.lookups, signal);
      const reply = await exchange(hop, addresses, (head) => !(follows && isRedirect(head)), signal);
      const body = await decoded(reply);
      signal.throwIfAborted();
      return { ...reply, body };
    } catch (error) {
      throw signal.aborted ? signal.reason : failure(hop.url.host, error);
    }
  }
}

/** A manifest that was stored otherwise than by us may hold anything; what is no origin allows nothing. */
function sound(origin: string): string[] {
  try {
    return [parseOrigin(origin)];
  } catch {
    return [];
  }
}

function assertGranted(url: URL, origins: ReadonlySet<string>): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchDenied(`${received(url.protocol)} is not a scheme to fetch from; allowed: http: and https:`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new FetchDenied(`a URL with credentials is not allowed, here for ${received(url.host)}; send a header`);
  }
  if (!origins.has(url.origin)) {
    throw new FetchDenied(`${received(url.origin)} is not in the task's capabilities.fetch`);
  }
}

function responseOf({ url }: Hop, { status, statusText, headers, body }: Reply, redirected: boolean): FetchResponse {
  const shown = new URL(url);
  shown.hash = '';
  return { url: shown.href, redirected, status, statusText, headers: responseHeaders(headers), body };
}

const closed = () => new CronkeeperError('unavailable', 'no requests are made any more: the program is closing');

/** Tasks over HTTP: the same interface as on the registry itself, the same results, the same errors. */
import * as z from 'zod';
import { etagOf } from './api/conditions.ts';
import * as schemas from './api/schemas.ts';
import type { AuditEntry, AuditOptions } from './audit.ts';
import { parseDocuments } from './bulk.ts';
import { createTransport, type HttpAnswer, type HttpRequest, type Transport } from './client/transport.ts';
import { type Clock, systemClock } from './clock.ts';
import { assertTaskId } from './document.ts';
import { isCronkeeperError } from './errors.ts';
import type { BusEvent, Emitted, EventDocument } from './event.ts';
import type { Status } from './status.ts';
import type { TaskDocument } from './task.ts';
import type { Page, PutOptions, PutResult, Tasks } from './tasks.ts';

/** Requests under way when many tasks are put. */
const PUTS_IN_FLIGHT_MAX = 8;

const TIMEOUT_MS = 30_000;

export interface HttpClientOptions {
  /** Where the API is, such as `https://example.com` or `http://127.0.0.1:8080`. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  /** For one request, ms. Default 30,000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

export interface HttpClient extends Tasks {
  audit(options?: AuditOptions): Promise<Page<AuditEntry>>;
  emit(event: BusEvent | EventDocument): Promise<Emitted>;
  status(): Promise<Status>;
}

/** @throws CronkeeperError `invalid` for an endpoint or a token that cannot be. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { endpoint, token, timeoutMs = TIMEOUT_MS, clock = systemClock } = options;
  const send = createTransport({ endpoint, token, timeoutMs, clock });
  const put = putThrough(send);
  return {
    put,
    putMany: (documents) => putEach(documents, put),
    get: async (id) => {
      const answer = await unlessMissing(send({ method: 'GET', path: taskPath(id) }, schemas.anyTask));
      return answer?.value;
    },
    list: async (options = {}) => {
      const { prefix, status, label, limit, cursor } = options;
      const query = { prefix, status, label, limit, cursor };
      return (await send({ method: 'GET', path: '/v1/tasks', query }, schemas.taskPage)).value;
    },
    remove: async (id, { ifMatch } = {}) => {
      const request: HttpRequest = {
        method: 'DELETE',
        path: taskPath(id),
        headers: conditions({ ...(ifMatch !== undefined && { ifMatch }) }),
      };
      return (await unlessMissing(send(request, z.undefined()))) !== undefined;
    },
    pause: async (id) => (await send({ method: 'POST', path: taskPath(id, 'pause') }, schemas.task)).value,
    resume: async (id) => (await send({ method: 'POST', path: taskPath(id, 'resume') }, schemas.task)).value,
    run: async (id, request = {}) =>
      (await send({ method: 'POST', path: taskPath(id, 'run'), body: request }, schemas.launchAsked)).value,
    runs: async (id, { limit, cursor } = {}) => {
      const query = { limit, cursor };
      return (await send({ method: 'GET', path: taskPath(id, 'runs'), query }, schemas.runPage)).value;
    },
    deadLetters: async ({ taskId, limit, cursor } = {}) => {
      const query = { taskId, limit, cursor };
      return (await send({ method: 'GET', path: '/v1/dead-letters', query }, schemas.deadLetterPage)).value;
    },
    undelivered: async ({ limit, cursor } = {}) => {
      const query = { limit, cursor };
      return (await send({ method: 'GET', path: '/v1/undelivered', query }, schemas.undeliveredPage)).value;
    },
    redrive: async (id, launchId) => {
      const body = launchId === undefined ? {} : { launchId };
      return (await send({ method: 'POST', path: taskPath(id, 'redrive'), body }, schemas.redrive)).value;
    },
    backfill: async (id, body) =>
      (await send({ method: 'POST', path: taskPath(id, 'backfill'), body }, schemas.backfillAsked)).value,
    audit: async ({ taskId, from, to, limit, cursor } = {}) => {
      const query = { taskId, from, to, limit, cursor };
      return (await send({ method: 'GET', path: '/v1/audit', query }, schemas.auditPage)).value;
    },
    emit: async (body) => (await send({ method: 'POST', path: '/v1/events', body }, schemas.emitted)).value,
    status: async () => (await send({ method: 'GET', path: '/v1/status' }, schemas.status)).value,
  };
}

type Put = (document: TaskDocument, options?: PutOptions) => Promise<PutResult>;

const putThrough =
  (send: Transport): Put =>
  async (document, options = {}) => {
    const path = taskPath(document.id);
    const { status, value } = await send(
      { method: 'PUT', path, headers: conditions(options), body: document },
      schemas.task,
    );
    return { ...value, created: status === 201 };
  };

/** Stores documents a few at a time; the first failure stops what has not begun. */
async function putEach(documents: readonly TaskDocument[], put: Put): Promise<PutResult[]> {
  await parseDocuments(documents);
  const results: PutResult[] = new Array(documents.length);
  const waiting = documents.entries();
  let hasFailed = false;
  const work = async () => {
    for (const [i, document] of waiting) {
      if (hasFailed) return;
      try {
        results[i] = await put(document);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: PUTS_IN_FLIGHT_MAX }, work));
  return results;
}

/** @throws CronkeeperError `invalid`: an id that is none never becomes a part of a path. */
function taskPath(id: string, action?: string): string {
  assertTaskId(id);
  return `/v1/tasks/${encodeURIComponent(id)}${action === undefined ? '' : `/${action}`}`;
}

const conditions = ({ ifMatch, ifNoneMatch }: PutOptions): Readonly<Record<string, string>> => ({
  ...(ifMatch !== undefined && { 'if-match': etagOf(ifMatch) }),
  ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
});

/** The answer; undefined when there is no such task. */
async function unlessMissing<Value>(asked: Promise<HttpAnswer<Value>>): Promise<HttpAnswer<Value> | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isCronkeeperError(error, 'not-found')) return undefined;
    throw error;
  }
}

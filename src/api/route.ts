/** What a route is: one entry of a table that the app, the guard and the OpenAPI page are all made from. */
import type * as z from 'zod';
import type { AuditEntry, AuditOptions } from '../audit.ts';
import type { Clock } from '../clock.ts';
import type { BusEvent, Emitted, EventDocument } from '../event.ts';
import type { Status } from '../status.ts';
import type { Page, Tasks } from '../tasks.ts';
import type { Access } from './access.ts';
import { checked, queryOf } from './body.ts';

/** A Cronkeeper, or the part of one that the API speaks for. */
export interface Keeper {
  /** The tasks, in the name of whoever sends a request. */
  as(principal: string): Tasks;
  audit(options?: AuditOptions): Promise<Page<AuditEntry>>;
  emit(event: BusEvent | EventDocument): Promise<Emitted>;
  status(): Promise<Status>;
}

/** What every route may use. */
export interface Means {
  readonly keeper: Keeper;
  readonly tasks: Tasks;
  readonly clock: Clock;
}

export interface Call<Query> extends Means {
  readonly request: Request;
  /** From the path; empty for a route that names no task. */
  readonly id: string;
  readonly query: Query;
}

export interface AnswerDescription {
  readonly description: string;
  /** Absent: the answer has no body. */
  readonly schema?: z.ZodType;
  /** Default JSON. */
  readonly contentType?: string;
  /** Names of headers, with what they hold. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Description<Query> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** As OpenAPI writes it: `/v1/tasks/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly access: Access;
  readonly query: z.ZodObject & z.ZodType<Query>;
  /** Request headers that it reads, with what they do. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly schema: z.ZodType; readonly required: boolean; readonly contentTypes: readonly string[] };
  /** By status. Those of errors are added where the page is made. */
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Statuses of problems that this route adds to those that every route has. */
  readonly problems?: readonly number[];
}

export interface Route extends Description<unknown> {
  answer(means: Means, request: Request, id: string): Promise<Response>;
}

/** Ties a route's handler to the schema of its query. */
export function route<Query>(description: Description<Query>, handle: (call: Call<Query>) => Promise<Response>): Route {
  return {
    ...description,
    answer: async (means, request, id) =>
      handle({ ...means, request, id, query: checked('request', description.query, queryOf(request.url)) }),
  };
}

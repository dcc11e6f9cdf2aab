/**
 * An HTTP request as AWS brings it: from an HTTP API (payload 2.0, or 1.0), a function URL, a REST API, or a load
 * balancer. What is in it, hono's adapter reads.
 */
import type { LambdaEvent } from 'hono/aws-lambda';
import { describeEvent, isObject, refused } from '../trigger.ts';

/** Of a stage that is not in the path. */
const DEFAULT_STAGE = '$default';

/** @throws CronkeeperError `invalid`, naming what was received. */
export function assertHttpEvent(event: unknown): asserts event is LambdaEvent {
  if (isObject(event) && isObject(event.requestContext)) {
    const { http } = event.requestContext;
    if (typeof event.rawPath === 'string' && isObject(http) && typeof http.method === 'string') return;
    if (typeof event.path === 'string' && typeof event.httpMethod === 'string') return;
  }
  throw refused(
    'event',
    describeEvent(event),
    'a request of an HTTP API, a REST API, a function URL or a load balancer',
  );
}

/** An HTTP API puts the name of a stage before the path, unless it is the default one; a REST API does not. */
export function withoutStage(event: LambdaEvent): LambdaEvent {
  if (!('rawPath' in event)) return event;
  const { stage } = event.requestContext as { readonly stage?: unknown };
  if (typeof stage !== 'string' || stage === DEFAULT_STAGE) return event;
  const prefix = `/${stage}`;
  if (event.rawPath !== prefix && !event.rawPath.startsWith(`${prefix}/`)) return event;
  return { ...event, rawPath: event.rawPath.slice(prefix.length) || '/' };
}

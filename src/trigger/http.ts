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
  if (isHttpEvent(event)) return;
  throw refused(
    'event',
    describeEvent(event),
    'a request of an HTTP API, a REST API, a function URL or a load balancer',
  );
}

export function isHttpEvent(event: unknown): event is LambdaEvent {
  if (!isObject(event) || !isObject(event.requestContext)) return false;
  const { http } = event.requestContext;
  if (typeof event.rawPath === 'string') return isObject(http) && typeof http.method === 'string';
  return typeof event.path === 'string' && typeof event.httpMethod === 'string';
}

/** The request as the API knows it: without the name of a stage before its path, and without a body that means nothing. */
export function straightened(event: LambdaEvent): LambdaEvent {
  const method = 'httpMethod' in event ? event.httpMethod : 'rawPath' in event ? event.requestContext.http.method : '';
  // A web request of these methods cannot have one.
  const bodiless = method === 'GET' || method === 'HEAD' ? { ...event, body: null } : event;
  return withoutStage(bodiless as LambdaEvent);
}

/** An HTTP API puts the name of a stage before the path, unless it is the default one; a REST API does not. */
function withoutStage(event: LambdaEvent): LambdaEvent {
  if (!('rawPath' in event)) return event;
  const { stage } = event.requestContext as { readonly stage?: unknown };
  const prefix = `/${String(stage)}`;
  if (stage === DEFAULT_STAGE || !`${event.rawPath}/`.startsWith(`${prefix}/`)) return event;
  return { ...event, rawPath: event.rawPath.slice(prefix.length) || '/' };
}

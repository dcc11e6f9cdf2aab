/** An HTTP request as API Gateway (HTTP API, payload 2.0) and function URLs bring it. */
import type { LambdaEvent } from 'hono/aws-lambda';
import { CronkeeperError } from '../errors.ts';
import { describeEvent, isObject } from '../trigger.ts';

type HttpEvent = Extract<LambdaEvent, { readonly rawPath: string }>;

/** @throws CronkeeperError `invalid`, naming what was received. */
export function assertHttpEvent(event: unknown): asserts event is HttpEvent {
  const isHttp =
    isObject(event) && 'rawPath' in event && isObject(event.requestContext) && isObject(event.requestContext.http);
  if (isHttp) return;
  const allowed = 'a request of an HTTP API with payload format 2.0, or of a function URL';
  throw new CronkeeperError('invalid', `event: received ${describeEvent(event)}; allowed: ${allowed}`);
}

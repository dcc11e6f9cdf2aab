/**
 * A segment of AWS X-Ray for every invocation, by Powertools' tracer. Its SDK is heavy: this file is loaded when the first
 * invocation is traced, and never where none is.
 */
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import type { MiddlewareObj } from '@middy/core';
import { SERVICE } from './lines.ts';

/** Answers may hold code and tokens, and requests of tasks are theirs: neither is told. */
export const createTracing = (): MiddlewareObj<unknown, unknown> =>
  captureLambdaHandler(new Tracer({ serviceName: SERVICE, captureHTTPsRequests: false }), { captureResponse: false });

/**
 * The log of a function, by Powertools' logger: its levels, Lambda's own settings of them, and what it knows of an
 * invocation; in lines that are written as the rest of the program writes its own.
 */
import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import type { LogAttributes, UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import type { MiddlewareObj } from '@middy/core';
import type { Clock } from '../clock.ts';
import { type Log, lineOf } from '../log.ts';

export const SERVICE = 'cronkeeper';

export interface Lines {
  readonly log: Log;
  /** Tells the log of the invocation under way, and lets it forget it afterwards. */
  readonly middleware: MiddlewareObj<unknown, unknown>;
  /** Puts what the event is known as elsewhere in every line of the invocation. */
  correlate(id: string): void;
}

/** @param write receives one line with its line feed. */
export function createLines(write: (line: string) => void, clock: Pick<Clock, 'now'>): Lines {
  class LineLogger extends Logger {
    protected override printLog(_level: number, item: LogItem): void {
      // As they are: Powertools would leave out what is empty, and an empty output says something.
      const attributes = item.getAttributes();
      const { timestamp, level, message, function_request_id } = attributes;
      write(
        lineOf(JSON.stringify(attributes, this.getJsonReplacer()), { timestamp, level, message, function_request_id }),
      );
    }
  }
  const logger = new LineLogger({ serviceName: SERVICE, logFormatter: new Format(clock) });
  return {
    log: (level, message, fields = {}) => logger[level](message, fields),
    // Events and answers hold tokens and code: they are never logged, whatever the environment says.
    middleware: injectLambdaContext(logger, { logEvent: false, resetKeys: true }),
    correlate: (id) => logger.setCorrelationId(id),
  };
}

/** What Powertools calls these fields, so that its queries and dashboards find them. */
class Format extends LogFormatter {
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    super();
    this.#clock = clock;
  }

  override formatAttributes(attributes: UnformattedAttributes, more: LogAttributes): LogItem {
    const { logLevel, message, serviceName, lambdaContext, xRayTraceId } = attributes;
    const head = {
      timestamp: new Date(this.#clock.now()).toISOString(),
      level: logLevel,
      message,
      service: serviceName,
      ...(lambdaContext?.coldStart === true && { cold_start: true }),
      function_name: lambdaContext?.functionName,
      function_request_id: lambdaContext?.awsRequestId,
      xray_trace_id: xRayTraceId,
    };
    return new LogItem({ attributes: head }).addAttributes(more);
  }
}

/** A scheduled trigger on this machine: hands the tick handler what EventBridge Scheduler and Lambda would. */
import type { Context as LambdaContext, ScheduledEvent } from 'aws-lambda';
import { type Clock, type EpochMs, uniqueToken } from '../clock.ts';
import { formatInstant } from '../instant.ts';
import type { TickHandler } from '../lambda.ts';
import type { TickReport } from '../report.ts';

/** The longest that a Lambda function may run. */
const FUNCTION_TIMEOUT_MS = 15 * 60_000;

const NAME = 'cronkeeper-local-tick';
const ARN = `arn:aws:lambda:eu-central-1:123456789012:function:${NAME}`;

/** Each call is an invocation of its own. */
export function localTrigger(handler: TickHandler, clock: Clock): () => Promise<TickReport> {
  return () => {
    const id = uniqueToken();
    return handler(scheduledEvent(id, clock.now()), lambdaContext(id, clock));
  };
}

/** As the Amazon EventBridge user guide shows it, "Scheduled events". Times are in whole seconds there. */
function scheduledEvent(id: string, nowMs: EpochMs): ScheduledEvent {
  return {
    version: '0',
    id,
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: '123456789012',
    time: formatInstant(nowMs).replace(/\.\d+Z$/, 'Z'),
    region: 'eu-central-1',
    resources: [`arn:aws:scheduler:eu-central-1:123456789012:schedule/default/${NAME}`],
    detail: {},
  };
}

function lambdaContext(awsRequestId: string, clock: Clock): LambdaContext {
  const endMs = clock.elapsed() + FUNCTION_TIMEOUT_MS;
  const unused = () => {};
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn: ARN,
    memoryLimitInMB: '512',
    awsRequestId,
    logGroupName: `/aws/lambda/${NAME}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, endMs - clock.elapsed()),
    ...{ done: unused, fail: unused, succeed: unused },
  };
}

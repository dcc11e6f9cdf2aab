/**
 * A runtime client by the plain protocol ("Building a custom runtime for AWS Lambda", "Using the Lambda runtime API"):
 * what aws-lambda-ric does, for machines on which that cannot be built. Imports the handler, asks for the next event,
 * answers with its result or its error, and so on until it is killed.
 */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const { AWS_LAMBDA_RUNTIME_API, _HANDLER, LAMBDA_TASK_ROOT } = process.env;
const { AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION, AWS_LAMBDA_FUNCTION_MEMORY_SIZE } = process.env;
const base = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Waits for as long as there is no event. */
const ask = (method, path, body, headers = {}) =>
  new Promise((resolve, reject) => {
    const asked = request(`${base}/${path}`, { method, agent, headers }, (answer) =>
      text(answer).then((content) => resolve({ headers: answer.headers, content }), reject),
    );
    asked.once('error', reject);
    asked.end(body);
  });

const post = (path, body, errorType) =>
  ask(
    'POST',
    path,
    JSON.stringify(body) ?? 'null',
    errorType === undefined ? {} : { 'lambda-runtime-function-error-type': errorType },
  );

const described = (error) => ({
  errorType: error?.name ?? typeof error,
  errorMessage: error?.message ?? String(error),
  trace: String(error?.stack ?? '').split('\n'),
});

async function load() {
  const [path, name] = _HANDLER.split('.');
  const module = await import(pathToFileURL(`${LAMBDA_TASK_ROOT}/${path}.js`).href);
  return module[name];
}

function contextOf(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

const handler = await load().catch(async (error) => {
  await post('init/error', described(error), 'Runtime.ExtensionInitError');
  process.exit(1);
});
for (;;) {
  const next = await ask('GET', 'invocation/next');
  const context = contextOf(next.headers);
  process.env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'] ?? '';
  const path = `invocation/${context.awsRequestId}`;
  try {
    await post(`${path}/response`, await handler(JSON.parse(next.content), context));
  } catch (error) {
    await post(`${path}/error`, described(error), error?.name);
  }
}

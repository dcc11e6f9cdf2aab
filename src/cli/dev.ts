/** `cronkeeper dev`, which is `npm start`: everything that runs in the cloud, on this machine. */
import { fileURLToPath } from 'node:url';
import { createApi } from '../api.ts';
import { type Cronkeeper, openCronkeeper } from '../app.ts';
import type { Clock, Random } from '../clock.ts';
import { formatDuration } from '../duration.ts';
import { isCronkeeperError, received } from '../errors.ts';
import type { Capability } from '../evaluator.ts';
import { createTickHandler } from '../lambda.ts';
import { silent } from '../log.ts';
import { listenOn, type Served, serve } from '../serve.ts';
import { assertDirect, type Context, keeperOptions } from './connection.ts';
import { readDocuments } from './documents.ts';
import { showLaunches } from './launches.ts';
import { roughly } from './present.ts';
import { listenForStop } from './stop.ts';
import { keepTicking } from './ticking.ts';
import { localTrigger } from './trigger.ts';

export interface DevFlags {
  /** Default: the configuration's. */
  readonly port?: number;
  readonly host?: string;
  /** Between ticks, ms. */
  readonly every?: number;
  /** Whether to apply the examples. Default: if the namespace holds no task. */
  readonly examples?: boolean;
}

const EVERY_MS = 10_000;

const LOOPBACK = '127.0.0.1';

/** Ports that are tried after the one that was asked for. */
const PORTS_TRIED_MAX = 10;

const HEALTH_TIMEOUT_MS = 5_000;

/** In an installed package, they lie beside the bundle. */
const EXAMPLES = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../examples/' : './examples/', import.meta.url),
);

/** Runs until it is stopped. The same handler ticks here as in the cloud, and is given the same events. */
export async function dev(context: Context, flags: DevFlags, random: Random): Promise<void> {
  assertDirect(context, 'dev');
  const { output, config, clock } = context;
  const everyMs = flags.every ?? (config.lingerMs > 0 ? config.lingerMs : EVERY_MS);
  const local: Local = { url: undefined };
  const keeper = await openCronkeeper({ ...keeperOptions(context), capabilities: localCapabilities(local, clock) });
  try {
    using stop = listenForStop(clock, () => output.note('stopping: what runs may end'));
    const served = await listen(context, flags, keeper);
    local.url = served.url;
    try {
      await applyExamples(context, flags, keeper);
      output.note(banner(context, served.url, everyMs));
      const { signal } = stop;
      const onRun = showLaunches(output);
      const handler = createTickHandler({
        // Our signal in place of the function's: this function is not ended by a time-out, but by whoever stops us.
        keeper: {
          as: (principal) => keeper.as(principal),
          emit: (event) => keeper.emit(event),
          tick: (options = {}) => keeper.tick({ ...options, signal, onRun }),
          release: () => keeper.release(),
        },
        lingerMs: everyMs,
        invoke: async () => undefined, // there is no other function here: what waits is for the next tick
        log: silent,
      });
      await keepTicking({
        tick: localTrigger(handler, clock),
        ...{ clock, random, signal },
        onIdle: () => output.note('another process ticks this namespace; waiting for it to end'),
        onFailure: (message, retryMs) => output.note(`a tick failed: ${message}; the next one in ${roughly(retryMs)}`),
      });
    } finally {
      await served.close();
    }
  } finally {
    await keeper.close();
  }
  output.note('stopped');
}

/** Where the API listens, once it does. */
interface Local {
  url: string | undefined;
}

/** What the stack grants to its tasks: a look at its own health page, for the monitor among the examples. */
function localCapabilities(local: Local, clock: Clock): Record<string, Capability> {
  return {
    'http-status': async (path: unknown) => {
      if (path !== '/healthz') throw new Error(`received ${received(path)}; allowed: "/healthz"`);
      const gaveUp = new AbortController();
      const cancel = clock.after(HEALTH_TIMEOUT_MS, () => gaveUp.abort(), { background: true });
      try {
        const response = await fetch(new URL(path, local.url), { signal: gaveUp.signal });
        await response.body?.cancel();
        return response.status;
      } finally {
        cancel();
      }
    },
  };
}

/** On the port that was asked for or, if that is taken, on one of the next. */
async function listen({ config, output }: Context, flags: DevFlags, keeper: Cronkeeper): Promise<Served> {
  const { apiToken, readToken, auth } = config;
  const { hostname, message } = listenOn({ auth, apiToken, hostname: flags.host ?? LOOPBACK });
  const app = createApi({ keeper, apiToken, readToken, allowAnonymous: apiToken === undefined });
  const wanted = flags.port ?? config.port;
  for (let port = wanted; ; port++) {
    try {
      const served = await serve({ app, hostname, port });
      output.note(message);
      return served;
    } catch (error) {
      const isLast = wanted === 0 || port === wanted + PORTS_TRIED_MAX || port === 65_535;
      if (!isCronkeeperError(error, 'unavailable') || isLast) throw error;
      output.note(`port ${port} is taken; trying ${port + 1}`);
    }
  }
}

async function applyExamples({ output }: Context, { examples }: DevFlags, { tasks }: Cronkeeper): Promise<void> {
  if (!(examples ?? (await tasks.list({ limit: 1 })).items.length === 0)) return;
  const documents = await readDocuments([EXAMPLES], process.stdin);
  await tasks.putMany(documents.map(({ document }) => document));
  output.note(`applied the examples: ${documents.map(({ document }) => document.id).join(', ')}`);
}

function banner(context: Context, url: string, everyMs: number): string {
  const { url: coordinator, namespace } = keeperOptions(context);
  const authorization =
    context.config.apiToken === undefined ? '' : ' -H "authorization: Bearer $CRONKEEPER_API_TOKEN"';
  const document = `{"id":"hello","schedule":{"every":"10s"},"code":"({ output: 'hello' })"}`.replaceAll("'", '`');
  return `
  Console and API  ${url}
  Tasks            ${coordinator}, namespace ${namespace}
  Ticks            every ${formatDuration(everyMs)}, each until the next

  Add a task:
    curl -X PUT ${url}/v1/tasks/hello${authorization} -H 'content-type: application/json' \\
      -d '${document}'

  Stop with Ctrl-C.
`;
}

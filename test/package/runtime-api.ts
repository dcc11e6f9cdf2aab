/**
 * Lambda on loopback, for one execution environment: its Runtime API ("Using the Lambda runtime API", AWS Lambda
 * Developer Guide), and around it what Lambda does to the process: frozen as soon as it asks for the next event, thawed
 * when there is one, killed when an invocation takes longer than the function may.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../../tools/imports.ts';

/** Where `npm run ric` puts AWS's own runtime client; without it, ours speaks the same protocol. */
const RIC = join(projectRoot, '.cronkeeper/ric/node_modules/aws-lambda-ric/index.mjs');
const CLIENT = existsSync(RIC) ? RIC : fileURLToPath(new URL('./runtime-client.mjs', import.meta.url));
/** Which of the two it is, for the names of tests. */
export const CLIENT_NAME = existsSync(RIC) ? 'aws-lambda-ric' : 'the plain runtime protocol';

export interface EnvironmentOptions {
  /** The function's name, which is its zip's and its bundle's. */
  readonly name: string;
  /** Where the zip was unpacked. */
  readonly taskRoot: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the function is told that it has, and what it has. Default 30 s. */
  readonly timeoutMs?: number;
  /** When it is killed, where that is not at its time-out. */
  readonly killAfterMs?: number;
}

export type Answer =
  | { readonly status: 'ok'; readonly payload: unknown }
  | { readonly status: 'error'; readonly payload: { readonly errorType: string; readonly errorMessage: string } }
  /** It was killed at its time-out. */
  | { readonly status: 'timed-out' }
  /** It ended by itself. */
  | { readonly status: 'gone' };

interface Invocation {
  readonly id: string;
  readonly event: string;
  readonly resolve: (answer: Answer) => void;
}

const PATH = /^\/2018-06-01\/runtime\/(?:invocation\/(?:next|([\w-]+)\/(response|error))|init\/error)$/;

export class LambdaEnvironment implements AsyncDisposable {
  readonly #options: EnvironmentOptions;
  readonly #server: Server;
  readonly #queue: Invocation[] = [];
  readonly #lines: string[] = [];
  #child: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #waiting: ServerResponse | undefined;
  #current: (Invocation & { readonly timer: NodeJS.Timeout }) | undefined;
  #isFrozen = false;
  /** Why it could not be started. */
  #initError: unknown;

  private constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(options: EnvironmentOptions): Promise<LambdaEnvironment> {
    const environment = new LambdaEnvironment(options);
    environment.#server.listen(0, '127.0.0.1');
    await once(environment.#server, 'listening');
    environment.#spawn();
    return environment;
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** What it has written to its log: an object per line. */
  get log(): readonly Record<string, unknown>[] {
    return this.#lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
  }

  get initError(): unknown {
    return this.#initError;
  }

  /** One after the other, as Lambda does. */
  invoke(event: unknown): Promise<Answer> {
    return this.send(JSON.stringify(event) ?? '');
  }

  /** @param event as it goes over the wire; it need not be JSON. */
  send(event: string): Promise<Answer> {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve({ status: 'gone' });
    return new Promise((resolve) => {
      this.#queue.push({ id: randomUUID(), event, resolve });
      this.#pump();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#gone;
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #spawn(): void {
    const { name, taskRoot, env } = this.#options;
    const { port } = this.#server.address() as AddressInfo;
    this.#child = spawn(process.execPath, [CLIENT], {
      cwd: taskRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/bin:/bin',
        LANG: 'en_US.UTF-8',
        TZ: ':UTC',
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        _HANDLER: `build/${name}.handler`,
        LAMBDA_TASK_ROOT: taskRoot,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/28/[$LATEST]0123456789abcdef',
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_REGION: 'eu-west-1',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        ...env,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      let rest = '';
      stream?.on('data', (chunk) => {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        this.#lines.push(...lines);
      });
    }
    this.#gone = once(this.#child, 'close').then(() => {
      this.#end({ status: 'gone' });
      for (const { resolve } of this.#queue.splice(0)) resolve({ status: 'gone' });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const match = PATH.exec(request.url ?? '');
    const body = await text(request);
    if (match === null) {
      response.writeHead(404).end();
      return;
    }
    if (request.url?.endsWith('/next')) {
      this.#waiting = response;
      this.#pump();
      return;
    }
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    const payload: unknown = body === '' ? undefined : JSON.parse(body);
    if (match[1] === undefined) this.#initError = payload;
    else if (match[1] === this.#current?.id) {
      this.#end({ status: match[2] === 'error' ? 'error' : 'ok', payload } as Answer);
    }
  }

  #pump(): void {
    if (this.#waiting === undefined || this.#current !== undefined) return;
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#freeze();
      return;
    }
    const { timeoutMs = 30_000, killAfterMs = timeoutMs, name } = this.#options;
    const response = this.#waiting;
    this.#waiting = undefined;
    this.#thaw();
    this.#current = { ...next, timer: setTimeout(() => this.#kill(), killAfterMs) };
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': next.id,
      'lambda-runtime-deadline-ms': `${Date.now() + timeoutMs}`,
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:eu-west-1:123456789012:function:${name}`,
      'lambda-runtime-trace-id': 'Root=1-692a0000-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
    });
    response.end(next.event);
  }

  #end(answer: Answer): void {
    const current = this.#current;
    if (current === undefined) return;
    clearTimeout(current.timer);
    this.#current = undefined;
    current.resolve(answer);
  }

  /** As Lambda does at the time-out: no signal that could be heard. */
  #kill(): void {
    this.#end({ status: 'timed-out' });
    this.#child?.kill('SIGKILL');
  }

  #freeze(): void {
    this.#isFrozen = true;
    this.#child?.kill('SIGSTOP');
  }

  #thaw(): void {
    if (this.#isFrozen) this.#child?.kill('SIGCONT');
    this.#isFrozen = false;
  }
}

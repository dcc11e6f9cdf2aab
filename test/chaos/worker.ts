/**
 * A worker process: it invokes the built handler as a scheduler would, and says on stdout what came of it, one JSON
 * object a line. `worker.ts <bundle> <settings as JSON>`; what it is told comes as JSON lines on stdin. Never ends by an
 * error.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/errors.ts';
import type { TickHandler } from '../../src/lambda/tick.ts';
import type { Said, Told, WorkerSettings } from './protocol.ts';

/** A look at the event loop so often; a gap longer than this is a stall. */
const BEAT_MS = 200;
const STALL_MS = 600;

const [bundle = '', json = '{}'] = process.argv.slice(2);
const settings = JSON.parse(json) as WorkerSettings;
const say = (said: Said): void => {
  process.stdout.write(`${JSON.stringify({ chaos: said })}\n`);
};

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => say({ kind: 'escaped', error: messageOf(error) }));
}

// Which worker a mark at the listener comes from is known by its connection.
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  socket.once('connect', () => {
    if (socket.remotePort === settings.listenerPort) say({ kind: 'dialled', port: socket.localPort ?? 0 });
  });
});

const { handler } = (await import(bundle)) as { handler: TickHandler };
let invocations = 0;
let heldUntilMs = 0;
let isStopping = false;

async function invoke(): Promise<void> {
  const invocation = ++invocations;
  const startedMs = Date.now();
  const deadline = performance.now() + settings.functionTimeoutMs;
  const context = {
    awsRequestId: `${process.pid}-${invocation}`,
    functionName: 'tick',
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
  };
  const outcome = await handler({ lingerMs: settings.lingerMs }, context as Parameters<TickHandler>[1]).then(
    () => ({}),
    (error: unknown) => ({ error: messageOf(error) }),
  );
  say({ kind: 'invoked', startedMs, endedMs: Date.now(), ...outcome });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const told = JSON.parse(line) as Told;
    if (told.kind === 'trigger') void invoke();
    else if (told.kind === 'hold') heldUntilMs = Date.now() + told.forMs;
    else isStopping = true;
  })
  .on('close', () => process.exit());

let beatMs = Date.now();
setInterval(() => {
  const nowMs = Date.now();
  if (nowMs - beatMs > STALL_MS) say({ kind: 'stalled', fromMs: beatMs, untilMs: nowMs });
  beatMs = nowMs;
}, BEAT_MS);

say({ kind: 'ready' });
/** By a grid of its own, whatever holds it up. */
const firstMs = Date.now() + settings.phaseMs;
for (let next = 0; !isStopping; ) {
  const nowMs = Date.now();
  if (nowMs < firstMs + next * settings.periodMs) {
    await delay(BEAT_MS);
  } else if (nowMs < heldUntilMs) {
    await delay(heldUntilMs - nowMs);
  } else {
    next = Math.floor((nowMs - firstMs) / settings.periodMs) + 1;
    await invoke();
  }
}
say({ kind: 'stopped' });
process.exit();

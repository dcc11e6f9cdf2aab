/** SIGINT and SIGTERM: the first asks for an orderly end, a later one ends the process at once. */
import { constants } from 'node:os';
import type { Clock } from '../clock.ts';

/**
 * A Ctrl-C reaches a process under `npm start` twice, from the terminal and from npm: what comes so soon after the
 * first is its echo.
 */
const ECHO_MS = 500;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface Stop extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
}

/** Listens until it is disposed of. `onStop` is told of the first signal. */
export function listenForStop(clock: Clock, onStop: () => void): Stop {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (firstMs === undefined) {
      firstMs = clock.elapsed();
      onStop();
      controller.abort();
    } else if (clock.elapsed() - firstMs > ECHO_MS) {
      process.exit(128 + constants.signals[name]);
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

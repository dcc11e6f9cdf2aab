/** Sees to it that nothing is left of us, however we end: by an error, by Ctrl-C, by SIGKILL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A shell that outlives us by the time it takes to kill our processes and delete our temporary data: its standard input
 * ends with us.
 */
export class Guardian {
  readonly #shell: ChildProcess;

  /** `temporaryDir` is deleted in the end. */
  constructor(temporaryDir?: string) {
    const script = `
      pids=
      while read -r verb pid; do
        case $verb in
          watch) pids="$pids $pid" ;;
          forget) kept=; for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done; pids=$kept ;;
        esac
      done
      [ -z "$pids" ] || { kill -9 $pids; sleep 1; }
      [ -z "$1" ] || rm -rf "$1"`;
    const args = ['-c', script, 'guardian', ...(temporaryDir === undefined ? [] : [temporaryDir])];
    this.#shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  }

  watch(pid: number): void {
    this.#shell.stdin?.write(`watch ${pid}\n`);
  }

  /** It has ended: another process may get its number. */
  forget(pid: number): void {
    this.#shell.stdin?.write(`forget ${pid}\n`);
  }

  /** Resolves when all that it watched is gone. */
  async end(): Promise<void> {
    this.#shell.stdin?.end();
    if (this.#shell.exitCode === null && this.#shell.signalCode === null) await once(this.#shell, 'exit');
  }
}

/** Node without a test framework around it, in a thread of its own: what task code expects is what it finds there. */
import { Worker } from 'node:worker_threads';

const LISTENER = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', async ([source, input]) => {
    try {
      parentPort.postMessage({ json: JSON.stringify(await (0, eval)('"use strict"; ' + source)(input)) ?? 'null' });
    } catch (error) {
      parentPort.postMessage({ error: String(error) });
    }
  });`;

export class PlainNode {
  readonly #worker = new Worker(LISTENER, { eval: true, execArgv: [], env: {} });

  /** What a function makes of a JSON value. One call at a time. */
  call(source: string, input: unknown = null): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', ({ json, error }: { json?: string; error?: string }) => {
        if (json === undefined) reject(new Error(`${source}: ${error}`));
        else resolve(JSON.parse(json));
      });
      this.#worker.postMessage([source, input]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

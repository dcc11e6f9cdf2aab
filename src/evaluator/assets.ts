/**
 * Where the evaluator's files are: its worker, the engine, and what runs inside before a task does. From source they
 * lie where they are written; in a bundle the build puts copies beside it, under the names below.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const fromSource = import.meta.url.endsWith('.ts');

const beside = (name: string): URL => new URL(name, import.meta.url);

export const workerUrl: URL = beside(fromSource ? './worker.ts' : './evaluator-worker.js');
export const engineUrl: URL = fromSource
  ? pathToFileURL(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'))
  : beside('./quickjs.wasm');

/** Source of what runs inside before a task does. */
export const readGuest = (): Promise<string> => readFile(beside('./guest.js'), 'utf8');

/** What a run must never show: planted where a host keeps such things, and looked for in whatever comes out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VARIABLE = 'HOSTILE_CANARY_VARIABLE';

/** Texts by which code of the host gives itself away. */
const TRACES: readonly RegExp[] = [
  /\bnode:[a-z][\w/]*/g,
  /\bfile:\/\/[^\s"']*/g,
  /\bnode_modules\b[^\s"']*/g,
  /[\w./-]+\.(?:ts|mts|mjs|cjs|wasm)\b/g,
  /\b(?:wasm-function|quickjs\.wasm|worker_threads)\b/g,
];

export class Secrets {
  /** In the environment of the process. */
  readonly variable = secret('variable');
  /** In a file. */
  readonly file = secret('file');
  readonly path: string;
  /** In a closure of a capability, and in the properties of the errors that it throws. */
  readonly token = secret('token');
  /** In the state of another task, which waits in the same worker. */
  readonly state = secret('state');
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'cronkeeper-hostile-'));
    this.path = join(this.#folder, 'canary.txt');
    writeFileSync(this.path, this.file);
    process.env[VARIABLE] = this.variable;
  }

  /** What of the host is in `text`, but was not in `source`: what a task wrote itself is no secret. */
  leaksIn(text: string, source: string): string[] {
    const planted = [this.variable, this.file, this.token, this.state, this.#folder, ROOT, VARIABLE];
    const traces = TRACES.flatMap((trace) => text.match(trace) ?? []);
    return [...planted.filter((known) => text.includes(known)), ...traces.filter((found) => !source.includes(found))];
  }

  dispose(): void {
    delete process.env[VARIABLE];
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const secret = (what: string): string => `planted-${what}-${Math.random().toString(36).slice(2)}`;

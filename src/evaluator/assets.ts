/**
 * Where the evaluator's files are: its worker, the engine, and what runs inside before a task does. From source they
 * lie where they are written; in a bundle the build puts copies beside it, under the names below.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import type { Guest } from './host.ts';

const fromSource = import.meta.url.endsWith('.ts');

const beside = (name: string): URL => new URL(name, import.meta.url);

export const workerUrl: URL = beside(fromSource ? './worker.ts' : './evaluator-worker.js');
/** Beside a bundle: the engine in Brotli, 42 KB less of every zip for 5 ms of a thread that has nothing else to do. */
export const ENGINE_FILE = 'quickjs.wasm.br';

const engineUrl: URL = fromSource
  ? pathToFileURL(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'))
  : beside(`./${ENGINE_FILE}`);

/** The engine as it is distributed. */
export async function readEngine(): Promise<Buffer> {
  const bytes = await readFile(engineUrl);
  return fromSource ? bytes : promisify(brotliDecompress)(bytes);
}

/** Beside a bundle: what {@link readGuest} gives, as JSON. */
export const GUEST_FILE = 'guest.json';

/** Files of guest/ that make up its core, in the order in which they run: each may use what those before it give. */
const CORE = [
  ...['intrinsics', 'platform', 'chapters', 'services', 'show', 'outcome'],
  ...['calls', 'timers', 'random', 'console', 'globals', 'run'],
];
/** Files of guest/chapters. */
const CHAPTERS = [
  ...['inspect', 'crypto', 'text', 'search-params', 'url', 'headers', 'abort', 'fetch', 'clone', 'dates'],
];

/** What runs inside before a task does. In a bundle, the build has read it. */
export const readGuest = async (): Promise<Guest> =>
  fromSource ? assembleGuest() : (JSON.parse(await readFile(beside(`./${GUEST_FILE}`), 'utf8')) as Guest);

/**
 * Every file of the core is a function of what there is so far, and gives what it adds. They are scripts and not modules,
 * as the core is one script: it needs no loader then.
 */
async function assembleGuest(): Promise<Guest> {
  const part = (name: string): Promise<string> => readFile(beside(`./guest/${name}.js`), 'utf8');
  const steps = await Promise.all(
    CORE.map(async (name) => `// ${name}.js\npart = ${await part(name)}Object.assign(guest, part(guest));\n`),
  );
  const chapters = await Promise.all(CHAPTERS.map(async (name) => [name, await part(`chapters/${name}`)]));
  return {
    core: `(host) => {\nconst guest = { host };\nguest.guest = guest;\nlet part;\n${steps.join('\n')}return guest.entries;\n};\n`,
    chapters: Object.fromEntries(chapters),
  };
}

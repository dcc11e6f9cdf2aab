/** Bundles programs as packages hold them, with the sandbox's worker and engine beside them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { ENGINE_FILE, GUEST_FILE, readEngine, readGuest } from '../src/evaluator/assets.ts';
import { projectRoot } from './imports.ts';

const source = (path: string): string => join(projectRoot, path);

/**
 * undici brings its parser twice, as text; every processor that Node 24 runs on Lambda has SIMD, and in Brotli the text is a
 * third. It also brings HTTP/2, with which Node loads 25 ms of its own: we offer servers HTTP/1.1 alone, see `dial.ts`.
 */
const leanUndici: Plugin = {
  name: 'lean-undici',
  setup: ({ onLoad }) => {
    onLoad({ filter: /undici\/lib\/llhttp\/llhttp-wasm\.js$/ }, ({ path }) => {
      const parser: Buffer = createRequire(path)('./llhttp_simd-wasm.js');
      const text = inBrotli(parser).toString('base64');
      return {
        contents: `module.exports = require('node:zlib').brotliDecompressSync(Buffer.from('${text}', 'base64'));`,
      };
    });
    onLoad({ filter: /undici\/lib\/llhttp\/llhttp_simd-wasm\.js$/ }, () => ({
      contents: "module.exports = require('./llhttp-wasm.js');",
    }));
    onLoad({ filter: /undici\/lib\/dispatcher\/client-h2\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('HTTP/2 is not spoken here'); };",
    }));
  },
};

/**
 * Of two libraries in one file each, node-zookeeper-client calls three functions: of these a copy is bundled, and of the
 * others none, which would be made at every start (8 ms).
 */
const LEAN: Readonly<Record<string, string>> = {
  underscore: ['clone', 'defaults', 'shuffle']
    .map((name) => `export { default as ${name} } from 'underscore/modules/${name}.js';`)
    .join('\n'),
  async: ['whilst', 'eachSeries', 'reduce'].map((name) => `exports.${name} = require('async/${name}');`).join('\n'),
};

const lean: Plugin = {
  name: 'lean',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^(?:underscore|async)$/ }, ({ path, importer }) =>
      importer.includes('/node-zookeeper-client/') ? { path, namespace: 'lean' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'lean' }, ({ path }) => ({ contents: LEAN[path] ?? '', resolveDir: projectRoot }));
  },
};

const WORKER = { 'evaluator-worker': 'src/evaluator/worker.ts' };

type How = Pick<BuildOptions, 'minify' | 'splitting' | 'sourcemap' | 'chunkNames'>;

/**
 * Programs in one package.
 * @param programs the path of each in the project, by the name of its bundle.
 * @param how default: as small as can be, and every program by itself.
 */
export async function bundle(
  programs: Readonly<Record<string, string>>,
  outdir: string,
  how: How = {},
): Promise<Metafile> {
  const made = await compile({ ...programs, ...WORKER }, outdir, how);
  await putBeside(outdir);
  return made;
}

/**
 * Functions that are packaged one by one: what each of them loads late is in files of its own, `<name>-….js`, and is not
 * even parsed by an invocation that does not need it.
 */
export async function bundleFunctions(names: readonly string[], outdir: string): Promise<Metafile['outputs']> {
  const all: Metafile[] = [await compile(WORKER, outdir, {})];
  for (const name of names) {
    const how = { splitting: true, chunkNames: `${name}-[name]-[hash]` };
    all.push(await compile({ [name]: `handlers/${name}.ts` }, outdir, how));
  }
  await putBeside(outdir);
  await writeFile(join(outdir, 'package.json'), '{"type":"module"}\n');
  return Object.assign({}, ...all.map(({ outputs }) => outputs));
}

async function compile(programs: Readonly<Record<string, string>>, outdir: string, how: How): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(Object.entries(programs).map(([name, path]) => [name, source(path)])),
    outdir,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    metafile: true,
    sourcemap: 'external',
    legalComments: 'none',
    ...how,
    plugins: [leanUndici, lean],
    // node-zookeeper-client is CommonJS: its `require` of Node's own modules needs one in an ES module.
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  });
  return metafile;
}

/** What the programs read beside them. */
async function putBeside(outdir: string): Promise<void> {
  await mkdir(outdir, { recursive: true });
  await writeFile(join(outdir, GUEST_FILE), JSON.stringify(await readGuest()));
  await writeFile(join(outdir, ENGINE_FILE), inBrotli(await readEngine()));
}

/** As small as it gets, and the same bytes every time. */
const inBrotli = (bytes: Buffer): Buffer =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

/** Bundles programs as the package holds them: one file each, with the sandbox's worker and engine beside them. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { GUEST_FILE, readGuest } from '../src/evaluator/assets.ts';
import { projectRoot } from './imports.ts';

const source = (path: string): string => join(projectRoot, path);

/** undici brings its parser twice; every processor that Node 24 runs on Lambda has SIMD. */
const oneParser: Plugin = {
  name: 'one-parser',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/llhttp-wasm\.js$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace('llhttp-wasm', 'llhttp_simd-wasm')),
    }));
  },
};

/**
 * @param programs the path of each in the project, by the name of its bundle.
 * @param how default: as small as can be, and every program by itself.
 */
export async function bundle(
  programs: Readonly<Record<string, string>>,
  outdir: string,
  how: Pick<BuildOptions, 'minify' | 'splitting' | 'sourcemap'> = {},
): Promise<Metafile> {
  await mkdir(outdir, { recursive: true });
  const all = { ...programs, 'evaluator-worker': 'src/evaluator/worker.ts' };
  const { metafile } = await build({
    entryPoints: Object.fromEntries(Object.entries(all).map(([name, path]) => [name, source(path)])),
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
    plugins: [oneParser],
    // node-zookeeper-client is CommonJS: its `require` of Node's own modules needs one in an ES module.
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  });
  await writeFile(join(outdir, GUEST_FILE), JSON.stringify(await readGuest()));
  await copyFile(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'), join(outdir, 'quickjs.wasm'));
  return metafile;
}

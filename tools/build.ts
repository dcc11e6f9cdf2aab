/** `npm run build`: bundles the Lambda handlers into build/, with the sandbox's worker and engine beside them. */
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './imports.ts';

const outdir = join(projectRoot, 'build');
const source = (path: string) => join(projectRoot, path);

await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const { metafile } = await build({
  entryPoints: {
    tick: source('handlers/tick.ts'),
    api: source('handlers/api.ts'),
    'evaluator-worker': source('src/evaluator/worker.ts'),
  },
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
  // node-zookeeper-client is CommonJS: its `require` of Node's own modules needs one in an ES module.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
await copyFile(source('src/evaluator/guest.js'), join(outdir, 'guest.js'));
await copyFile(source('src/api/console.html'), join(outdir, 'console.html'));
await copyFile(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'), join(outdir, 'quickjs.wasm'));
await writeFile(join(outdir, 'package.json'), '{"type":"module"}\n');
for (const [path, { bytes }] of Object.entries(metafile.outputs)) {
  if (!path.endsWith('.map')) console.log(`${String(bytes).padStart(9)}  ${path}`);
}

/** `npm run build [directory]`: bundles the Lambda handlers into build/, with what they read beside them. */
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundle } from './bundle.ts';
import { projectRoot } from './imports.ts';

const outdir = resolve(process.argv[2] ?? join(projectRoot, 'build'));

await rm(outdir, { recursive: true, force: true });
const functions = ['tick', 'api', 'queue', 'topic', 'events'];
const { outputs } = await bundle(Object.fromEntries(functions.map((name) => [name, `handlers/${name}.ts`])), outdir);
await copyFile(join(projectRoot, 'src/api/console.html'), join(outdir, 'console.html'));
await writeFile(join(outdir, 'package.json'), '{"type":"module"}\n');
for (const [path, { bytes }] of Object.entries(outputs)) {
  if (!path.endsWith('.map')) console.log(`${String(bytes).padStart(9)}  ${path}`);
}

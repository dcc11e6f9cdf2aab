/** `npm run build [directory]`: bundles the Lambda handlers into build/, with what they read beside them. */
import { copyFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundleFunctions } from './bundle.ts';
import { projectRoot } from './imports.ts';

const outdir = resolve(process.argv[2] ?? join(projectRoot, 'build'));

await rm(outdir, { recursive: true, force: true });
const outputs = await bundleFunctions(['tick', 'api', 'queue', 'topic', 'events'], outdir);
await copyFile(join(projectRoot, 'src/api/console.html'), join(outdir, 'console.html'));
for (const [path, { bytes }] of Object.entries(outputs)) {
  if (!path.endsWith('.map')) console.log(`${String(bytes).padStart(9)}  ${path}`);
}

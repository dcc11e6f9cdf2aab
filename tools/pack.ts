/**
 * `npm run pack [directory]`: makes the package that others install, and packs it. Node strips no types below
 * node_modules, so it holds JavaScript and declarations; what it needs to run is bundled, so that nothing is fetched with it.
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundle } from './bundle.ts';
import { projectRoot } from './imports.ts';

const source = (path: string): string => join(projectRoot, path);

/** What declarations refer to. Whoever writes JavaScript needs none of it. */
const TYPES = ['@middy/core', '@types/aws-lambda', 'hono', 'undici', 'zod'];

const outdir = resolve(process.argv[2] ?? source('dist'));
await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const programs = { index: 'src/index.ts', sandbox: 'src/sandbox.ts', cli: 'src/cli.ts' };
// Legible, for traces. What the programs share they share here too: an error is of the same class from each of them.
await bundle(programs, outdir, { minify: false, splitting: true, sourcemap: false });
await emitDeclarations(join(outdir, 'types'));
await cp(source('src/api/console.html'), join(outdir, 'console.html'));
for (const name of ['examples', 'README.md', 'CHANGELOG.md', 'LICENSE']) {
  await cp(source(name), join(outdir, name), { recursive: true });
}
await writeFile(join(outdir, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`);
const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: outdir, encoding: 'utf8' });
console.log(join(outdir, packed.trim()));

async function manifest(): Promise<object> {
  const own = JSON.parse(await readFile(source('package.json'), 'utf8'));
  const { name, version, description, license, type, engines, private: isPrivate, dependencies, devDependencies } = own;
  const face = (module: string) => ({ types: `./types/${module}.d.ts`, default: `./${module}.js` });
  return {
    ...{ name, version, description, license, type, engines, private: isPrivate },
    exports: { '.': face('index'), './sandbox': face('sandbox') },
    bin: { cronkeeper: './cli.js' },
    peerDependencies: Object.fromEntries(TYPES.map((type) => [type, dependencies[type] ?? devDependencies[type]])),
    peerDependenciesMeta: Object.fromEntries(TYPES.map((type) => [type, { optional: true }])),
  };
}

/** Beside JavaScript, and so named like it: a declaration that imports TypeScript would have nobody find it. */
async function emitDeclarations(directory: string): Promise<void> {
  const args = [source('node_modules/.bin/tsc'), '-p', source('tsconfig.types.json'), '--outDir', directory];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
  for (const name of await readdir(directory, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const text = await readFile(join(directory, name), 'utf8');
    await writeFile(join(directory, name), text.replaceAll(/(from |import\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2'));
  }
}

/**
 * `node tools/bundle-cli.ts <directory>`: the command as an installed package has it, with what it reads beside it. It
 * starts in half the time that the source takes, whose types are stripped anew each time.
 */
import { copyFile, cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundle } from './bundle.ts';
import { projectRoot } from './imports.ts';

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error('where to? node tools/bundle-cli.ts <directory>');
const outdir = resolve(given);
await bundle({ cli: 'src/cli.ts' }, outdir, { minify: false, sourcemap: false });
await copyFile(join(projectRoot, 'src/api/console.html'), join(outdir, 'console.html'));
await cp(join(projectRoot, 'examples'), join(outdir, 'examples'), { recursive: true });

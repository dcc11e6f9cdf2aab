/** The programs that are timed in processes of their own: as source, and bundled as the package is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../tools/bundle.ts';
import { projectRoot } from '../../tools/imports.ts';

/** Each says in its file what it does; `handler` is the tick's, and does nothing by itself. */
const PROGRAMS = {
  nothing: 'bench/evaluator/programs/nothing.ts',
  'node-vm': 'bench/evaluator/programs/node-vm.ts',
  evaluator: 'bench/evaluator/programs/evaluator.ts',
  tick: 'bench/evaluator/programs/tick.ts',
  memory: 'bench/evaluator/programs/memory.ts',
  handler: 'handlers/tick.ts',
} as const;

/** The path of a program that Node can run. */
export type Programs = (name: keyof typeof PROGRAMS) => string;

export const sourcePrograms: Programs = (name) => join(projectRoot, PROGRAMS[name]);

/** A folder of its own, with bundles made from the source as it is now. */
export class Bundles implements AsyncDisposable {
  readonly directory: string;
  readonly programs: Programs = (name) => join(this.directory, `${name}.js`);

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<Bundles> {
    const directory = await mkdtemp(join(tmpdir(), 'cronkeeper-bench-'));
    await bundle(PROGRAMS, directory);
    await writeFile(join(directory, 'package.json'), '{"type":"module"}\n');
    return new Bundles(directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

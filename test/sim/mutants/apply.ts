/**
 * Plants a bug: `CRONKEEPER_SIM_MUTANT=<name> node --import ./test/sim/mutants/apply.ts …`. The source of the engine is
 * changed as it is loaded; nothing is written. A place that is not found exactly once stops the program: the engine has
 * changed, and the mutant must follow it.
 */
import { registerHooks } from 'node:module';
import { MUTANTS, type Mutant } from './list.ts';

const name = process.env.CRONKEEPER_SIM_MUTANT;
const mutant = MUTANTS.find((each) => each.name === name);
if (mutant === undefined) {
  throw new Error(`CRONKEEPER_SIM_MUTANT: received ${name}; allowed: ${MUTANTS.map((each) => each.name).join(', ')}`);
}

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const file = Object.keys(mutant.edits).find((path) => url.endsWith(`/${path}`));
    return file === undefined ? loaded : { ...loaded, source: mutated(mutant, file, String(loaded.source)) };
  },
});

function mutated({ name, edits }: Mutant, file: string, source: string): string {
  return (edits[file] ?? []).reduce((text, [find, replace]) => {
    const parts = text.split(find);
    if (parts.length !== 2) throw new Error(`mutant ${name}: found ${parts.length - 1} times in ${file}: ${find}`);
    return parts.join(replace);
  }, source);
}

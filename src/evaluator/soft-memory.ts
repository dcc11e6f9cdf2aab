/**
 * Gives the engine a *soft end of memory* that the host can set back.
 *
 * WebAssembly memory only grows, and QuickJS' allocator asks `memory.size` where the memory ends. So once a run has
 * made it grow, restoring the pristine bytes is not enough: the allocator of the next run would find a larger memory
 * than its data says, grow it again, and again, until it is full. Building a new instance instead costs milliseconds.
 *
 * This patch puts a number of ours between the allocator and the memory. The allocator's three `memory.size` read the
 * global `pages`, and its two `memory.grow` call a new function, which moves `pages` and grows the real memory only
 * when that is too small. Setting `pages` back makes the memory small again, and costs nothing.
 *
 * Two things come with it. The global `limit` is where a run's memory ends: a cap for each run, below the module's
 * own maximum, which stays as the last wall. The global `refused` remembers that a run has hit its limit, a fact that
 * task code can neither forge nor hide. On the first refusal the limit moves by {@link HEADROOM_PAGES}, so that the
 * engine finds room for the error object that says so (else it throws a bare null).
 *
 * The patch was written for one build of one engine. It refuses any module in which it does not find exactly the
 * five sites it knows, and a test holds the engine to its checksum.
 */
import {
  append,
  ByteReader,
  countOf,
  readSections,
  SECTION,
  type Section,
  sleb,
  uleb,
  withLength,
  writeSections,
} from './wasm-sections.ts';

export const PAGE_BYTES = 64 * 1024;

/** Memory that opens when a run has been refused more for the first time. */
const HEADROOM_PAGES = 2;

/** Names under which the patched module exports its new globals. */
const SOFT_MEMORY_EXPORTS = ['pages', 'limit', 'refused'] as const;

const I32 = 0x7f;
const MUTABLE = 1;
const FUNCTION_TYPE = 0x60;
const EXPORT_GLOBAL = 3;
const GLOBAL_GET = 0x23;
const CALL = 0x10;

/** `memory.size; i32.const 16; i32.shl`: how the allocator computes the end of memory. */
const SIZE_SITE = Buffer.from([0x3f, 0x00, 0x41, 0x10, 0x74]);
const SIZE_SITES = 3;

/** `memory.grow; local.tee`: how it asks for more and looks at the answer. */
const GROW_SITE = Buffer.from([0x40, 0x00, 0x22]);
const GROW_SITES = 2;

class UnknownEngine extends Error {
  override readonly name = 'UnknownEngine';

  constructor(what: string) {
    super(`not the engine that the soft end of memory was written for: ${what}`);
  }
}

/** `wasm` with a soft end of memory, its real memory capped at `maxPages` pages of 64 KiB. */
export function softMemory(wasm: Buffer, maxPages: number): Buffer {
  const sections = readSections(wasm);
  const section = (id: number): Section => {
    const found = sections.find((candidate) => candidate.id === id);
    if (found === undefined) throw new UnknownEngine(`no section ${id}`);
    return found;
  };

  // The stack pointer must be the only global: whatever else a run can change lies in memory, and is restored with it.
  const globals = countOf(section(SECTION.global));
  if (globals !== 1) throw new UnknownEngine(`${globals} globals instead of 1`);
  const [pages, limit, refused] = [globals, globals + 1, globals + 2];
  const softGrow = importedFunctions(section(SECTION.import)) + countOf(section(SECTION.function));
  const minPages = memoryMinimum(section(SECTION.memory));

  const patched = new Map<number, Section>(
    [
      append(section(SECTION.function), uleb(typeOfGrow(section(SECTION.type)))),
      { id: SECTION.memory, body: Buffer.concat([Buffer.from([1, 1]), uleb(minPages), uleb(maxPages)]) },
      append(section(SECTION.global), mutableGlobal(minPages), mutableGlobal(maxPages), mutableGlobal(0)),
      append(section(SECTION.export), ...SOFT_MEMORY_EXPORTS.map((name, index) => globalExport(name, globals + index))),
      append(redirect(section(SECTION.code), pages, softGrow), withLength(softGrowBody(pages, limit, refused))),
    ].map((changed) => [changed.id, changed]),
  );
  return writeSections(sections.map((original) => patched.get(original.id) ?? original));
}

/** The code section with the allocator's five sites turned to the global and the function of ours. */
function redirect(code: Section, pages: number, softGrow: number): Section {
  const reader = new ByteReader(code.body);
  const count = reader.uint();
  const bodies: Buffer[] = [];
  let sizes = 0;
  let grows = 0;
  while (!reader.done) {
    let body = reader.vector();
    for (let at = body.indexOf(SIZE_SITE); at >= 0; at = body.indexOf(SIZE_SITE, at + 1)) {
      body = splice(body, at, 2, Buffer.from([GLOBAL_GET, pages]));
      sizes++;
    }
    const call = Buffer.concat([Buffer.from([CALL]), uleb(softGrow)]);
    for (let at = body.indexOf(GROW_SITE); at >= 0; at = body.indexOf(GROW_SITE, at + call.length)) {
      body = splice(body, at, 2, call);
      grows++;
    }
    bodies.push(withLength(body));
  }
  if (sizes !== SIZE_SITES || grows !== GROW_SITES) {
    throw new UnknownEngine(`${sizes} × memory.size and ${grows} × memory.grow`);
  }
  return { id: code.id, body: Buffer.concat([uleb(count), ...bodies]) };
}

const splice = (bytes: Buffer, at: number, length: number, replacement: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), replacement, bytes.subarray(at + length)]);

/** `(delta) => old end in pages, or -1`, with one local for the new end: what `memory.grow` does, on our numbers. */
function softGrowBody(pages: number, limit: number, refused: number): Buffer {
  const [delta, end] = [0, 1];
  // biome-ignore format: one instruction group per line reads like the text format
  return Buffer.from([
    1, 1, I32,
    0x23, pages, 0x20, delta, 0x6a, 0x21, end,               // end = pages + delta
    0x20, end, 0x23, limit, 0x4b, 0x04, 0x40,                // if end > limit:
      0x23, refused, 0x45, 0x04, 0x40,                       //   if not refused before:
        0x41, 1, 0x24, refused,                              //     refused = 1
        0x23, limit, 0x41, HEADROOM_PAGES, 0x6a, 0x24, limit, //    limit += headroom
      0x0b,
      0x41, 0x7f, 0x0f,                                      //   return -1
    0x0b,
    0x20, end, 0x3f, 0, 0x4b, 0x04, 0x40,                    // if end > memory.size:
      0x20, end, 0x3f, 0, 0x6b, 0x40, 0,                     //   memory.grow(end - memory.size)
      0x41, 0x7f, 0x46, 0x04, 0x40,                          //   if that failed:
        0x41, 1, 0x24, refused, 0x41, 0x7f, 0x0f,            //     refused = 1; return -1
      0x0b,
    0x0b,
    0x23, pages, 0x20, end, 0x24, pages,                     // old = pages; pages = end
    0x0b,                                                    // return old
  ]);
}

function importedFunctions(imports: Section): number {
  const reader = new ByteReader(imports.body);
  const count = reader.uint();
  for (let i = 0; i < count; i++) {
    reader.vector();
    const name = reader.vector();
    if (reader.byte() !== 0) throw new UnknownEngine(`the import ${name.toString()} is not a function`);
    reader.uint();
  }
  return count;
}

/** The index of the type `(i32) -> i32`. */
function typeOfGrow(types: Section): number {
  const reader = new ByteReader(types.body);
  const count = reader.uint();
  const oneI32 = Buffer.from([I32]);
  for (let index = 0; index < count; index++) {
    if (reader.byte() !== FUNCTION_TYPE) throw new UnknownEngine(`type ${index} is not a function`);
    const [parameters, results] = [reader.vector(), reader.vector()];
    if (parameters.equals(oneI32) && results.equals(oneI32)) return index;
  }
  throw new UnknownEngine('no function from i32 to i32');
}

function memoryMinimum(memory: Section): number {
  const reader = new ByteReader(memory.body);
  if (reader.uint() !== 1) throw new UnknownEngine('not exactly one memory');
  reader.uint();
  return reader.uint();
}

const mutableGlobal = (value: number): Buffer =>
  Buffer.concat([Buffer.from([I32, MUTABLE, 0x41]), sleb(value), Buffer.from([0x0b])]);

const globalExport = (name: string, index: number): Buffer =>
  Buffer.concat([withLength(Buffer.from(name)), Buffer.from([EXPORT_GLOBAL]), uleb(index)]);

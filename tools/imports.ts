/** Reads which source file imports which: for the architecture test, and for `npm run shape`. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..');

export interface SourceFile {
  /** From the project's root, such as `src/tick.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Project files that it imports, types included. */
  readonly imports: readonly string[];
  /** Packages and Node's own modules that it imports. */
  readonly packages: readonly string[];
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;

export function readSources(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|js|cjs|mjs)$/.test(entry.name))
      .map((entry) => readSource(relative(projectRoot, join(entry.parentPath, entry.name))))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(projectRoot, path), 'utf8');
  const specifiers = [...text.matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
  const own = specifiers.filter((specifier) => specifier.startsWith('.'));
  return {
    path,
    text,
    lines: text.split('\n').length - 1,
    imports: [...new Set(own.map((specifier) => join(dirname(path), specifier)))],
    packages: [...new Set(specifiers.filter((specifier) => !specifier.startsWith('.')))],
  };
}

/** Files by how far they are from files that import nothing; a circle is returned instead where there is one. */
export function rank(sources: readonly SourceFile[]): { ranks: Map<string, number>; circle?: readonly string[] } {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const ranks = new Map<string, number>();
  const path: string[] = [];
  let circle: readonly string[] | undefined;
  const visit = (name: string): number => {
    const known = ranks.get(name);
    if (known !== undefined) return known;
    if (path.includes(name)) {
      circle ??= [...path.slice(path.indexOf(name)), name];
      return 0;
    }
    path.push(name);
    const below = (byPath.get(name)?.imports ?? []).filter((each) => byPath.has(each)).map(visit);
    path.pop();
    const own = below.length === 0 ? 0 : Math.max(...below) + 1;
    ranks.set(name, own);
    return own;
  };
  for (const { path: name } of sources) visit(name);
  return circle === undefined ? { ranks } : { ranks, circle };
}

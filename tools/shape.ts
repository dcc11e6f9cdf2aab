/** `npm run shape`: how large each source file is, and what it imports, from the bottom up. */
import { rank, readSources } from './imports.ts';

const sources = readSources('src', 'handlers');
const { ranks, circle } = rank(sources);
const byRank = sources.toSorted(
  (a, b) => (ranks.get(a.path) ?? 0) - (ranks.get(b.path) ?? 0) || (a.path < b.path ? -1 : 1),
);
const short = (path: string) => path.replace(/^src\//, '').replace(/\.ts$/, '');

for (const { path, lines, imports } of byRank) {
  const level = String(ranks.get(path) ?? 0).padStart(2);
  console.log(`${level} ${String(lines).padStart(5)}  ${path.padEnd(42)} ${imports.map(short).join(' ')}`);
}
const total = sources.reduce((sum, { lines }) => sum + lines, 0);
const largest = Math.max(...sources.map(({ lines }) => lines));
console.log(
  `\n${sources.length} files, ${total} lines, the largest ${largest}; level: the longest way down its imports`,
);
console.log(circle === undefined ? 'no circular imports' : `CIRCULAR: ${circle.map(short).join(' → ')}`);
process.exitCode = circle === undefined ? 0 : 1;

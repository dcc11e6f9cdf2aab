/** The table of settings in the README, from the one in `src/config.ts`. `node tools/settings-table.ts` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../src/config.ts';
import { projectRoot } from './imports.ts';

const README = join(projectRoot, 'README.md');
const TABLE = /(<!-- settings -->\n)[\s\S]*?(\n<!-- \/settings -->)/;

export function settingsTable(): string {
  const rows = SETTINGS.map(({ name, what, unit, allowed, fallback }) => {
    const standard = fallback === undefined ? '' : `\`${fallback}\``;
    return `| \`${name}\` | ${what} | ${unit} | ${allowed} | ${standard} |`;
  });
  return ['| variable | what | unit | allowed | default |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The README with the table as it should be. */
export const withTable = (readme: string): string =>
  readme.replace(TABLE, (_, begin, end) => begin + settingsTable() + end);

if (import.meta.main) writeFileSync(README, withTable(readFileSync(README, 'utf8')));

/** What the pages for users say is what the code has: limits, classes and names, and the tests that show a promise. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { LIMITS, type Limits } from '../src/evaluator.ts';
import { RUN_ERROR_CLASSES } from '../src/launch.ts';
import { createEvaluator } from '../src/sandbox.ts';

const page = readFileSync(new URL('../docs/SANDBOX.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const number = (text = '') => Number(text.replaceAll(',', ''));
/** Names in backquotes. */
const namesIn = (text = '') => [...text.matchAll(/`([\w.]+)`/g)].map(([, name]) => name);

describe('docs/SANDBOX.md', () => {
  test.each(Object.keys(LIMITS) as (keyof Limits)[])('%s has the default and the bound that it says', (limit) => {
    const row = rows.find(([, first]) => first === `\`${limit}\``);
    expect([number(row?.[3]), number(row?.[4])]).toEqual([LIMITS[limit].std, LIMITS[limit].max]);
  });

  test('names every class of error, and no other', () => {
    const from = rows.findIndex(([, first]) => first === '`error.class`');
    const named = rows.slice(from + 2).flatMap(([, first]) => namesIn(first));
    expect(named.toSorted()).toEqual([...RUN_ERROR_CLASSES].toSorted());
  });

  test('names nothing that task code does not find', async () => {
    const [, paragraph = ''] = /Globals beyond the language: ([\s\S]*?)\n\n/.exec(page) ?? [];
    const globals = namesIn(paragraph);
    const functions = rows.flatMap(([, first]) => /^`(\w+)\([^`]*`$/.exec(first ?? '')?.[1] ?? []);
    expect([globals.length, functions.length]).toEqual([18, 5]);
    const evaluator = await createEvaluator();
    try {
      const code = `export default (ctx) => [
        ...${JSON.stringify(globals)}.map((name) => name.split('.').reduce((object, key) => object?.[key], globalThis)),
        ...${JSON.stringify(functions)}.map((name) => ctx[name]),
      ].map((value) => typeof value === 'function' || typeof value === 'object')`;
      const { value } = await evaluator.evaluate({ code });
      expect(value).toEqual([...globals, ...functions].map(() => true));
    } finally {
      await evaluator.close();
    }
  });
});

describe('docs/GUARANTEES.md', () => {
  const guarantees = readFileSync(new URL('../docs/GUARANTEES.md', import.meta.url), 'utf8');
  /** A file and the names of tests in it, to the end of its item. */
  const cited = [...guarantees.matchAll(/^- `(test\/[^`]+)`: ([\s\S]*?)(?=\n- |\n\n)/gm)].flatMap(
    ([, file = '', names = '']) => [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => [file, name] as const),
  );

  test('names tests for its promises', () => {
    expect(cited.length).toBeGreaterThan(15);
  });

  test.each(cited)('%s has a test "%s"', (file, name) => {
    expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toContain(name);
  });

  test('promises what the README promises', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const [, promises = ''] = /## What it promises\n\n([\s\S]*?)\n\n/.exec(readme) ?? [];
    expect(promises.split('\n')).toHaveLength(guarantees.match(/^## \d\. /gm)?.length ?? 0);
  });
});

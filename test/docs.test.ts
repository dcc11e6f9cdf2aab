/** What the pages for users say is what the code has: limits, classes and names, and the tests that show a promise. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { LIMITS, type Limits } from '../src/evaluator.ts';
import { EVENT_TASKS_MAX } from '../src/event-index.ts';
import { REMEMBERED_MAX } from '../src/event-memory.ts';
import { patternMatches, patternProblems } from '../src/event-pattern.ts';
import { EVENT_RULES_LIMITS } from '../src/event-rules.ts';
import { EVENTS_WAITING_MAX } from '../src/hear.ts';
import { RUN_ERROR_CLASSES } from '../src/launch.ts';
import { createEvaluator } from '../src/sandbox.ts';
import { parseTask } from '../src/task.ts';

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

describe('docs/EVENTS.md', () => {
  const events = readFileSync(new URL('../docs/EVENTS.md', import.meta.url), 'utf8');
  const codes = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, json = '']) => json);
  /** Of the table of operators. */
  const examples = events
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.trim()))
    .filter(([, pattern]) => pattern?.startsWith('`{'))
    .flatMap(([operator = '', pattern, matching, others]) => [
      ...codes(matching).map((event) => [operator, codes(pattern)[0] ?? '', event, true] as const),
      ...codes(others).map((event) => [operator, codes(pattern)[0] ?? '', event, false] as const),
    ]);

  test.each(examples)('%s: %s of %s is %s', (_, pattern, event, isMatch) => {
    expect(patternProblems(JSON.parse(pattern))).toEqual([]);
    expect(patternMatches(JSON.parse(pattern), JSON.parse(event))).toBe(isMatch);
  });

  test('has an example of every operator', () => {
    const known =
      patternProblems({ a: [{ no: 1 }] })[0]
        ?.message.split('operators ')[1]
        ?.split(', ') ?? [];
    expect(known.length).toBeGreaterThan(7);
    expect(known.filter((operator) => !examples.some(([, pattern]) => pattern.includes(`"${operator}":`)))).toEqual([]);
  });

  test('has task documents that can be put, and says their bounds', () => {
    const documents = [...events.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => parse(yaml));
    expect(documents.map((document) => parseTask(document).task.id)).toEqual(['invoice', 'stock', 'daily-report']);
    const bounds = [EVENT_RULES_LIMITS.rulesMax, EVENT_TASKS_MAX, EVENTS_WAITING_MAX, REMEMBERED_MAX];
    for (const bound of bounds)
      expect(events).toMatch(new RegExp(`\\b${bound.toLocaleString('en')} (?:rules|tasks|launches|events)`));
  });
});

describe('docs/DEPLOY.md', () => {
  const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
  const guide = text('docs/DEPLOY.md');
  const [, parameters = ''] = /^\| parameter \|[^\n]*\n([\s\S]*?)\n\n/m.exec(guide) ?? [];

  test('has every parameter of serverless.yml, and no other', () => {
    // The intrinsic functions of CloudFormation are tags that only the framework knows.
    const service = parse(text('serverless.yml'), { logLevel: 'error' }) as { params: { default: object } };
    const named = [...parameters.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(named).toEqual(Object.keys(service.params.default));
  });

  test('links to pages that are there, as every page does', () => {
    const pages = readdirSync(new URL('../docs', import.meta.url)).filter((name) => name.endsWith('.md'));
    const targets = pages.flatMap((page) =>
      [...text(`docs/${page}`).matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(
        ([, target = '']) => `docs/${target}`,
      ),
    );
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !existsSync(new URL(`../${target}`, import.meta.url)))).toEqual([]);
  });
});

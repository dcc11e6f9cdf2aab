/** The shape of the source: which way imports point, and which files are doors to time, chance and the environment. */
import { describe, expect, test } from '@jest/globals';
import { rank, readSources, type SourceFile } from '../tools/imports.ts';

/** From the bottom up: a file imports from its own layer and from those below. A folder belongs with its port. */
const LAYERS: readonly (readonly [string, readonly string[]])[] = [
  ['ground', ['clock', 'errors', 'remembered']],
  [
    'ports',
    [
      'coordinator',
      'evaluator',
      'outbound',
      'arn',
      'aws',
      'aws-environment',
      'launch',
      'url',
      'origin',
      'cidr',
      'skew',
      'timers',
      'wakes',
      'duration',
      'instant',
      'json',
      'shard',
    ],
  ],
  [
    'domain',
    [
      'layout',
      'schedule',
      'schedule/*',
      'program',
      'event-pattern',
      'event-pattern/*',
      'event-rules',
      'event-memory',
      'document',
      'destination',
      'destination-schema',
      'plain-document',
      'task',
      'event',
      'record-form',
      'soundness',
      'record-lines',
      'record',
      'record-text',
      'history',
      'plan',
      'settle',
      'end',
      'recording',
      'edit',
      'hear',
      'retention',
      'audit',
      'free-slot',
      'mail',
      'redrive',
      'backfill',
      'fan-out',
      'view',
      'verify',
    ],
  ],
  [
    'protocol',
    [
      'lease',
      'look',
      'upcoming',
      'new-pages',
      'due',
      'due-directories',
      'agenda',
      'journal',
      'store',
      'namespace',
      'coordinator-time',
      'probe',
      'doorbell',
      'outbox',
      'sack',
      'courier',
      'rounds',
      'item',
      'commit',
      'discard',
      'event-index',
      'edit-ops',
      'sweep',
      'audit-trail',
      'quota',
      'stored-code',
      'changes',
      'left-behind',
      'problems',
      'suspects',
      'start',
      'dispatch-options',
      'dispatch',
      'vacancies',
      'backlog',
      'share',
      'help',
      'pace',
      'ending',
      'report',
      'warm',
    ],
  ],
  [
    'engine',
    [
      ...['tasks', 'tick-options', 'bulk', 'listing', 'dead-letters', 'by-hand', 'hearings', 'emit', 'verification'],
      ...['undelivered', 'status'],
      ...['registry', 'replay', 'chain', 'delivery', 'shift', 'tick'],
    ],
  ],
  ['implementations', ['coordinator/*', 'evaluator/*', 'outbound/*', 'aws/*']],
  ['root', ['config', 'app-options', 'keeping', 'app', 'sandbox']],
  [
    'faces',
    [
      'trigger',
      'trigger/*',
      'api',
      'api/*',
      'serve',
      'client',
      'client/*',
      'lambda',
      'lambda/*',
      'log',
      'cli',
      'cli/*',
      'index',
      'handlers/*',
    ],
  ],
];

/** Decide, and do nothing else: no waiting, no clock, no session. The whole domain, and what is like it elsewhere. */
const PURE = [
  ...LAYERS.flatMap(([layer, patterns]) => (layer === 'domain' ? patterns : [])),
  ...['duration', 'instant', 'json', 'shard', 'skew', 'url', 'origin', 'cidr', 'arn', 'launch', 'report'],
  ...['trigger', 'trigger/*'],
];

/** Compose: the whole, and the sandbox by itself. */
const ROOTS = ['src/app.ts', 'src/sandbox.ts'];

const sources = readSources('src', 'handlers').filter(({ path }) => !path.endsWith('.d.ts'));

const nameOf = (path: string): string => path.replace(/^src\//, '').replace(/\.(ts|js)$/, '');
const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
const layerOf = (path: string): number =>
  LAYERS.findIndex(([, patterns]) => patterns.some((pattern) => matches(nameOf(path), pattern)));
const isPure = (path: string): boolean => PURE.some((pattern) => matches(nameOf(path), pattern));

/** The text without comments: they may speak of clocks. */
const codeOf = ({ text }: SourceFile): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

const linesWith = (pattern: RegExp, files: readonly SourceFile[]): string[] =>
  files.flatMap((file) =>
    codeOf(file)
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${file.path}: ${line.trim()}`),
  );

describe('the shape of the source', () => {
  test('every file has its place in a layer', () => {
    expect(sources.filter(({ path }) => layerOf(path) < 0).map(({ path }) => path)).toEqual([]);
  });

  test('imports point down, types included', () => {
    const upward = sources.flatMap(({ path, imports }) =>
      imports.filter((target) => layerOf(target) > layerOf(path)).map((target) => `${path} imports ${target}`),
    );
    expect(upward).toEqual([]);
  });

  test('no import leads back to where it came from', () => {
    expect(rank(sources).circle).toBeUndefined();
  });

  test('only the composition roots name implementations', () => {
    const named = sources.flatMap(({ path, imports }) =>
      imports
        .filter((target) => /^src\/(coordinator|evaluator|outbound|aws)\//.test(target))
        .filter((target) => !path.startsWith(target.split('/').slice(0, 2).join('/')) && !ROOTS.includes(path))
        .map((target) => `${path} imports ${target}`),
    );
    expect(named).toEqual([]);
  });

  test('time and chance come through clock.ts alone', () => {
    const ambient =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|\bset(?:Timeout|Interval|Immediate)\(/;
    const elsewhere = sources.filter(({ path }) => path !== 'src/clock.ts' && !path.startsWith('src/evaluator/guest/'));
    expect(linesWith(ambient, elsewhere)).toEqual([]);
  });

  test('the environment is read by config.ts alone', () => {
    expect(
      linesWith(
        /\bprocess\.env\b/,
        sources.filter(({ path }) => path !== 'src/config.ts'),
      ),
    ).toEqual([]);
  });

  test('what decides does not wait, and has no session', () => {
    const pure = sources.filter(({ path }) => isPure(path));
    expect(linesWith(/\bawait [a-z(]|\basync (?:function|\()|\bSession\b|\bClock\b/, pure)).toEqual([]);
  });

  test('nothing is untyped', () => {
    expect(linesWith(/:\s*any\b|\bas any\b|@ts-(?:ignore|expect-error|nocheck)/, sources)).toEqual([]);
  });

  test('a file that outgrows 350 lines has split', () => {
    expect(sources.filter(({ lines }) => lines > 350).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });
});

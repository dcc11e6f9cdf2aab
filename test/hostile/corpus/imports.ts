/** Ways to code that is not the task's own. */
import type { HostileCase } from '../case.ts';

const REFUSED_IMPORT = 'read a module that is not the task';

export const imports: readonly HostileCase[] = [
  {
    name: 'a module of Node, statically',
    forbids: REFUSED_IMPORT,
    source: `import { readFileSync } from 'node:fs'; export default () => readFileSync('/etc/passwd', 'utf8')`,
    ends: ['Syntax'],
  },
  {
    name: 'a module of QuickJS, statically',
    forbids: REFUSED_IMPORT,
    source: `import * as std from 'std'; import * as os from 'qjs:os'; export default () => std.getenviron()`,
    ends: ['Syntax'],
  },
  {
    name: 'a file beside it',
    forbids: REFUSED_IMPORT,
    source: `import guest from './guest.js'; export default () => String(guest)`,
    ends: ['Syntax'],
  },
  {
    name: 'a re-export of everything',
    forbids: REFUSED_IMPORT,
    source: `export * from 'node:child_process'; export { default } from 'node:fs'`,
    ends: ['Syntax'],
  },
  {
    name: 'an import with attributes',
    forbids: REFUSED_IMPORT,
    source: `import secrets from '../../package.json' with { type: 'json' }; export default () => secrets`,
    ends: ['Syntax'],
  },
  {
    name: 'an import of itself by its name',
    forbids: 'load anything twice, or hang in the circle',
    source: `import * as self from 'task.js'; export default () => Object.keys(self)`,
    ends: ['Syntax', 'succeeded'],
  },
  {
    name: 'an import under the name of the importer that the host uses for checks',
    forbids: 'meet a module of the host',
    source: `import * as check from 'check.js'; export default () => Object.keys(check)`,
    ends: ['Syntax'],
  },
  {
    name: 'import() of a module of Node',
    forbids: REFUSED_IMPORT,
    code: `return Object.keys(await import('node:fs'))`,
    ends: ['Thrown'],
  },
  {
    name: 'import() of every kind of address',
    forbids: REFUSED_IMPORT,
    code: `const addresses = ['fs', 'node:process', 'file:///etc/passwd', '/etc/passwd', '../../../../../etc/passwd', 'http://127.0.0.1/', 'https://example.com/x.js',
        'data:text/javascript,export default 1', 'data:application/json,1', 'blob:x', 'quickjs:std', 'qjs:std', 'std', 'os', 'bjson', './worker.ts', 'guest.js', 'check.js',
        'std.so', './x.wasm', '', ' ', '.', '\\0', 'a\\0b', 'task.js\\0', 'x'.repeat(5000), '\\ud800', '%2e%2e/', '__proto__', 'constructor'];
      const ends = await Promise.allSettled(addresses.map((address) => import(address)));
      // The task itself may be found under its own name.
      return ends.flatMap(({ value }) => Object.keys(value ?? {})).filter((key) => key !== 'default')`,
    ends: ['succeeded'],
    value: [],
  },
  {
    name: 'import() with attributes',
    forbids: REFUSED_IMPORT,
    code: `return import('/etc/passwd', { with: { type: 'text' } }).then(() => 'read', (error) => error.name)`,
    ends: ['succeeded', 'Syntax'],
    never: /"read"/,
  },
  {
    name: 'import() with options full of getters',
    forbids: 'have the host look into objects of the task',
    code: `const options = { get with() { return new Proxy({}, { ownKeys() { throw new Error('seen') } }) } };
      return import('x', options).then(() => 'read', (error) => error.name)`,
    ends: ['succeeded', 'Syntax'],
    never: /"read"/,
  },
  {
    name: 'import() of something with a toString',
    forbids: 'have the name change between two looks',
    code: `let n = 0; return import({ toString: () => (n++ === 0 ? 'task.js' : 'node:fs') }).then((m) => Object.keys(m).includes('readFileSync'), () => n)`,
    ends: ['succeeded'],
    never: /true/,
  },
  {
    name: 'import() from eval and Function',
    forbids: REFUSED_IMPORT,
    code: `const ways = [() => eval('import("node:fs")'), () => (0, eval)('import("node:fs")'), () => new Function('return import("node:fs")')(),
        async () => new (async () => {}).constructor('return import("node:fs")')()];
      const ends = await Promise.allSettled(ways.map(async (way) => way()));
      return ends.filter(({ status }) => status === 'fulfilled').length`,
    ends: ['succeeded'],
    value: 0,
  },
  {
    name: 'import() from a script',
    forbids: REFUSED_IMPORT,
    source: `import('node:fs').then((fs) => Object.keys(fs), (error) => error.name)`,
    ends: ['succeeded'],
    value: 'ReferenceError',
  },
  {
    name: 'a thousand imports',
    forbids: 'keep the host busy, or fill its memory, with names',
    code: `let failed = 0; for (let i = 0; i < 1000; i++) await import('x'.repeat(200) + i).catch(() => failed++); return failed`,
    ends: ['succeeded'],
    value: 1000,
  },
  {
    name: 'import.meta',
    forbids: 'know where it lies',
    code: `return [Reflect.ownKeys(import.meta).map(String), typeof import.meta.url, typeof import.meta.resolve, typeof import.meta.dirname, typeof import.meta.filename]`,
    ends: ['succeeded'],
    never: /file:|node_modules/,
  },
];

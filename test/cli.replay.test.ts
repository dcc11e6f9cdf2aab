/** `cronkeeper replay`, as a user or a script runs it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { cli, type Ended } from './support/cli.ts';

jest.setTimeout(120_000);

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cronkeeper-replay-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const run = (...args: string[]): Promise<Ended> => cli(args, { cwd });

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const BROKEN = 'export default (ctx) => { ctx.log("rolled", Math.random()); return ctx.input.text.length; }\n';

/** Launches the task twice: as it is, which fails, and with an input with which it succeeds. */
async function launchBoth(): Promise<readonly [failed: string, succeeded: string]> {
  await writeFile(join(cwd, 'code.js'), BROKEN);
  await writeFile(join(cwd, 'task.yaml'), 'id: t\nschedule: { every: 1h }\nretry: { attempts: 1 }\ncodeFile: code.js');
  await done('apply', 'task.yaml');
  const { launchId: failed } = JSON.parse(await done('run', 't', '--json'));
  await done('tick');
  const { launchId: succeeded } = JSON.parse(await done('run', 't', '--json', '--input', '{"text":"four"}'));
  await done('tick');
  return [failed, succeeded];
}

test('repeats the latest run, or the one that is named, and shows that it takes the same course', async () => {
  const [failed, succeeded] = await launchBoth();
  const latest = await done('replay', 't');
  expect(latest).toContain(`attempt 1 at launch ${succeeded}`);
  expect(latest).toMatch(/^recorded +✓ succeeded +4 · rolled 0\.\d+$/m);
  expect(latest).toMatch(/^replayed +✓ succeeded +4 · rolled 0\.\d+\nthe same course\n\| rolled 0\.\d+$/m);
  expect(await done('replay', 't', '--launch', failed)).toMatch(/^replayed +✗ failed +TypeError: /m);
  const replay = JSON.parse(await done('replay', 't', '--launch', succeeded, '--attempt', '1', '--json'));
  expect(replay).toMatchObject({ same: true, differences: [], outcome: { value: 4 }, recorded: { output: 4 } });
});

test('leaves out later runs that kept too little, and attempts that were not asked for', async () => {
  const code = `export default (ctx) => { if (ctx.attempt === 1) throw new Error('once'); return ctx.input; }`;
  await writeFile(
    join(cwd, 'task.yaml'),
    `id: t\nschedule: { every: 1h }\nretry: { backoff: 1ms }\ncode: ${JSON.stringify(code)}`,
  );
  await done('apply', 'task.yaml');
  const { launchId } = JSON.parse(await done('run', 't', '--json', '--input', '"short"'));
  await done('tick', '--linger', '500ms');
  await done('run', 't', '--input', JSON.stringify('long'.repeat(5_000)));
  await done('tick', '--linger', '500ms');
  expect(await done('replay', 't')).toContain(`attempt 2 at launch ${launchId}`);
  expect(await done('replay', 't', '--attempt', '1')).toContain(`attempt 1 at launch ${launchId}`);
  expect(await run('replay', 't', '--attempt', '3')).toMatchObject({ code: 1 });
});

test('tells whether a fix works, before it is applied', async () => {
  const [failed] = await launchBoth();
  await writeFile(join(cwd, 'fixed.js'), BROKEN.replace('input.text', 'input?.text?'));
  await writeFile(join(cwd, 'worse.js'), 'export default () => { throw new RangeError("worse"); }');
  const fixed = await done('replay', 't', '--launch', failed, '--code', 'fixed.js');
  expect(fixed).toMatch(/^recorded +✗ failed[\s\S]*^replayed +✓ succeeded/m);
  expect(fixed).toMatch(/^another course: status, error$/m);
  expect(await done('replay', 't', '--launch', failed, '--input', '{"text":""}')).toMatch(/^replayed +✓ succeeded +0/m);
  const worse = await run('replay', 't', '--launch', failed, '--code', 'worse.js');
  expect(worse).toMatchObject({ code: 1, stderr: '' });
  expect(worse.stdout).toMatch(/^replayed +✗ failed +RangeError: worse$/m);
});

test('says in a line why something cannot be replayed', async () => {
  const [failed] = await launchBoth();
  await done('apply', await withInput('{ text: new }'));
  const cases: [string[], number, RegExp][] = [
    [['t', '--launch', failed], 2, /input: needed: the task's input has changed with revision 2/],
    [['t', '--launch', 'other@5'], 2, /launchId: received "other@5"; allowed: /],
    [['t', '--launch', 't@5'], 1, /launch t@5 is not among the 2 runs that are kept/],
    [['none'], 1, /task none does not exist/],
    [['t', '--code', 'no.js'], 2, /no\.js: there is no such file/],
    [['t', '--attempt', '0'], 2, /allowed: a whole number from 1 /],
    [['t', '--endpoint', 'http://127.0.0.1:1'], 2, /replay works on the registry itself: give it --url/],
  ];
  for (const [args, code, about] of cases) {
    const ended = await run('replay', ...args);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(about);
  }
});

test('of a task that never ran is not there', async () => {
  await writeFile(join(cwd, 'task.yaml'), 'id: t\nschedule: { every: 1h }\ncode: "1"');
  await done('apply', 'task.yaml');
  expect(await run('replay', 't')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('none of its 0 recorded'),
  });
});

async function withInput(input: string): Promise<string> {
  await writeFile(join(cwd, 'changed.yaml'), `id: t\nschedule: { every: 1h }\ncodeFile: code.js\ninput: ${input}`);
  return 'changed.yaml';
}

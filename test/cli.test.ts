/** The `cronkeeper` command, as a user or a script runs it: a process, its two streams and its exit code. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { cli, type Ended, Running } from './support/cli.ts';

jest.setTimeout(120_000);

let cwd = '';
let running: Running[] = [];

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cronkeeper-cli-'));
});

afterEach(async () => {
  await Promise.all(running.map((process) => process.stop('SIGKILL')));
  running = [];
  await rm(cwd, { recursive: true });
});

const run = (...args: string[]): Promise<Ended> => cli(args, { cwd });

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const started = new Running(args, { cwd, env });
  running.push(started);
  return started;
}

async function file(name: string, text: string): Promise<string> {
  await mkdir(dirname(join(cwd, name)), { recursive: true });
  await writeFile(join(cwd, name), text);
  return name;
}

/** What a command says with `--json`, which must be JSON and nothing else. */
async function json(...args: string[]) {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** One message, without a stack trace; nothing on stdout. */
function expectComplaint({ stdout, stderr }: Ended, about: RegExp): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: /);
  expect(stderr).toMatch(about);
  expect(stderr).not.toMatch(/\n\s+at /);
}

const task = (id: string, rest = ''): string => `id: ${id}\nschedule: { every: 1h }\ncode: '({ output: 1 })'\n${rest}`;

describe('events', () => {
  test('launch the tasks that name them, from a file or standard input', async () => {
    await file('tasks.yaml', "id: hears\non: [{ source: shop }]\ncode: '({ output: 1 })'");
    expect((await run('apply', 'tasks.yaml')).stdout).toMatch(/hears .*\bevents\b/);
    const events = '[{"id":"e1","source":"shop","detail-type":"Shipped"},{"source":"other","detail-type":"Shipped"}]';
    const { code, stdout } = await cli(['emit', '-', '--json'], { cwd, stdin: events });
    const { items } = JSON.parse(stdout);
    expect([code, items.map(({ launches }: { launches: unknown[] }) => launches.length)]).toEqual([0, [1, 0]]);
    await file('event.yaml', 'id: e1\nsource: shop\ndetailType: Shipped');
    expect((await run('emit', 'event.yaml')).stdout).toBe(
      `event e1: launch ${items[0].launches[0].launchId} will run at the next tick\n`,
    );
    expect(await json('tick')).toMatchObject({ succeeded: 1, due: 1 });
    await file('wrong.json', '{"source":"shop"}');
    expectComplaint(await run('emit', 'wrong.json'), /detail-type: received nothing/);
  });
});

describe('tasks', () => {
  test('are stored, listed, shown, launched, paused, resumed and removed', async () => {
    await file('tasks.yaml', task('report', 'labels: { team: ops }\ninput: { n: 1 }'));
    expect((await json('apply', 'tasks.yaml')).items).toMatchObject([{ id: 'report', created: true, revision: 1 }]);
    expect((await json('apply', 'tasks.yaml')).items).toMatchObject([{ id: 'report', created: false, revision: 1 }]);
    expect((await json('list')).items).toMatchObject([{ id: 'report', status: 'active' }]);
    expect(await json('get', 'report')).toMatchObject({ id: 'report', code: '({ output: 1 })', lastRun: null });
    const { launchId } = await json('run', 'report', '--input', '{"n":2}', '--key', 'mine');
    expect(await json('run', 'report', '--key', 'mine')).toMatchObject({ launchId });
    expect(await json('tick')).toMatchObject({ shards: 8, due: 1, succeeded: 1 });
    expect((await json('runs', 'report')).items).toMatchObject([{ launchId, status: 'succeeded', output: 1 }]);
    expect(await json('redrive', 'report')).toEqual({ launches: [], left: 0 });
    expect((await run('dead', 'report')).stdout.trim()).toBe('no dead letters');
    expect(await json('pause', 'report')).toMatchObject({ status: 'paused', nextAt: null });
    expect(await json('resume', 'report')).toMatchObject({ status: 'active' });
    const range = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-01-01T05:00:00Z'];
    expect(await json('backfill', 'report', ...range, '--key', 'k')).toMatchObject({ count: expect.any(Number) });
    expect((await run('backfill', 'report', ...range, '--key', 'k')).stdout).toMatch(/slots from 2026-01-01T00:00/);
    expect(await json('remove', 'report')).toEqual({ id: 'report', removed: true });
    expect(await json('list')).toEqual({ items: [] });
  });

  test('are told from each other by prefix, status, label and limit', async () => {
    const documents = [
      task('a-1', 'labels: { team: ops }'),
      task('a-2', 'paused: true'),
      task('b-1', 'labels: { team: web }'),
    ];
    await file('tasks.yaml', documents.join('\n---\n'));
    await json('apply', 'tasks.yaml');
    const ids = async (...flags: string[]) => (await json('list', ...flags)).items.map(({ id }: { id: string }) => id);
    expect(await ids()).toEqual(['a-1', 'a-2', 'b-1']);
    expect(await ids('--prefix', 'a-')).toEqual(['a-1', 'a-2']);
    expect(await ids('--status', 'paused')).toEqual(['a-2']);
    expect(await ids('--label', 'team')).toEqual(['a-1', 'b-1']);
    expect(await ids('--label', 'team=web')).toEqual(['b-1']);
    const { items, cursor } = await json('list', '--limit', '2');
    const rest = await json('list', '--limit', '2', '--cursor', cursor);
    expect([...items, ...rest.items].map(({ id }: { id: string }) => id).sort()).toEqual(['a-1', 'a-2', 'b-1']);
  });

  test('are shown as documents that can be stored again, unchanged', async () => {
    await file('tasks.yaml', `${task('report', 'misfire: { policy: all }\nend: 2096-01-01T00:00:00Z')}`);
    await json('apply', 'tasks.yaml');
    const { stdout } = await run('get', 'report');
    expect(stdout).toMatch(/^# active; next /);
    const again = await cli(['apply', '-', '--json'], { cwd, stdin: stdout });
    expect(JSON.parse(again.stdout).items).toMatchObject([{ id: 'report', created: false, revision: 1 }]);
  });

  test('are kept apart by namespace', async () => {
    await file('tasks.yaml', task('report'));
    await json('apply', 'tasks.yaml', '--namespace', 'one');
    expect((await json('list', '--namespace', 'two')).items).toEqual([]);
    expect((await json('--namespace', 'one', 'list')).items).toHaveLength(1);
  });

  test('fill tables that fit 100 columns, without colours, whatever they are called', async () => {
    const id = 'x'.repeat(128);
    const code = `code: 'throw new Error("\\elong " + "long ".repeat(50))'`;
    await file(
      'tasks.yaml',
      `id: ${id}\nschedule: { cron: "0 9 * * *", timeZone: America/New_York }\n${code}\nretry: { attempts: 1 }`,
    );
    await file(
      'quoted.yaml',
      `id: quoted\nschedule: { every: 1h }\ncode: "throw new Error('\\\\u001b[31m red')"\nretry: { attempts: 1 }`,
    );
    await json('apply', 'quoted.yaml', 'tasks.yaml');
    await json('run', id);
    await json('run', 'quoted');
    await json('tick');
    for (const args of [['list'], ['runs', id], ['runs', 'quoted'], ['apply', 'tasks.yaml']]) {
      const { code, stdout } = await run(...args);
      expect(code).toBe(0);
      expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
      expect(stdout).not.toContain('\u001b');
    }
  });
});

describe('apply', () => {
  test('takes many documents, lists, JSON, directories, standard input, and code from files beside them', async () => {
    await file('many.yaml', `# a comment alone is no task\n---\n${task('yaml-1')}---\n${task('yaml-2')}`);
    await file('list.json', JSON.stringify([{ id: 'json-1', schedule: { after: '1h' }, code: '1' }]));
    await file('all/b.yml', 'id: from-file\nschedule: { cron: "@daily" }\ncodeFile: ../code/report.js');
    await file('all/a.json', JSON.stringify({ id: 'json-2', schedule: { at: '2096-01-01T00:00:00Z' }, code: '2' }));
    await file('all/notes.txt', 'not a task');
    await file('code/report.js', 'export default () => "from a file";');
    const args = ['apply', 'many.yaml', 'list.json', 'all', '-', '--json'];
    const { stdout, stderr } = await cli(args, { cwd, stdin: '[{"id":"stdin","schedule":{"every":"1m"},"code":"3"}]' });
    expect(stderr).toBe('');
    const ids = JSON.parse(stdout).items.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(['yaml-1', 'yaml-2', 'json-1', 'json-2', 'from-file', 'stdin']);
    expect(await json('get', 'from-file')).toMatchObject({ code: 'export default () => "from a file";' });
  });

  const broken: [string, string, RegExp][] = [
    ['an unknown key', task('broken', 'tiemout: 5s'), /tasks\/2\.yaml, document 2, tiemout: unknown key/],
    ['a wrong value', task('broken', 'retry: { attempts: 0 }'), /document 2, retry\.attempts: received 0; allowed: /],
    ['a bad schedule', task('broken').replace('1h', '1 hour'), /document 2, schedule\.every: received "1 hour"/],
    ['code that is no JavaScript', task('broken').replace('output:', 'output'), /document 2, code: SyntaxError/],
    ['an id that is taken', task('first'), /document 2, id: received "first" again; tasks\/1\.yaml, document 1 has it/],
    [
      'no code file',
      'id: x\nschedule: { every: 1h }\ncodeFile: ./no.js',
      /document 2, codeFile: .*there is no such file/,
    ],
    ['code twice', task('broken', 'codeFile: ./no.js'), /document 2, codeFile: stands beside code/],
    ['a number', '42', /document 2: received 42; allowed: /],
    ['no YAML', 'id: [', /tasks\/2\.yaml: is no YAML: /],
  ];

  test.each(broken)('stores nothing when a document in the middle has %s, and says where', async (_, text, where) => {
    await file('tasks/1.yaml', task('first'));
    await file('tasks/2.yaml', `${task('second')}---\n${text}\n---\n${task('third')}`);
    await file('tasks/3.yaml', task('last'));
    const result = await run('apply', 'tasks');
    expectComplaint(result, where);
    expect(result.code).toBe(1);
    expect((await json('list')).items).toEqual([]);
  });

  test('says everything that is wrong at once', async () => {
    await file('1.yaml', task('Ä'));
    await file('2.yaml', 'id: x');
    const { stderr } = await run('apply', '1.yaml', '2.yaml');
    for (const where of ['1.yaml, document 1, id', '2.yaml, document 1, schedule', '2.yaml, document 1, code'])
      expect(stderr).toContain(where);
  });

  test('refuses what it cannot read', async () => {
    await mkdir(join(cwd, 'empty'));
    await file('comments.yaml', '# nothing\n');
    await file('broken.json', '{"id":');
    await file('bomb.yaml', bomb());
    const cases = {
      'no.yaml': /no such file/,
      empty: /holds no file/,
      'comments.yaml': /holds no document/,
      'broken.json': /is no JSON/,
      'bomb.yaml': /is no YAML/,
    };
    for (const [name, about] of Object.entries(cases)) {
      const result = await run('apply', name);
      expect(result.code).toBe(1);
      expectComplaint(result, about);
      expect(result.stderr).toContain(name);
    }
  });
});

/** A small text that stands for a billion laughs. */
function bomb(): string {
  const lines = ['a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]'];
  for (let i = 1; i < 10; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`);
  return lines.join('\n');
}

describe('next', () => {
  const spring = ['next', '30 2 * * *', '--tz', 'America/New_York', '--from', '2026-03-07T00:00:00Z', '-n', '3'];

  test('fires at three when half past two does not exist', async () => {
    expect(await json(...spring)).toEqual([
      '2026-03-07T07:30:00.000Z',
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:30:00.000Z',
    ]);
  });

  test('leaves the day out when told to', async () => {
    expect(await json(...spring, '--dst', 'skip')).toEqual([
      '2026-03-07T07:30:00.000Z',
      '2026-03-09T06:30:00.000Z',
      '2026-03-10T06:30:00.000Z',
    ]);
  });

  test('shows the local time of the zone beside the instant', async () => {
    const { stdout } = await run(...spring);
    expect(stdout.split('\n')[1]).toBe('2026-03-08T07:00:00.000Z  Sun 2026-03-08 03:00:00 GMT-4  America/New_York');
  });

  const forms: [string, string[]][] = [
    ['@daily', ['2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z']],
    ['every 30s', ['2026-01-01T00:00:30.000Z', '2026-01-01T00:01:00.000Z']],
    ['at 2026-02-01T09:00:00+01:00', ['2026-02-01T08:00:00.000Z']],
    ['after 5m', ['2026-01-01T00:05:00.000Z']],
    ['{"every":"1h","anchor":"2026-01-01T00:10:00Z"}', ['2026-01-01T00:10:00.000Z', '2026-01-01T01:10:00.000Z']],
  ];

  test.each(forms)('understands %s', async (schedule, instants) => {
    expect(await json('next', schedule, '--from', '2026-01-01T00:00:00Z', '-n', '2')).toEqual(instants);
  });
});

describe('wrong usage ends with 2', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown command', ['lst'], /unknown command 'lst'/],
    ['an unknown flag', ['list', '--lable', 'x'], /unknown option '--lable'/],
    ['a missing argument', ['get'], /missing required argument 'id'/],
    ['no files', ['apply'], /missing required argument 'files'/],
    ['one argument too many', ['get', 'a', 'b'], /too many arguments/],
    ['an id that can be none', ['get', 'a b'], /received "a b"; allowed: a string of 1 to 128 characters/],
    ['a limit of nothing', ['list', '--limit', '0'], /received "0"; allowed: a whole number from 1 to 100000/],
    ['a limit that is no number', ['runs', 'a', '--limit', '1e3'], /received "1e3"/],
    ['a status that does not exist', ['list', '--status', 'asleep'], /Allowed choices are active, paused/],
    ['input that is no JSON', ['run', 'a', '--input', '{n:1}'], /received "\{n:1\}"; allowed: JSON/],
    ['a wait that is no duration', ['run', 'a', '--wait', 'long'], /received "long"/],
    ['an empty key', ['run', 'a', '--key', ''], /received ""; allowed: 1 to 128 characters/],
    ['a cursor of nowhere', ['list', '--cursor', '!'], /cursor: received "!"/],
    ['a schedule that never fires', ['next', '0 0 31 2 *'], /schedule.*cron/],
    ['a schedule that is none', ['next', 'soon'], /received "soon"/],
    ['a zone that does not exist', ['next', '@daily', '--tz', 'Mars/Base'], /Mars\/Base/],
    ['a zone for a rhythm', ['next', 'every 5s', '--tz', 'UTC'], /timeZone: unknown key; allowed with every/],
    ['a local time without an offset', ['next', '@daily', '--from', '2026-01-01T00:00:00'], /names no instant/],
    ['too many slots', ['next', '@daily', '-n', '1001'], /a whole number from 1 to 1000/],
    ['a URL of nowhere', ['list', '--url', 'redis://x'], /received "redis:\/\/x"; allowed: "zookeeper:/],
    ['an endpoint that is none', ['list', '--endpoint', 'localhost'], /allowed: an http or https URL/],
    ['two places', ['list', '--url', 'embedded:', '--endpoint', 'http://127.0.0.1:1'], /cannot be used with/],
    ['a namespace with a slash', ['list', '--namespace', 'a/b'], /namespace: received "a\/b"/],
    ['a tick over HTTP', ['tick', '--endpoint', 'http://127.0.0.1:1'], /tick works on the registry itself/],
    ['a linger beyond what functions may take', ['tick', '--linger', '15m'], /allowed: 0s to 14m/],
    ['a port that is none', ['dev', '--port', '70000'], /a whole number from 0 to 65535/],
    ['an open port without a token', ['dev', '--host', '0.0.0.0', '--port', '0'], /without CRONKEEPER_API_TOKEN/],
  ];

  test.each(cases)('%s', async (_, args, about) => {
    const result = await run(...args);
    expectComplaint(result, about);
    expect(result.code).toBe(2);
  });

  test('an environment that is wrong, without its secrets', async () => {
    const result = await cli(['list'], { cwd, env: { CRONKEEPER_URL: 'nowhere', CRONKEEPER_API_TOKEN: 'hu sh' } });
    expectComplaint(result, /CRONKEEPER_URL: received "nowhere".*CRONKEEPER_API_TOKEN: received 5 characters/);
    expect(result.code).toBe(2);
    expect(result.stderr).not.toContain('hu sh');
  });

  test('but asking for help does not', async () => {
    for (const args of [['--help'], ['list', '--help'], ['help', 'run'], ['--version']]) {
      expect(await run(...args)).toMatchObject({ code: 0, stderr: '' });
    }
  });
});

describe('failure ends with 1', () => {
  const missing = [
    ['get', 'no'],
    ['runs', 'no'],
    ['run', 'no'],
    ['pause', 'no'],
    ['resume', 'no'],
    ['remove', 'no'],
  ];

  test.each(missing)('%s of a task that does not exist', async (...args) => {
    const result = await run(...args);
    expectComplaint(result, /task no does not exist/);
    expect(result.code).toBe(1);
  });

  test('nobody listens at the endpoint', async () => {
    const result = await run('list', '--endpoint', 'http://127.0.0.1:1');
    expectComplaint(result, /127\.0\.0\.1:1/);
    expect(result.code).toBe(1);
  });

  test('a launch that fails, or that nobody runs, when waited for', async () => {
    await file(
      'task.yaml',
      'id: fails\nschedule: { every: 1h }\nretry: { attempts: 1 }\ncode: throw new Error("no luck")',
    );
    await json('apply', 'task.yaml');
    const waited = await run('run', 'fails', '--wait', '0s');
    expect(waited.code).toBe(1);
    expectComplaint(waited, /has not run after 0 ms\. Is anything ticking\?/);
    start(['worker']);
    const failed = await run('run', 'fails', '--wait', '--json');
    expect({ code: failed.code, stderr: failed.stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(failed.stdout).run).toMatchObject({ status: 'failed', error: { message: 'no luck' } });
  });
});

test('a reader who has seen enough is no error', async () => {
  const { child, err, gone } = start(['next', '* * * * * *', '-n', '1000']);
  child.stdout?.once('data', () => child.stdout?.destroy());
  expect(await gone).toBe(0);
  expect(err).toEqual([]);
});

describe('worker', () => {
  test('runs what falls due, sees what is added meanwhile, and ends in order', async () => {
    const worker = start(['worker', '--linger', '30s', '--json']);
    await worker.line(/^working on embedded:/);
    await file('task.yaml', 'id: beat\nschedule: { every: 1s }\ncode: "({ output: ctx.slot })"');
    await json('apply', 'task.yaml');
    await worker.line(/"taskId":"beat"/);
    expect(await worker.stop()).toBe(0);
    for (const line of worker.out) expect(JSON.parse(line)).toMatchObject({ taskId: 'beat', status: 'succeeded' });
    const { shards } = JSON.parse((await run('tick', '--json')).stdout);
    expect(shards).toBe(8);
  });

  test('waits while another one is at work', async () => {
    const first = start(['worker']);
    await first.line(/^working on/);
    await file('task.yaml', 'id: beat\nschedule: { every: 1s }\ncode: "1"');
    await json('apply', 'task.yaml');
    await first.line(/✓ beat/);
    const second = start(['worker']);
    await second.line(/others hold every shard/);
    first.child.kill('SIGKILL');
    await second.line(/✓ beat/);
    expect(await second.stop('SIGINT')).toBe(0);
  });
});

describe('doctor', () => {
  test('finds a sound place, and says that nobody ticks', async () => {
    await json('list');
    const { ok, checks } = await json('doctor');
    expect(ok).toBe(true);
    expect(Object.fromEntries(checks.map(({ check, status }: Record<string, string>) => [check, status]))).toEqual({
      ...{ node: 'ok', configuration: 'ok', coordinator: 'ok', clock: 'ok', namespace: 'ok', shards: 'warning' },
    });
    expect((await run('doctor')).stdout).toMatch(/never ticked\n {2}to do: nothing runs without a tick/);
  });

  test('does not make what it looks for', async () => {
    await json('doctor', '--namespace', 'elsewhere');
    expect((await run('doctor', '--namespace', 'elsewhere')).stdout).toContain('elsewhere does not exist yet');
  });

  test('says what is wrong and what to do', async () => {
    await file('notes.db', 'this is no database, but a text that is long enough to be looked at by SQLite'.repeat(20));
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['--url', 'embedded:./notes.db'], {}, /✗ coordinator .*\n {2}to do: the path or file belongs to something else/],
      [['--url', 'zookeeper://127.0.0.1:1'], {}, /✗ coordinator .*\n {2}to do: check that it runs/],
      [['--endpoint', 'http://127.0.0.1:1'], {}, /✗ endpoint .*\n {2}to do: check that the API runs there/],
      [[], { CRONKEEPER_SHARDS: '0' }, /✗ configuration .*CRONKEEPER_SHARDS: received "0".*\n {2}to do: correct/],
    ];
    for (const [args, env, about] of cases) {
      const { code, stdout, stderr } = await cli(['doctor', ...args], { cwd, env });
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(stdout).toMatch(about);
    }
  });
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { databaseError } from '../../src/coordinator/embedded/sql-database.ts';
import { type EmbeddedCoordinator, openEmbedded } from '../../src/coordinator/embedded.ts';
import { failure } from '../contract/coordinator/world.ts';

let directory = '';
let path = '';
let opened: EmbeddedCoordinator[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
  path = join(directory, 'file.db');
});

afterEach(async () => {
  await Promise.all(opened.map((coordinator) => coordinator.close()));
  opened = [];
  rmSync(directory, { recursive: true });
});

function open(at = path, operationTimeoutMs = 5_000): EmbeddedCoordinator {
  const coordinator = openEmbedded({ path: at, sessionTimeoutMs: 10_000, operationTimeoutMs, clock: systemClock });
  opened.push(coordinator);
  return coordinator;
}

describe('a file that cannot be used', () => {
  it.each([
    ['a short text', () => writeFileSync(path, 'hello'), 'corrupt', 'is not a usable database'],
    ['a long text', () => writeFileSync(path, 'hello '.repeat(10_000)), 'corrupt', 'is not a usable database'],
    ['a database of somebody else', foreign, 'corrupt', 'is a database of another program'],
    ['written by a newer version', newer, 'corrupt', 'its schema has version 99, this program knows versions up to 1'],
    ['cut off', cutOff, 'corrupt', 'is not a usable database'],
    ['a directory', () => mkdirSync(path), 'invalid', 'cannot be opened'],
  ])('is refused, naming it and saying why: %s', async (_, prepare, code, why) => {
    await prepare();
    const error = await failure(open().connect());
    expect(error.code).toBe(code);
    expect(error.message).toContain(path);
    expect(error.message).toContain(why);
  });

  it('is refused when its directory is a file', async () => {
    writeFileSync(path, '');
    const error = await failure(open(join(path, 'deeper/file.db')).connect());
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(path) });
  });

  // Asked of the mapping itself: whoever runs the tests as root may write everywhere.
  it.each(['EACCES', 'EPERM', 'EROFS'])('is refused as forbidden on %s', (code) => {
    const error = databaseError(Object.assign(new Error(`${code}: mkdir`), { code }), path);
    expect(error).toMatchObject({ code: 'forbidden', message: expect.stringContaining(path) });
  });

  it.each([
    ['of the disk', Object.assign(new Error('EIO: open'), { code: 'EIO', syscall: 'open' }), 'unavailable'],
    ['of ours', new TypeError('x is not a function'), 'internal'],
  ])('does not hide whether it was the fault %s', (_, error, code) => {
    expect(databaseError(error, path)).toMatchObject({ code, cause: error });
  });

  it('is left as it was when it is somebody else’s', async () => {
    foreign();
    const before = readFileSync(path);
    await failure(open().connect());
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('can be put right without starting anew', async () => {
    writeFileSync(path, 'hello');
    const coordinator = open();
    await failure(coordinator.connect());
    rmSync(path);
    const session = await coordinator.connect();
    await session.multi([{ op: 'create', path: '/node', data: '' }]);
  });

  function foreign(): void {
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE songs (title TEXT)');
    database.close();
  }

  async function newer(): Promise<void> {
    await makeOurs();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
  }

  async function cutOff(): Promise<void> {
    await makeOurs();
    truncateSync(path, 5_000);
  }

  async function makeOurs(): Promise<void> {
    const coordinator = openEmbedded({ path, sessionTimeoutMs: 10_000, clock: systemClock });
    const session = await coordinator.connect();
    await session.multi([{ op: 'create', path: '/node', data: 'x'.repeat(100_000) }]);
    await coordinator.close();
  }
});

describe('a file', () => {
  it('is made with its directory, and keeps what was written', async () => {
    const deeper = join(directory, 'a/b/c.db');
    const first = open(deeper);
    expect(first.url).toBe(`embedded:${deeper}`);
    const session = await first.connect();
    await session.multi([
      { op: 'create', path: '/kept', data: 'x' },
      { op: 'create', path: '/s-', data: '', mode: 'sequential' },
      { op: 'create', path: '/gone', data: '', mode: 'ephemeral' },
    ]);
    await first.close();
    const again = await open(deeper).connect();
    expect(await again.get('/kept')).toMatchObject({ data: 'x', version: 0 });
    expect((await again.children('/'))?.sort()).toEqual(['kept', 's-0000000000']);
    const [made] = await again.multi([{ op: 'create', path: '/s-', data: '', mode: 'sequential' }]);
    expect(made?.path).toBe('/s-0000000001');
    expect(again.id).not.toBe(session.id);
  });

  it('is taken when it is there but empty', async () => {
    writeFileSync(path, '');
    await open().connect();
  });

  it('is reported as unavailable while somebody keeps it locked, and works again afterwards', async () => {
    const session = await open(path, 200).connect();
    await session.multi([{ op: 'create', path: '/node', data: '' }]);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    }, 1);
    const write = await failure(session.multi([{ op: 'set', path: '/node', data: 'lost' }]));
    clearInterval(turning);
    expect(write).toMatchObject({ code: 'unavailable', message: expect.stringContaining(path) });
    // The event loop went on meanwhile.
    expect(turns).toBeGreaterThan(3);
    expect(await session.get('/node')).toMatchObject({ version: 0 });
    const waiting = session.multi([{ op: 'set', path: '/node', data: 'in time' }]);
    other.exec('COMMIT');
    other.close();
    expect((await waiting)[0]).toMatchObject({ version: 1 });
  });

  it('does not keep anybody from closing a session while it is locked', async () => {
    const session = await open(path, 100).connect();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await session.close();
    expect(session.signal.aborted).toBe(true);
    other.close();
  });
});

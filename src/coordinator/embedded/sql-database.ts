/** The SQLite file under the embedded coordinator: opening it, its schema, and what its errors mean. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { CoordinatorError } from '../../coordinator.ts';
import { type ErrorCode, messageOf } from '../../errors.ts';

/** Marks the file as ours, in SQLite's own header field for that: "CRKP". */
const APPLICATION_ID = 0x43524b50;

/** Grows with every change of the schema; a file of a newer one is not touched. */
const SCHEMA_VERSION = 1;

/**
 * How long SQLite itself may wait for the lock, which blocks the event loop. Longer waits are the caller's business,
 * between which others get their turn.
 */
const BLOCKING_WAIT_MS = 5;

/** A few readers of large trees run out of SQLite's default of 2 MB at once. */
const CACHE_KIB = 32 * 1024;

/** Pages of the log before SQLite moves them into the file: 16 MB, so that a burst of commits is not held up by it. */
const CHECKPOINT_PAGES = 4_000;

/** What the log is cut back to once it has been moved. */
const LOG_BYTES_KEPT = 64 * 1024 * 1024;

// A node is found by its parent's path and its own name, so that one index serves reads and lists of children alike.
// An id is never used twice: with the version it tells a node from one that was made anew at the same place.
const SCHEMA = `
  CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    modified_ms INTEGER NOT NULL,
    owner INTEGER,
    sequence INTEGER NOT NULL DEFAULT 0,
    UNIQUE (parent, name)
  ) STRICT;
  CREATE INDEX nodes_by_owner ON nodes (owner) WHERE owner IS NOT NULL;
  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timeout_ms REAL NOT NULL,
    deadline_ms REAL NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL
  ) STRICT;
  INSERT INTO nodes (parent, name, data, modified_ms) VALUES ('', '', '', 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Opens `path` and makes it ours when it is new. Throws a {@link CoordinatorError}. */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    makeDirectory(dirname(path));
    database = new DatabaseSync(path, { timeout: BLOCKING_WAIT_MS });
    // Before anything is written, the log's mode included: it may be somebody else's file.
    const isNew = !isOurs(database, path);
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${LOG_BYTES_KEPT};
    `);
    if (isNew) createSchema(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw databaseError(error, path);
  }
}

/** One after the other: Node's own recursive making never ends where a parent cannot be made, as under /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path)) throw error; // another process may have been faster
  }
}

function createSchema(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  // Somebody else may have been faster.
  if (!isOurs(database, path)) database.exec(SCHEMA);
  database.exec('COMMIT');
}

/** Whether the schema is there; throws when the file holds something else. */
function isOurs(database: DatabaseSync, path: string): boolean {
  const header = database
    .prepare(`SELECT (SELECT count(*) FROM sqlite_schema) AS things, application_id AS application,
                     user_version AS version FROM pragma_application_id, pragma_user_version`)
    .get() as { things: number; application: number; version: number };
  if (header.things === 0 && header.application === 0) return false;
  if (header.application !== APPLICATION_ID) {
    throw new CoordinatorError('corrupt', `${path} is a database of another program; give the path of another file`);
  }
  if (header.version > SCHEMA_VERSION) {
    const versions = `its schema has version ${header.version}, this program knows versions up to ${SCHEMA_VERSION}`;
    throw new CoordinatorError('corrupt', `${path} was written by a newer version of Cronkeeper: ${versions}`);
  }
  return true;
}

/** First column of SQLite's table of result codes (https://sqlite.org/rescode.html), as far as they can come here. */
const SQLITE = { perm: 3, busy: 5, locked: 6, readonly: 8, corrupt: 11, cantOpen: 14, auth: 23, notADatabase: 26 };

/** Somebody else holds the lock: nothing was done, and trying again helps. */
export const isBusy = (error: unknown): boolean => {
  const code = resultCode(error instanceof CoordinatorError ? error.cause : error);
  return code === SQLITE.busy || code === SQLITE.locked;
};

/** What an error of SQLite or of the file system means, naming the file. */
export function databaseError(error: unknown, path: string | undefined): CoordinatorError {
  if (error instanceof CoordinatorError) return error;
  const where = path ?? 'the coordinator in memory';
  const because = messageOf(error);
  const made = (code: ErrorCode, message: string) => new CoordinatorError(code, message, { cause: error });
  const { code, syscall } = error as NodeJS.ErrnoException;
  switch (resultCode(error) ?? code) {
    case SQLITE.notADatabase:
    case SQLITE.corrupt:
      return made('corrupt', `${where} is not a usable database (${because}); restore it or give another path`);
    case SQLITE.perm:
    case SQLITE.readonly:
    case SQLITE.auth:
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return made('forbidden', `${where} cannot be written by this user (${because})`);
    case SQLITE.cantOpen:
    case 'EEXIST':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENAMETOOLONG':
      return made(
        'invalid',
        `${where} cannot be opened; a file that this user may read and write is needed (${because})`,
      );
    case 'ERR_INVALID_STATE':
      return made('unavailable', `${where} was closed (${because})`);
    default:
      // A full disk, a failing one. Anything else is a bug, which trying again does not help.
      if (resultCode(error) === undefined && syscall === undefined) return made('internal', `in ${where}: ${because}`);
      return made('unavailable', `${where} cannot be used at present (${because})`);
  }
}

/** SQLite's primary result code; its extended ones carry more in the upper bits. */
function resultCode(error: unknown): number | undefined {
  const errcode = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** The first row of `statement`, which the caller knows the shape of. */
export const row = <Row>(statement: StatementSync, ...values: SQLInputValue[]): Row | undefined =>
  statement.get(...values) as Row | undefined;

/** Every row of `statement`, which the caller knows the shape of. */
export const rows = <Row>(statement: StatementSync, ...values: SQLInputValue[]): Row[] =>
  statement.all(...values) as Row[];

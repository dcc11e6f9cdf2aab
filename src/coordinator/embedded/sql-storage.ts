/** The file, and its transactions, which several processes may want at a time. */
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, row } from './sql-database.ts';
import { SqlSessions } from './sql-sessions.ts';
import { SqlTree } from './sql-tree.ts';
import type { Storage, Transaction } from './storage.ts';

/** Throws as {@link openDatabase} does. */
export function openFile(path: string): Storage {
  const database = openDatabase(path);
  const dataVersion = database.prepare('PRAGMA data_version');
  return {
    tree: new SqlTree(database),
    sessions: new SqlSessions(database),
    transaction: sqlTransaction(database),
    foreignChanges: () => row<{ data_version: number }>(dataVersion)?.data_version ?? 0,
    close: () => database.close(),
  };
}

export function sqlTransaction(database: DatabaseSync): Transaction {
  const statement = (sql: string) => database.prepare(sql);
  const begin = statement('BEGIN IMMEDIATE');
  const commit = statement('COMMIT');
  const save = statement('SAVEPOINT work');
  const release = statement('RELEASE work');
  const undo = statement('ROLLBACK TO work');
  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => {
      if (database.isTransaction) database.exec('ROLLBACK');
    },
    save: () => void save.run(),
    keep: () => void release.run(),
    undo: () => {
      undo.run();
      release.run();
    },
  };
}

/** The directories of the due index: made before a page is written into them, and removed when they are past and empty. */
import { isRefused, type Op, type Session } from './coordinator.ts';
import type { Page } from './due.ts';
import { isCronkeeperError } from './errors.ts';
import type { DueEntry, Layout } from './layout.ts';
import { directoriesOf } from './new-pages.ts';

/** How often the making of a directory is tried while its outcome is unknown. */
const CREATE_ATTEMPTS_MAX = 20;

/** Directories that one request makes. */
const MADE_AT_A_TIME = 128;

/** Makes the directories of pages, once each; another writer may have made them, and a tick may remove empty ones. */
export class DueDirectories {
  readonly #known = new Set<string>();
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async ensure(entries: readonly DueEntry[], layout: Layout): Promise<void> {
    await this.have(directoriesOf(layout, entries));
  }

  /** Other directories, whose parent is there or can be made where its own is. */
  async have(directories: Iterable<string>): Promise<void> {
    const missing = [...new Set(directories)].filter((directory) => !this.#known.has(directory));
    await this.#makeAll(missing.map(parentOf));
    await this.#makeAll(missing);
  }

  /** After a refusal: what was known may have been removed. */
  forget(): void {
    this.#known.clear();
  }

  /** Removes directories of past minutes, and of past days with them, where nothing is left in them. */
  async sweep(directories: Iterable<string>): Promise<void> {
    const days = new Set<string>();
    const removals = [...directories].map(async (directory) => {
      this.#known.delete(directory);
      if (await this.#removeEmpty(directory)) days.add(parentOf(directory)); // gone already: the day may be empty too
    });
    await Promise.all(removals);
    await Promise.all([...days].map((day) => this.#removeEmpty(day)));
  }

  /** Removes a page on which nothing can be read. */
  async drop({ path, version }: Page): Promise<void> {
    await this.#remove({ op: 'remove', path, version });
  }

  async #makeAll(directories: readonly string[]): Promise<void> {
    const missing = [...new Set(directories)].filter((directory) => !this.#known.has(directory));
    const parts = Array.from({ length: Math.ceil(missing.length / MADE_AT_A_TIME) }, (_, i) =>
      missing.slice(i * MADE_AT_A_TIME, (i + 1) * MADE_AT_A_TIME),
    );
    await Promise.all(parts.map((part) => this.#makeSome(part)));
  }

  /** In one request where none is there yet; else what is missing in one; and one by one where others make them, too. */
  async #makeSome(directories: readonly string[]): Promise<void> {
    if (!(await this.#createAll(directories))) {
      const missing = await this.#missingOf(directories);
      if (!(await this.#createAll(missing))) await Promise.all(missing.map((directory) => this.#create(directory)));
    }
    for (const directory of directories) this.#known.add(directory);
  }

  async #missingOf(directories: readonly string[]): Promise<readonly string[]> {
    if (directories.length === 1) return directories;
    const nodes = await this.#session.getMany(directories);
    return directories.filter((_, i) => nodes[i] === undefined);
  }

  /** Whether several were made, by one transaction. */
  async #createAll(paths: readonly string[]): Promise<boolean> {
    if (paths.length === 1) return false;
    try {
      await this.#session.multi(paths.map((path) => ({ op: 'create', path, data: '' })));
      return true;
    } catch (error) {
      if (isRefused(error, 'node-exists') || isCronkeeperError(error, 'outcome-unknown')) return false;
      throw error;
    }
  }

  /** To make it twice does no harm, so an unknown outcome is simply tried again. */
  async #create(path: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#session.multi([{ op: 'create', path, data: '' }]);
        return;
      } catch (error) {
        if (isRefused(error, 'node-exists')) return;
        if (!isCronkeeperError(error, 'outcome-unknown') || attempt === CREATE_ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #removeEmpty(path: string): Promise<boolean> {
    const isRemoved = await this.#remove({ op: 'remove', path });
    if (isRemoved) this.#known.delete(path);
    return isRemoved;
  }

  /** What is not removed now, or not known to be, is come by again. */
  async #remove(op: Op): Promise<boolean> {
    try {
      await this.#session.multi([op]);
      return true;
    } catch (error) {
      if (!isRefused(error) && !isCronkeeperError(error, 'outcome-unknown')) throw error;
      return isRefused(error, 'no-node');
    }
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

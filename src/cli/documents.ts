/** Task documents from files: YAML with one or many documents, JSON, lists of tasks, directories, standard input. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { TASK_LIMITS } from '../document.ts';
import { CronkeeperError, isCronkeeperError, messageOf, type Problem, received } from '../errors.ts';
import { parseTask, type TaskDocument } from '../task.ts';

export const STDIN = '-';

/** Files that one command reads, and bytes of each. */
const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Problems that are listed before the list is cut. */
const PROBLEMS_MAX = 50;

const EXTENSIONS: readonly string[] = ['.yaml', '.yml', '.json'];

export interface SourceDocument {
  /** For messages: `tasks/report.yaml, document 2`. */
  readonly where: string;
  readonly document: TaskDocument;
}

/** A value out of a file, not looked at yet. */
interface Raw {
  readonly where: string;
  /** What `codeFile` is relative to. */
  readonly directory: string;
  readonly value: unknown;
}

/**
 * Reads and checks every document, all files of a directory included (not those of directories in it).
 * @param paths `-` is standard input.
 * @throws CronkeeperError `invalid` with a problem for everything that is wrong, wherever it is.
 */
export async function readDocuments(paths: readonly string[], stdin: AsyncIterable<Buffer>): Promise<SourceDocument[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  if (files.length > FILES_MAX) throw invalid([{ field: '', message: `${files.length} files; allowed: ${FILES_MAX}` }]);
  const problems: Problem[] = [];
  const documents: SourceDocument[] = [];
  for (const file of files) {
    const raws = await collecting(problems, '', async () => parseFile(file, await readText(file, stdin)));
    for (const raw of raws ?? []) {
      const document = await collecting(problems, raw.where, () => completed(raw));
      if (document !== undefined) documents.push({ where: raw.where, document });
    }
  }
  problems.push(...duplicates(documents));
  if (problems.length > 0) throw invalid(problems);
  return documents;
}

/** The values of one file, whatever they are; a list stands for its items. @throws CronkeeperError `invalid` */
export async function readValues(path: string, stdin: AsyncIterable<Buffer>): Promise<unknown[]> {
  return parseFile(path, await readText(path, stdin)).map(({ value }) => value);
}

/** Names the document that a problem of {@link Tasks.putMany} is about: its fields begin with an index. */
export function locateProblems(error: CronkeeperError, documents: readonly SourceDocument[]): CronkeeperError {
  if (error.code !== 'invalid') return error;
  return invalid(
    error.problems.map(({ field, message }) => {
      const [, index, rest = ''] = /^(\d+)(?:\.(.*))?$/.exec(field) ?? [];
      const where = index === undefined ? undefined : documents[Number(index)]?.where;
      return where === undefined ? { field, message } : { field: fieldAt(where, rest), message };
    }),
  );
}

async function filesAt(path: string): Promise<string[]> {
  if (path === STDIN) return [path];
  const found = await readable(path, () => stat(path));
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => EXTENSIONS.includes(extname(name))).sort();
  if (names.length > 0) return names.map((name) => join(path, name));
  throw invalid([{ field: path, message: `holds no file that ends in ${EXTENSIONS.join(', ')}` }]);
}

async function readText(path: string, stdin: AsyncIterable<Buffer>): Promise<string> {
  if (path === STDIN) return readBounded('standard input', stdin, FILE_BYTES_MAX);
  return readFileBounded(path, FILE_BYTES_MAX);
}

/** @throws CronkeeperError `invalid` for a file that is not there, not ours to read, or too large. */
export const readFileBounded = (path: string, bytesMax: number): Promise<string> =>
  readable(path, () => readBounded(path, createReadStream(path), bytesMax));

async function readBounded(name: string, chunks: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw invalid([{ field: name, message: `is too large; allowed: ${bytesMax} bytes` }]);
    read.push(chunk);
  }
  return Buffer.concat(read).toString('utf8');
}

/** A file that is not there, or not ours to read, is the caller's mistake, and is named. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isCronkeeperError(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? messageOf(error)})`;
    throw invalid([{ field: path, message }]);
  }
}

/** The documents of a text; a list in it stands for its items. */
function parseFile(path: string, text: string): Raw[] {
  const name = path === STDIN ? 'standard input' : path;
  const directory = path === STDIN ? '.' : dirname(path);
  const values = (looksLikeJson(path, text) ? parseJson(name, text) : parseYaml(name, text)).flat();
  if (values.length === 0) throw invalid([{ field: name, message: 'holds no document' }]);
  return values.map((value, i) => ({ where: `${name}, document ${i + 1}`, directory, value }));
}

const looksLikeJson = (path: string, text: string): boolean =>
  extname(path) === '.json' || (path === STDIN && /^\s*[[{]/.test(text));

function parseJson(name: string, text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch (error) {
    throw invalid([{ field: name, message: `is no JSON: ${messageOf(error)}` }]);
  }
}

function parseYaml(name: string, text: string): unknown[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  const faults = documents.flatMap(({ errors }) => errors);
  if (faults.length > 0) {
    throw invalid(faults.map(({ message }) => ({ field: name, message: `is no YAML: ${message.split('\n')[0]}` })));
  }
  try {
    // A document of comments alone is none.
    return documents.map((document) => document.toJS() as unknown).filter((value) => value !== null);
  } catch (error) {
    throw invalid([{ field: name, message: `is no YAML: ${messageOf(error)}` }]);
  }
}

/** The document with its code in it, checked. */
async function completed({ value, directory }: Raw): Promise<TaskDocument> {
  const document = await withCode(value, directory);
  parseTask(document);
  return document as TaskDocument;
}

async function withCode(value: unknown, directory: string): Promise<unknown> {
  if (typeof value !== 'object' || value === null || !('codeFile' in value)) return value;
  const { codeFile, ...rest } = value;
  if ('code' in rest) throw invalid([{ field: 'codeFile', message: 'stands beside code; allowed: one of them' }]);
  if (typeof codeFile !== 'string' || codeFile === '') {
    const message = `received ${received(codeFile)}; allowed: a path relative to the document, such as ./report.js`;
    throw invalid([{ field: 'codeFile', message }]);
  }
  const path = resolve(directory, codeFile);
  try {
    return { ...rest, code: await readFileBounded(path, TASK_LIMITS.codeBytesMax) };
  } catch (error) {
    if (!isCronkeeperError(error, 'invalid')) throw error;
    const why = error.problems[0]?.message ?? error.message;
    throw invalid([
      { field: 'codeFile', message: `${received(codeFile)} ${why} (looked in ${basename(resolve(directory))})` },
    ]);
  }
}

function duplicates(documents: readonly SourceDocument[]): Problem[] {
  const first = new Map<string, string>();
  return documents.flatMap(({ where, document: { id } }) => {
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, where);
    return earlier === undefined
      ? []
      : [{ field: fieldAt(where, 'id'), message: `received ${received(id)} again; ${earlier} has it already` }];
  });
}

/** Goes on after an invalid document, so that one look finds all that is wrong. */
async function collecting<T>(problems: Problem[], where: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isCronkeeperError(error, 'invalid')) throw error;
    problems.push(...error.problems.map(({ field, message }) => ({ field: fieldAt(where, field), message })));
    return undefined;
  }
}

const fieldAt = (where: string, field: string): string => [where, field].filter((part) => part !== '').join(', ');

function invalid(problems: readonly Problem[]): CronkeeperError {
  const lines = problems
    .slice(0, PROBLEMS_MAX)
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  if (problems.length > PROBLEMS_MAX) lines.push(`and ${problems.length - PROBLEMS_MAX} more problems`);
  return new CronkeeperError('invalid', lines.join('\n'), { problems });
}

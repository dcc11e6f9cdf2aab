/**
 * Where everything is: the paths of a namespace's nodes and the text forms of what the due index and the journal hold.
 *
 *     /cronkeeper/<namespace>                    {"v":1,"shards":8}
 *       /tasks/<bucket>/<taskId>                 the record; below it /<n>: chunks of older runs
 *       /code/<bucket>/<hash>                    {"kind","source"}, once per content
 *       /dead/<bucket>/<taskId>@<slot>           dead letters
 *       /events                                  set with every change below it
 *       /events/<taskId>                         the rules by which events launch the task
 *       /dropped/<droppedMs>-<maker>             hints: hashes that a transaction has dropped references to
 *       /trash/<hash>                            code that no task may name any more, while a pass looks for one
 *       /sweep                                   how far that pass has come
 *       /audit/<day>-<n>/<ms>-<maker>            who changed what: one node per transaction
 *       /shards/<n>/lock                         ephemeral: the lease
 *                  /epoch                        its version is the fence
 *                  /doorbell                     set when something falls due soon: a lingering tick watches it
 *                  /journal/<fence>-<k>          launches in flight
 *                  /due/<day>/<minute>/<page>    due pages: lines `dueMs-timer-taskId`
 *                  /outbox/<page>                what is still to be told of launches, made with the first of it
 *                  /undelivered/<page>           what nobody has taken
 */
import type { EpochMs } from './clock.ts';
import type { Op } from './coordinator.ts';
import { bucketNames, bucketOf, shardOf } from './shard.ts';

const ROOT = '/cronkeeper';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const NAMESPACE_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** Ids are names of nodes: nothing that is read from a page or a journal may lead to another path. */
export const TASK_ID_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/;

export interface Layout {
  readonly namespace: string;
  readonly root: string;
  readonly shards: number;
  shardOf(taskId: string): number;
  task(taskId: string): string;
  taskBucket(bucket: string): string;
  chunk(taskId: string, index: number): string;
  code(hash: string): string;
  dead(taskId: string, slotMs: EpochMs): string;
  deadBucket(bucket: string): string;
  /** Where the dead letters of one task are, among others. */
  deadOf(taskId: string): { readonly directory: string; readonly prefix: string };
  readonly events: string;
  eventRules(taskId: string): string;
  readonly dropped: string;
  hint(name: string): string;
  readonly trash: string;
  trashed(hash: string): string;
  readonly sweep: string;
  readonly audit: string;
  auditDirectory(name: string): string;
  shard(shard: number): string;
  lock(shard: number): string;
  epoch(shard: number): string;
  doorbell(shard: number): string;
  journal(shard: number): string;
  due(shard: number): string;
  outbox(shard: number): string;
  undelivered(shard: number): string;
}

export const namespacePath = (namespace: string): string => `${ROOT}/${namespace}`;

export function createLayout(namespace: string, shards: number): Layout {
  const root = namespacePath(namespace);
  const shard = (n: number) => `${root}/shards/${n}`;
  return {
    namespace,
    root,
    shards,
    shard,
    shardOf: (taskId) => shardOf(taskId, shards),
    task: (taskId) => `${root}/tasks/${bucketOf(taskId)}/${taskId}`,
    taskBucket: (bucket) => `${root}/tasks/${bucket}`,
    chunk: (taskId, index) => `${root}/tasks/${bucketOf(taskId)}/${taskId}/${index}`,
    code: (hash) => `${root}/code/${bucketOf(hash)}/${hash}`,
    dead: (taskId, slotMs) => `${root}/dead/${bucketOf(taskId)}/${taskId}@${slotMs}`,
    deadBucket: (bucket) => `${root}/dead/${bucket}`,
    deadOf: (taskId) => ({ directory: `${root}/dead/${bucketOf(taskId)}`, prefix: `${taskId}@` }),
    events: `${root}/events`,
    eventRules: (taskId) => `${root}/events/${taskId}`,
    dropped: `${root}/dropped`,
    hint: (name) => `${root}/dropped/${name}`,
    trash: `${root}/trash`,
    trashed: (hash) => `${root}/trash/${hash}`,
    sweep: `${root}/sweep`,
    audit: `${root}/audit`,
    auditDirectory: (name) => `${root}/audit/${name}`,
    lock: (n) => `${shard(n)}/lock`,
    epoch: (n) => `${shard(n)}/epoch`,
    doorbell: (n) => `${shard(n)}/doorbell`,
    journal: (n) => `${shard(n)}/journal`,
    due: (n) => `${shard(n)}/due`,
    outbox: (n) => `${shard(n)}/outbox`,
    undelivered: (n) => `${shard(n)}/undelivered`,
  };
}

/** Everything a namespace consists of before its first task, in an order that creates parents first. */
export function namespaceOps(namespace: string, shards: number, settings: string): Op[] {
  const layout = createLayout(namespace, shards);
  const node = (path: string, data = ''): Op => ({ op: 'create', path, data });
  const directories = ['tasks', 'code', 'dead'].flatMap((name) => [
    node(`${layout.root}/${name}`),
    ...bucketNames.map((bucket) => node(`${layout.root}/${name}/${bucket}`)),
  ]);
  const shardNodes = Array.from({ length: shards }, (_, n) => [
    node(layout.shard(n)),
    ...[layout.epoch(n), layout.doorbell(n), layout.journal(n), layout.due(n)].map((path) => node(path)),
  ]);
  const kept = [...directories, ...laterDirectories(layout).map((path) => node(path))];
  return [node(layout.root, settings), ...kept, node(`${layout.root}/shards`), ...shardNodes.flat()];
}

/** What namespaces of older programs do not have yet. */
export const laterDirectories = ({ dropped, trash, audit, events }: Layout): readonly string[] => [
  dropped,
  trash,
  audit,
  events,
];

export const namespaceRoot = ROOT;

/** One line of a due page: the task waits until `dueMs`, if its timer still has this number. */
export interface DueEntry {
  readonly taskId: string;
  readonly dueMs: EpochMs;
  readonly timer: number;
}

export const encodeDueEntry = ({ taskId, dueMs, timer }: DueEntry): string =>
  `${dueMs}-${timer.toString(36)}-${taskId}`;

/** Undefined for a line that is no entry. */
export function decodeDueEntry(line: string): DueEntry | undefined {
  const first = line.indexOf('-');
  const second = line.indexOf('-', first + 1);
  const dueMs = Number(line.slice(0, first));
  const timer = Number.parseInt(line.slice(first + 1, second), 36);
  const taskId = line.slice(second + 1);
  const sound =
    first > 0 &&
    second > first &&
    Number.isSafeInteger(dueMs) &&
    Number.isSafeInteger(timer) &&
    TASK_ID_PATTERN.test(taskId);
  return sound ? { taskId, dueMs, timer } : undefined;
}

/** The two directories of the due index that hold a moment: its day, and its minute of the day. Sortable as text. */
export interface DueMinute {
  readonly day: string;
  readonly minute: string;
}

/** Minutes since the Unix epoch: moments with the same number are in the same directory. */
export const minuteOf = (dueMs: EpochMs): number => Math.floor(Math.max(0, dueMs) / MINUTE_MS);

export function dueMinute(dueMs: EpochMs): DueMinute {
  const ms = Math.max(0, dueMs);
  return {
    day: String(Math.floor(ms / DAY_MS)).padStart(7, '0'),
    minute: String(Math.floor((ms % DAY_MS) / MINUTE_MS)).padStart(4, '0'),
  };
}

/** `<first due ms>-<maker>`: a reader can leave out pages whose first entry is not due yet, without reading them. */
export const pageName = (firstDueMs: EpochMs, maker: string): string => `${firstDueMs}-${maker}`;
export const pageFirstDueMs = (name: string): EpochMs => Number.parseInt(name, 10);

/** A launch in flight: what a successor must know of it. */
export interface JournalEntry {
  readonly taskId: string;
  readonly slotMs: EpochMs;
  readonly attempt: number;
  /** Asked for by hand. */
  readonly isManual: boolean;
}

export const encodeJournal = (entries: readonly JournalEntry[]): string =>
  entries
    .map(({ slotMs, attempt, isManual, taskId }) => `${slotMs}-${attempt}${isManual ? 'm' : ''}-${taskId}`)
    .join('\n');

/** Lines that are no entries are left out: a journal is read at a takeover, which must not fail. */
export function decodeJournal(text: string): JournalEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d{1,16})-(\d{1,9})(m?)-(.+)$/.exec(line);
    const taskId = match?.[4] ?? '';
    if (match === null || !TASK_ID_PATTERN.test(taskId)) return [];
    return [{ slotMs: Number(match[1]), attempt: Number(match[2]), isManual: match[3] === 'm', taskId }];
  });
}

/** Replies read straight from their frames. Source of the encoding: `zookeeper.jute`, `MultiResponse`. */
import { CoordinatorError, type Node, type Op, type OpResult } from '../../coordinator.ts';
import { CODE, errorOfCode } from './codes.ts';
import { OP } from './request.ts';

/** Length of the frame, xid, zxid, error. */
export const REPLY_HEADER_BYTES = 20;
/** Before each result of a multi: type, done, error. */
const RESULT_HEADER_BYTES = 9;
const STAT_BYTES = 68;
/** Offsets in a Stat: czxid, mzxid and ctime come first. */
const STAT_MTIME = 24;
const STAT_VERSION = 32;
const STAT_OWNER = 44;

export const replyXid = (frame: Buffer): number => frame.readInt32BE(4);

export const replyCode = (frame: Buffer): number => frame.readInt32BE(16);

/** Session ids as ZooKeeper's own tools print them. */
export const sessionName = (id: Buffer): string => `0x${id.readBigUInt64BE(0).toString(16)}`;

/** The node of a `getData` reply; undefined when there is none. */
export function decodeNode(frame: Buffer, path: string): Node | undefined {
  return isFound(frame, `get ${path}`) ? nodeAt(frame, REPLY_HEADER_BYTES) : undefined;
}

/** Whether an `exists` reply says so. */
export const decodeExists = (frame: Buffer, path: string): boolean => isFound(frame, `get ${path}`);

export function decodeChildren(frame: Buffer, path: string): string[] | undefined {
  return isFound(frame, `children ${path}`) ? namesAt(frame, REPLY_HEADER_BYTES).value : undefined;
}

/** The nodes of a multiRead, in the order of `paths`; undefined when the server does not know multiRead. */
export const decodeMultiRead = (frame: Buffer, paths: readonly string[]): (Node | undefined)[] | undefined =>
  decodeReads(frame, paths, 'get', (at) => ({
    value: nodeAt(frame, at),
    endsAt: at + 4 + dataBytes(frame, at) + STAT_BYTES,
  }));

/** The same, of a multiRead of children. */
export const decodeChildrenMany = (frame: Buffer, paths: readonly string[]): (string[] | undefined)[] | undefined =>
  decodeReads(frame, paths, 'children', (at) => namesAt(frame, at));

/** What was read at an offset, and where the next result begins. */
interface ReadAt<T> {
  readonly value: T;
  readonly endsAt: number;
}

function decodeReads<T>(frame: Buffer, paths: readonly string[], what: string, read: (at: number) => ReadAt<T>) {
  const code = replyCode(frame);
  if (code === CODE.unimplemented) return undefined;
  if (code !== CODE.ok) throw errorOfCode(code, `${what} of ${paths.length} nodes`);
  const results: (T | undefined)[] = [];
  let at = REPLY_HEADER_BYTES;
  for (const path of paths) {
    const type = frame.readInt32BE(at);
    at += RESULT_HEADER_BYTES;
    if (type === OP.error) {
      const refused = frame.readInt32BE(at);
      if (refused !== CODE.noNode) throw errorOfCode(refused, `${what} ${path}`);
      results.push(undefined);
      at += 4;
    } else {
      const { value, endsAt } = read(at);
      results.push(value);
      at = endsAt;
    }
  }
  return results;
}

function namesAt(frame: Buffer, start: number): ReadAt<string[]> {
  const count = frame.readInt32BE(start);
  const value: string[] = [];
  let at = start + 4;
  for (let index = 0; index < count; index++) {
    const end = at + 4 + frame.readInt32BE(at);
    value.push(frame.toString('utf8', at + 4, end));
    at = end;
  }
  return { value, endsAt: at };
}

/** The results of a multi, or the error of the operation that was refused. */
export function decodeMulti(frame: Buffer, ops: readonly Op[], root: string): OpResult[] {
  const failed = frame.length > REPLY_HEADER_BYTES && frame.readInt32BE(REPLY_HEADER_BYTES) === OP.error;
  if (failed) throw refusedOp(frame, ops);
  const code = replyCode(frame);
  if (code !== CODE.ok) throw errorOfCode(code, `multi of ${ops.length} operations`);
  let at = REPLY_HEADER_BYTES;
  return ops.map((op) => {
    at += RESULT_HEADER_BYTES;
    switch (op.op) {
      case 'create': {
        const start = at + 4 + Buffer.byteLength(root);
        at += 4 + frame.readInt32BE(at);
        const isNamedByServer = op.mode === 'sequential' || op.mode === 'ephemeral-sequential';
        return { path: isNamedByServer ? frame.toString('utf8', start, at) : op.path, version: 0, modifiedMs: -1 };
      }
      case 'set': {
        const stat = at;
        at += STAT_BYTES;
        return { path: op.path, version: frame.readInt32BE(stat + STAT_VERSION), modifiedMs: msAt(frame, stat) };
      }
      default:
        return { path: op.path, version: -1, modifiedMs: -1 };
    }
  });
}

/** A failed multi lists: ok for the operations before the refused one, then its error, then "inconsistency". */
function refusedOp(frame: Buffer, ops: readonly Op[]): CoordinatorError {
  let at = REPLY_HEADER_BYTES;
  for (const [index, op] of ops.entries()) {
    const code = frame.readInt32BE(at + RESULT_HEADER_BYTES);
    at += RESULT_HEADER_BYTES + 4;
    if (code !== CODE.ok && code !== CODE.runtimeInconsistency) {
      return errorOfCode(code, `${op.op} ${op.path} (operation ${index} of ${ops.length})`, index);
    }
  }
  return new CoordinatorError('internal', `a multi of ${ops.length} operations failed without a reason`);
}

function isFound(frame: Buffer, what: string): boolean {
  const code = replyCode(frame);
  if (code === CODE.ok) return true;
  if (code === CODE.noNode) return false;
  throw errorOfCode(code, what);
}

/** A node without data has length -1. */
const dataBytes = (frame: Buffer, at: number): number => Math.max(0, frame.readInt32BE(at));

function nodeAt(frame: Buffer, at: number): Node {
  const stat = at + 4 + dataBytes(frame, at);
  const node = {
    data: frame.toString('utf8', at + 4, stat),
    version: frame.readInt32BE(stat + STAT_VERSION),
    modifiedMs: msAt(frame, stat),
  };
  const owner = stat + STAT_OWNER;
  // Most nodes have none, and a view of its bytes would cost as much as all that was read so far.
  if (frame.readInt32BE(owner) === 0 && frame.readInt32BE(owner + 4) === 0) return node;
  return { ...node, owner: sessionName(frame.subarray(owner, owner + 8)) };
}

/** Two halves, since a BigInt per node would cost more than the rest of it. */
const msAt = (frame: Buffer, stat: number): number =>
  frame.readInt32BE(stat + STAT_MTIME) * 2 ** 32 + frame.readUInt32BE(stat + STAT_MTIME + 4);

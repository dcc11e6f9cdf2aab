/**
 * What every implementation refuses before it sends anything, and how large a multi is: one rule for all of them, so
 * that what works on one works on the other.
 */
import { COORDINATOR_LIMITS, CoordinatorError, type Op } from '../coordinator.ts';
import { received } from '../errors.ts';

const { nodeBytesMax, multiBytesMax, pathLengthMax } = COORDINATOR_LIMITS;

/** Digits that a sequential create adds to its path. */
export const SEQUENCE_DIGITS = 10;

/** ZooKeeper counts versions in 32 bits. */
const VERSION_MAX = 2 ** 31 - 1;

/** What ZooKeeper's PathUtils refuses: control characters, private use, specials, and all that takes surrogates. */
const FORBIDDEN_IN_PATH = /[\p{Cc}\ud800-\uf8ff\ufff0-\u{10ffff}]/u;

/**
 * What nearly every path looks like: printable ASCII, and no name that begins with a dot. Asked first, as every path of
 * every operation is: 0.1 µs against 0.6 for all the questions of {@link faultOfPath}.
 */
const PLAIN_PATH = /^(?:\/[ -\-0-~][ -.0-~]*)+$/;

/** Bytes around a multi: length, xid and type of the request, and the header that closes the list. */
const MULTI_FRAME_BYTES = 4 + 8 + 9;

/** Bytes of each operation besides its path and data: header, lengths, flags or version; a create also has one ACL. */
const OP_FRAME_BYTES = { create: 9 + 8 + 27 + 4, set: 9 + 8 + 4, remove: 9 + 4 + 4, check: 9 + 4 + 4 } as const;

/** Bytes of one operation within a multi, as ZooKeeper would encode it. For those who fill multis up to the limit. */
export const opBytes = (op: Op): number => OP_FRAME_BYTES[op.op] + Buffer.byteLength(op.path) + dataBytes(op);

const dataBytes = (op: Op): number => ('data' in op ? Buffer.byteLength(op.data) : 0);

/** Throws `invalid` unless `path` is one that every implementation takes. */
export function assertPath(path: string): void {
  if (isPlainPath(path, 0)) return;
  const wrong = faultOfPath(path, 0);
  if (wrong) throw new CoordinatorError('invalid', `the path ${received(path)} ${wrong}`);
}

/**
 * Throws `invalid` or `too-large`, naming the operation, unless every implementation would send these. Gives the bytes
 * of the multi, for which every text has been measured here.
 */
export function assertMulti(ops: readonly Op[]): number {
  let totalBytes = MULTI_FRAME_BYTES;
  for (let opIndex = 0; opIndex < ops.length; opIndex++) totalBytes += assertOp(ops[opIndex] as Op, opIndex);
  if (totalBytes > multiBytesMax) {
    const message = `a multi of ${ops.length} operations has ${totalBytes} bytes; at most ${multiBytesMax} are allowed`;
    throw new CoordinatorError('too-large', message);
  }
  return totalBytes;
}

/** Gives the operation's bytes, as {@link opBytes} does. */
function assertOp(op: Op, opIndex: number): number {
  const { path } = op;
  const added = isSequential(op) ? SEQUENCE_DIGITS : 0;
  const isPlain = isPlainPath(path, added);
  const wrong = isPlain ? undefined : faultOfPath(path, added);
  if (wrong) throw invalid(`the path ${received(path)} ${wrong}`, opIndex);
  // With a number it would be a node beside the chroot.
  if (path === '/' && (op.op === 'remove' || isSequential(op))) {
    throw invalid('the root cannot be removed, nor made with a number', opIndex);
  }
  if (op.op !== 'create' && !isVersion(op.version)) {
    const allowed = 'an integer from 0 is allowed, or nothing for any version';
    throw invalid(`version ${received(op.version)} of ${path}: ${allowed}`, opIndex);
  }
  const bytes = dataBytes(op);
  if (bytes > nodeBytesMax) {
    const message = `the data of ${path} has ${bytes} bytes; at most ${nodeBytesMax} are allowed`;
    throw new CoordinatorError('too-large', message, { opIndex });
  }
  return OP_FRAME_BYTES[op.op] + (isPlain ? path.length : Buffer.byteLength(path)) + bytes;
}

const invalid = (message: string, opIndex: number): CoordinatorError =>
  new CoordinatorError('invalid', message, { opIndex });

const isVersion = (version: number | undefined): boolean =>
  version === undefined || (Number.isInteger(version) && version >= 0 && version <= VERSION_MAX);

export const isSequential = (op: Op): boolean =>
  op.op === 'create' && (op.mode === 'sequential' || op.mode === 'ephemeral-sequential');

/** Without a fault, in characters of one byte each. */
const isPlainPath = (path: string, added: number): boolean =>
  path.length + added <= pathLengthMax && PLAIN_PATH.test(path);

function faultOfPath(path: string, added: number): string | undefined {
  if (!path.startsWith('/')) return 'must start with a slash';
  if (path.length + added > pathLengthMax) return `must not be longer than ${pathLengthMax - added} characters`;
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'must not end with a slash';
  if (FORBIDDEN_IN_PATH.test(path)) return 'must not hold control characters or characters beyond ZooKeeper’s range';
  const names = path.slice(1).split('/');
  if (names.includes('')) return 'must not have an empty name in it';
  if (names.includes('.') || names.includes('..')) return 'must not be relative';
  return undefined;
}

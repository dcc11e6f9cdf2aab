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

/** Bytes around a multi: length, xid and type of the request, and the header that closes the list. */
const MULTI_FRAME_BYTES = 4 + 8 + 9;

/** Bytes of each operation besides its path and data: header, lengths, flags or version; a create also has one ACL. */
const OP_FRAME_BYTES = { create: 9 + 8 + 4 + 27 + 4, set: 9 + 8 + 4, remove: 9 + 4 + 4, check: 9 + 4 + 4 } as const;

/** Bytes of one operation within a multi, as ZooKeeper would encode it. For those who fill multis up to the limit. */
export function opBytes(op: Op): number {
  const data = 'data' in op ? Buffer.byteLength(op.data) : 0;
  return OP_FRAME_BYTES[op.op] + Buffer.byteLength(op.path) + data;
}

/** Throws `invalid` unless `path` is one that every implementation takes. */
export function assertPath(path: string): void {
  const wrong = faultOfPath(path);
  if (wrong) throw new CoordinatorError('invalid', `the path ${received(path)} ${wrong}`);
}

/** Throws `invalid` or `too-large`, naming the operation, unless every implementation would send these. */
export function assertMulti(ops: readonly Op[]): void {
  let totalBytes = MULTI_FRAME_BYTES;
  for (const [opIndex, op] of ops.entries()) {
    assertOp(op, opIndex);
    const bytes = opBytes(op);
    const dataBytes = bytes - OP_FRAME_BYTES[op.op] - Buffer.byteLength(op.path);
    if (dataBytes > nodeBytesMax) {
      const message = `the data of ${op.path} has ${dataBytes} bytes; at most ${nodeBytesMax} are allowed`;
      throw new CoordinatorError('too-large', message, { opIndex });
    }
    totalBytes += bytes;
  }
  if (totalBytes > multiBytesMax) {
    const message = `a multi of ${ops.length} operations has ${totalBytes} bytes; at most ${multiBytesMax} are allowed`;
    throw new CoordinatorError('too-large', message);
  }
}

function assertOp(op: Op, opIndex: number): void {
  const refuse = (message: string) => {
    throw new CoordinatorError('invalid', message, { opIndex });
  };
  const wrong = faultOfPath(op.path, isSequential(op) ? SEQUENCE_DIGITS : 0);
  if (wrong) refuse(`the path ${received(op.path)} ${wrong}`);
  if (op.op === 'remove' && op.path === '/') refuse('the root cannot be removed');
  if (op.op === 'create' || op.version === undefined) return;
  if (!Number.isInteger(op.version) || op.version < 0 || op.version > VERSION_MAX) {
    refuse(`version ${received(op.version)} of ${op.path}: an integer from 0 is allowed, or nothing for any version`);
  }
}

export const isSequential = (op: Op): boolean =>
  op.op === 'create' && (op.mode === 'sequential' || op.mode === 'ephemeral-sequential');

function faultOfPath(path: string, added = 0): string | undefined {
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

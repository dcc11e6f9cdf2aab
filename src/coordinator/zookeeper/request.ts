/**
 * Requests as bytes, in the place of the client's generic records: half of the client's time per launch, and exact
 * versions (the client's transactions turn version 0 into "any").
 *
 * Source of the encoding: `zookeeper.jute` and `MultiOperationRecord` in ZooKeeper.
 */
import { CoordinatorError, type CreateMode, type Op } from '../../coordinator.ts';
import { assertMulti } from '../limits.ts';

/** Source: `ZooDefs.OpCode`. */
export const OP = {
  create: 1,
  remove: 2,
  exists: 3,
  getData: 4,
  set: 5,
  children: 8,
  ping: 11,
  check: 13,
  multi: 14,
  multiRead: 22,
  closeSession: -11,
  error: -1,
} as const;

/** Length of the frame, xid, op code. */
const HEADER_BYTES = 12;
const PING_XID = -2;
const ANY_VERSION = -1;
/** A server's jute.maxbuffer is 1,048,575 bytes unless it was changed. */
const PACKET_BYTES_MAX = 1_000_000;
/** From here on a call into Node is cheaper than a loop: a path takes 60 ns in a loop, and 190 in a call. */
const SHORT_LENGTH_MAX = 96;
/** Above it a character takes more than one byte. */
const ASCII_MAX = 0x7f;
/** So that the last texts need not be measured before they are written. */
const SPARE_BYTES = 1024;
const CREATE_FLAGS: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  sequential: 2,
  'ephemeral-sequential': 3,
};

/** What the client's queue calls a request. It fills in the xid and calls `toBuffer` at the moment of sending. */
export class Request {
  readonly header: { readonly type: number; xid: number };
  /** Whether the bytes have been given to a socket: from then on the server may have acted on them. */
  sent = false;
  /** One of the two is called, once: with the reply's frame, or with the reason why there will be none. */
  onReply: (frame: Buffer) => void = ignore;
  onFail: (error: CoordinatorError) => void = ignore;
  #bytes: Buffer;
  #length = HEADER_BYTES;

  constructor(type: number, expectedBytes = 64, xid = 0) {
    this.header = { type, xid };
    this.#bytes = Buffer.allocUnsafe(HEADER_BYTES + expectedBytes);
    this.#bytes.writeInt32BE(type, 8);
  }

  get byteLength(): number {
    return this.#length;
  }

  int(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
    return this;
  }

  flag(value: boolean): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? 1 : 0;
    return this;
  }

  /** UTF-8 with its length before it; in two pieces, so that a path under the chroot need not be joined first. */
  text(value: string, head = ''): this {
    const length = head.length + value.length;
    // No text has more than three bytes per character; counting them exactly is for where that does not fit.
    const hasRoom = this.#bytes.length - this.#length >= 4 + length * 3;
    if (!hasRoom) this.#reserve(4 + Buffer.byteLength(head) + Buffer.byteLength(value));
    const start = this.#length;
    this.#length += 4;
    if (head !== '') this.#write(head);
    this.#write(value);
    this.#bytes.writeInt32BE(this.#length - start - 4, start);
    return this;
  }

  raw(bytes: Buffer): this {
    this.#reserve(bytes.length);
    this.#length += bytes.copy(this.#bytes, this.#length);
    return this;
  }

  /** The client's record of a request has one; ours is ready bytes. */
  readonly payload = null;

  toBuffer(): Buffer {
    this.sent = true;
    this.#bytes.writeInt32BE(this.#length - 4, 0);
    this.#bytes.writeInt32BE(this.header.xid, 4);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where there is room. */
  #write(value: string): void {
    if (value.length <= SHORT_LENGTH_MAX && this.#writeAscii(value)) return;
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** Whether `value` is ASCII, and so has been written. */
  #writeAscii(value: string): boolean {
    const bytes = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > ASCII_MAX) return false;
      bytes[start + index] = code;
    }
    this.#length += value.length;
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function ignore(): void {}

/** Who may touch the nodes that a session makes, as ZooKeeper encodes a list of ACLs. */
export type Acl = Buffer;

const PERMISSIONS_ALL = 31;

const encodeAcl = (scheme: string, id: string): Acl => {
  const acl = new Request(0).int(1).int(PERMISSIONS_ALL).text(scheme).text(id);
  return Buffer.from(acl.toBuffer().subarray(HEADER_BYTES));
};

export const ACL_OPEN: Acl = encodeAcl('world', 'anyone');
/** Whoever has authenticated on the connection that creates the node; the server puts the identity in. */
export const ACL_CREATOR: Acl = encodeAcl('auth', '');

export interface Tree {
  /** The chroot, empty when there is none. */
  readonly root: string;
  /** For nodes that are created. */
  readonly acl: Acl;
}

export const pingRequest = (): Request => new Request(OP.ping, 0, PING_XID);

export const closeRequest = (): Request => new Request(OP.closeSession, 0);

/** `getData` and `exists` look alike on the wire. `path` is absolute. */
export const readRequest = (type: typeof OP.getData | typeof OP.exists, path: string, watch = false): Request =>
  new Request(type, 5 + path.length).text(path).flag(watch);

export const childrenRequest = (path: string): Request =>
  new Request(OP.children, 5 + path.length).text(path).flag(false);

/** Many reads of one kind in one request, in ZooKeeper since 3.6. `paths` are absolute. */
export function multiReadRequest(type: typeof OP.getData | typeof OP.children, paths: readonly string[]): Request {
  const request = new Request(OP.multiRead, 16 + paths.length * 64);
  for (const path of paths) writeHeader(request, type).text(path).flag(false);
  return writeEnd(request);
}

/** @throws CoordinatorError `too-large` or `invalid`, naming the operation. */
export function multiRequest(ops: readonly Op[], { root, acl }: Tree): Request {
  const bytes = assertMulti(ops) + ops.length * Buffer.byteLength(root);
  requirePacketSize(bytes, ops);
  const request = new Request(OP.multi, bytes + SPARE_BYTES);
  for (const op of ops) {
    writeHeader(request, OP[op.op]).text(belowRoot(op.path, root), root);
    switch (op.op) {
      case 'create':
        request
          .text(op.data)
          .raw(acl)
          .int(CREATE_FLAGS[op.mode ?? 'persistent']);
        break;
      case 'set':
        request.text(op.data).int(op.version ?? ANY_VERSION);
        break;
      default:
        request.int(op.version ?? ANY_VERSION);
    }
  }
  return writeEnd(request);
}

/** What follows the chroot in a path of the server: its top is the chroot itself. */
const belowRoot = (path: string, root: string): string => (path === '/' && root !== '' ? '' : path);

/** Type, whether it is the last, and an error, which a request has none of. */
const writeHeader = (request: Request, type: number): Request => request.int(type).flag(false).int(-1);

const writeEnd = (request: Request): Request => request.int(OP.error).flag(true).int(-1);

/**
 * The chroot is in every path and not in the common limits. A larger packet would be answered by a cut connection, for
 * everything else that is on the way too.
 */
function requirePacketSize(bytes: number, ops: readonly Op[]): void {
  if (bytes <= PACKET_BYTES_MAX) return;
  const message = `a multi of ${ops.length} operations exceeds ${PACKET_BYTES_MAX} bytes with the chroot in every path`;
  throw new CoordinatorError('too-large', message);
}

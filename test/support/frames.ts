/** ZooKeeper's frames as they pass a proxy, and what can be done to them there. */
import type { FlakyProxy } from './proxy.ts';

export interface Frame {
  /** The length and what it counts. */
  readonly bytes: Buffer;
  readonly xid: number;
  /** In a request: the op code. */
  readonly type: number;
}

export const OP = { auth: 100, setWatches: 101, multi: 14, multiRead: 22, getData: 4 } as const;

/** The offset of a request's op code, and of a reply's error, in a frame. */
const TYPE_AT = 8;
const ERROR_AT = 16;

/** The whole frames in `bytes`, which must start with one. They share its memory: writing to them changes it. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    const frame = bytes.subarray(at, end);
    frames.push({ bytes: frame, xid: frame.readInt32BE(4), type: frame.readInt32BE(TYPE_AT) });
    at = end;
  }
  return frames;
}

/** A tap that changes the op code of the requests that have it. */
export function renumber(from: number, to: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    for (const frame of framesIn(bytes)) if (frame.type === from) frame.bytes.writeInt32BE(to, TYPE_AT);
    return bytes;
  };
}

/** A pair of taps: the replies to requests with op code `type` become errors with `code`, and nothing else. */
export function failWith(type: number, code: number) {
  const xids = new Set<number>();
  return {
    onClientBytes: (bytes: Buffer) => {
      for (const frame of framesIn(bytes)) if (frame.type === type) xids.add(frame.xid);
      return bytes;
    },
    onServerBytes: (bytes: Buffer) =>
      Buffer.concat(
        framesIn(bytes).map((frame) => {
          if (!xids.has(frame.xid)) return frame.bytes;
          const refusal = Buffer.from(frame.bytes.subarray(0, ERROR_AT + 4));
          refusal.writeInt32BE(refusal.length - 4, 0);
          refusal.writeInt32BE(code, ERROR_AT);
          return refusal;
        }),
      ),
  };
}

/** The next reply to a request gets lost with its connection: the request was carried out, and nobody hears of it. */
export function loseNextReply(proxy: FlakyProxy): void {
  proxy.onServerBytes = (bytes) => {
    if (framesIn(bytes).every(({ xid }) => xid <= 0)) return bytes;
    proxy.onServerBytes = (later) => later;
    proxy.cutAll();
    return Buffer.alloc(0);
  };
}

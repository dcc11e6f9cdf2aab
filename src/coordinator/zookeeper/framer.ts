/**
 * Cuts a byte stream into ZooKeeper's frames (four bytes of length, then as many bytes).
 *
 * The client's own way of doing it joins every chunk to all that came before and calls itself for each frame, which is
 * quadratic for a large reply, and it keeps half a frame across connections, after which nothing can be read any more.
 * Here a frame that arrives whole is handed on without a copy, one that comes in pieces is joined once.
 */

const LENGTH_BYTES = 4;

/** No reply of ours can be larger: a read asks for at most 256 nodes of 256 KiB. Anything above is not a length. */
const FRAME_BYTES_MAX = 128 * 1024 * 1024;

export class Framer {
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  #wantedBytes = LENGTH_BYTES;

  /** Forgets what a lost connection left behind. */
  reset(): void {
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#wantedBytes = LENGTH_BYTES;
  }

  /**
   * Calls `onFrame` with every frame that `chunk` completes, its length included.
   * @throws RangeError when the bytes cannot be a frame; the connection is of no use then.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let bytes = chunk;
    if (this.#piecesBytes > 0) {
      this.#pieces.push(chunk);
      this.#piecesBytes += chunk.length;
      if (this.#piecesBytes < this.#wantedBytes) return;
      bytes = Buffer.concat(this.#pieces, this.#piecesBytes);
      this.reset();
    }
    let start = 0;
    while (bytes.length - start >= LENGTH_BYTES) {
      const end = start + LENGTH_BYTES + frameLength(bytes, start);
      if (end > bytes.length) {
        this.#wantedBytes = end - start;
        break;
      }
      const frame = bytes.subarray(start, end);
      start = end;
      onFrame(frame);
    }
    if (start < bytes.length) {
      this.#pieces.push(bytes.subarray(start));
      this.#piecesBytes = bytes.length - start;
    }
  }
}

function frameLength(bytes: Buffer, start: number): number {
  const length = bytes.readInt32BE(start);
  if (length < 0 || length > FRAME_BYTES_MAX) {
    throw new RangeError(`a frame of ${length} bytes was announced; at most ${FRAME_BYTES_MAX} are possible`);
  }
  return length;
}

/**
 * Where the memory of runs that wait is kept, as in a swap file: in frames of one size, so that runs come and go
 * without anything being allocated, and each holds only what it has changed.
 */

/** Small enough that a run's few changes take few bytes, large enough that finding them takes few steps. */
export const FRAME_BYTES = 4096;
const SLAB_FRAMES = 256;
/** Slabs that stay when nobody waits any more. */
const KEPT_SLABS = 16;

export type Frame = number;

export class Frames {
  readonly #slabs: Buffer[] = [];
  readonly #free: Frame[] = [];
  #used = 0;

  get usedBytes(): number {
    return this.#used * FRAME_BYTES;
  }

  /** Copies {@link FRAME_BYTES} from each address on: all of them, or, when there is no memory, none. */
  keep(memory: Buffer, addresses: readonly number[]): Frame[] {
    while (this.#free.length < addresses.length) this.#grow();
    return addresses.map((at) => {
      const frame = this.#free.pop() as Frame;
      this.#used++;
      memory.copy(this.#slabOf(frame), offsetOf(frame), at, at + FRAME_BYTES);
      return frame;
    });
  }

  /** Copies a frame back, and gives it away. */
  restore(frame: Frame, memory: Buffer, at: number): void {
    this.#slabOf(frame).copy(memory, at, offsetOf(frame), offsetOf(frame) + FRAME_BYTES);
    this.drop(frame);
  }

  drop(frame: Frame): void {
    this.#free.push(frame);
    this.#used--;
    if (this.#used === 0 && this.#slabs.length > KEPT_SLABS) this.#shrink();
  }

  #slabOf(frame: Frame): Buffer {
    return this.#slabs[Math.floor(frame / SLAB_FRAMES)] as Buffer;
  }

  #grow(): void {
    const first = this.#slabs.length * SLAB_FRAMES;
    this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_FRAMES * FRAME_BYTES));
    for (let i = SLAB_FRAMES - 1; i >= 0; i--) this.#free.push(first + i);
  }

  #shrink(): void {
    this.#slabs.length = KEPT_SLABS;
    this.#free.length = 0;
    for (let frame = KEPT_SLABS * SLAB_FRAMES - 1; frame >= 0; frame--) this.#free.push(frame);
  }
}

const offsetOf = (frame: Frame): number => (frame % SLAB_FRAMES) * FRAME_BYTES;

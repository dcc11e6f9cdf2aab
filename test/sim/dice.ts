/**
 * Chance that can be repeated: every decision has a name and numbers of its own, and none depends on how many others were
 * made before it. So a fault that is switched off leaves all the others where they were.
 */

/** Spreads the bits of 32-bit integers (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

export class Dice {
  #state: number;

  /** The same parts give the same numbers. */
  constructor(seed: number, purpose: string, ...ordinals: readonly number[]) {
    let state = mix(seed ^ 0x9e3779b9) ^ hashText(purpose);
    for (const ordinal of ordinals) state = mix(Math.imul(state, 0x01000193) ^ mix(ordinal + 0x7f4a7c15));
    this.#state = state;
  }

  /** Uniform in [0, 1). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(this.#state) / 2 ** 32;
  };

  hit(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T;
  }
}

/**
 * Which further ticks a tick asks for, when work waits that it cannot get through: disjoint sets of shards, one for each.
 * It cannot run away. Of one trigger, generation g has at most `max` to the power of g invocations, and never more than
 * the namespace has shards, since their sets are disjoint parts of what the generation before was given:
 *
 *     invocations ≤ Σ (g = 1 … GENERATIONS_MAX) min(max^g, shards)
 */

/** Further ticks that one tick may ask for. */
export const FAN_OUT_MAX = 16;

/** Ticks that were asked for may ask for others, so often. */
export const GENERATIONS_MAX = 3;

/** What one tick asks another for: the payload of an invocation. */
export interface Invocation {
  readonly command: 'tick';
  readonly shards: readonly number[];
  /** 1: asked for by a tick that was triggered; 2: by one of those … */
  readonly generation: number;
  /** As the tick that asks was told; absent: as the function is set up. */
  readonly lingerMs?: number;
}

/** The tick that asks. */
export interface Asker {
  /** Ticks that it may ask for in all. */
  readonly max: number;
  /** How many shards a tick takes at a time; 0: all of them. */
  readonly shardsPerTick: number;
  /** Shards that it was told to take; absent: all. */
  readonly shards?: readonly number[];
  /** 0: it was triggered. */
  readonly generation?: number;
  readonly lingerMs?: number;
}

/**
 * @param loaded shards with due work that nobody is going to do.
 * @param before what this tick has asked for so far: no shard is asked for twice.
 */
export function fanOut(asker: Asker, loaded: readonly number[], before: readonly Invocation[] = []): Invocation[] {
  const { max, shardsPerTick, shards, generation = 0, lingerMs } = asker;
  if (generation >= GENERATIONS_MAX) return [];
  const asked = new Set(before.flatMap((invocation) => invocation.shards));
  const own = shards === undefined ? undefined : new Set(shards);
  const left = [...new Set(loaded)].filter((shard) => !asked.has(shard) && (own?.has(shard) ?? true));
  const wanted = Math.ceil(left.length / Math.max(1, shardsPerTick));
  const count = Math.max(0, Math.min(max - before.length, wanted));
  return Array.from({ length: count }, (_, i) => ({
    command: 'tick',
    shards: left.filter((_, at) => at % count === i),
    generation: generation + 1,
    ...(lingerMs !== undefined && { lingerMs }),
  }));
}

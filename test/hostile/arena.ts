/**
 * Runs hostile cases as an embedding program would: through the library's face, one worker, capabilities that count
 * and err, another task waiting in the same worker, and a canary afterwards.
 */
import { createEvaluator, type Outcome } from '../../src/index.ts';
import { CANARY } from './canary.ts';
import { type CapabilityName, type HostileCase, sourceOf } from './case.ts';
import { Secrets } from './secrets.ts';

type Evaluator = Awaited<ReturnType<typeof createEvaluator>>;
type Capabilities = NonNullable<Parameters<Evaluator['evaluate']>[0]['capabilities']>;

/** What a hostile run has, everything included. */
export const WALL_MS = 500;
/** No run may take this long, on the busiest machine. */
export const HANG_MS = 30_000;
/** The canary walks all objects of the engine, perhaps on a busy machine. */
const CANARY_LIMITS = { wallMs: HANG_MS, cpuMs: HANG_MS, resultBytes: 1024 * 1024 };
/** How often a run may be lost to others. */
const LOSSES_MAX = 10;
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** What was seen of a run. */
export interface Ran {
  /** Undefined: it hung. */
  readonly outcome: Outcome | undefined;
  readonly tookMs: number;
  /** Calls that reached the host, by capability; more may come as long as the object is looked at. */
  readonly calls: Readonly<Record<CapabilityName, number>>;
  /** What the run has put into prototypes of the host. */
  readonly pollution: readonly string[];
}

/** What was seen of a run, and of those beside and after it. */
export interface Observation extends Ran {
  /** What the next run found. */
  readonly canary: Outcome;
  /** What the task found that waited in the same worker meanwhile. */
  readonly neighbour: Outcome;
  /** What the two find in a fresh worker. */
  readonly pristine: unknown;
}

export class Arena {
  readonly secrets = new Secrets();
  #evaluator: Evaluator;
  #pristine: unknown;
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
  }

  static async open(): Promise<Arena> {
    const arena = new Arena(await open());
    arena.#pristine = (await arena.#lookAround()).value;
    return arena;
  }

  /** One case, in at most `wallMs`, beside a task that waits and before one that looks around. */
  async perform(given: HostileCase, wallMs = WALL_MS): Promise<Observation> {
    const { promise: over, resolve: release } = Promise.withResolvers<void>();
    const neighbour = this.#lookAround(over);
    const ran = await this.run(given, wallMs);
    release();
    if (ran.outcome === undefined) await this.#reopen();
    const canary = await this.#lookAfterwards();
    return { ...ran, canary, neighbour: await neighbour, pristine: this.#pristine };
  }

  /** One case, and nothing else. */
  async run(given: HostileCase, wallMs: number): Promise<Ran> {
    const calls = { add: 0, echo: 0, boom: 0, toss: 0, slow: 0, merge: 0 };
    const pollution: string[] = [];
    const capabilities = this.#capabilities(calls, pollution);
    const startedAt = performance.now();
    const outcome = await this.#guarded(this.#evaluate(given, wallMs, capabilities));
    const tookMs = performance.now() - startedAt;
    pollution.push(...cleanPrototypes());
    return { outcome, tookMs, calls, pollution };
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.secrets.dispose();
    await this.#evaluator.close();
  }

  async #evaluate(given: HostileCase, wallMs: number, capabilities: Capabilities): Promise<Outcome> {
    const giveUp = new AbortController();
    const { cancelAfterMs } = given;
    const timer = cancelAfterMs ? setTimeout(() => giveUp.abort(), cancelAfterMs) : undefined;
    if (cancelAfterMs === 0) giveUp.abort();
    try {
      return await this.#evaluator.evaluate({
        code: sourceOf(given),
        input: given.input ?? { a: 1 },
        capabilities,
        limits: { wallMs, ...given.limits },
        taskId: 'hostile',
        ...(cancelAfterMs !== undefined && { signal: giveUp.signal }),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the host lends; each is as careless as a capability may be. */
  #capabilities(calls: Record<CapabilityName, number>, polluted: string[]): Capabilities {
    const { token, path } = this.secrets;
    return {
      add: (a: number, b: number) => {
        calls.add++;
        return a + b;
      },
      echo: (value: unknown) => {
        calls.echo++;
        return value;
      },
      boom: () => {
        calls.boom++;
        throw Object.assign(new Error('boom', { cause: new Error(token) }), { path, secret: token });
      },
      toss: (value: unknown) => {
        calls.toss++;
        throw value;
      },
      slow: (ms: number) => {
        calls.slow++;
        return new Promise((resolve) => {
          this.#timers.add(setTimeout(resolve, Math.min(ms, HANG_MS)).unref());
        });
      },
      merge: (target: object, source: object) => {
        calls.merge++;
        const merged = merge(target, source);
        polluted.push(...cleanPrototypes());
        return merged;
      },
    };
  }

  /** A run of the canary that waits in the middle, so that it can see what happens meanwhile. */
  #lookAround(meanwhile: Promise<void> = Promise.resolve()): Promise<Outcome> {
    return this.#evaluator.evaluate({
      code: CANARY,
      state: { secret: this.secrets.state },
      capabilities: { wait: () => meanwhile },
      limits: CANARY_LIMITS,
      taskId: 'neighbour',
      seed: 'canary',
      now: NOW_MS,
    });
  }

  /** What a run finds afterwards. One that was lost with its worker, to another case, is run again as anybody would. */
  async #lookAfterwards(): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#lookAround();
      if (outcome.error?.class !== 'WorkerLost' || attempt === LOSSES_MAX) return outcome;
    }
  }

  async #guarded(run: Promise<Outcome>): Promise<Outcome | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const hung = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), HANG_MS);
    });
    try {
      return await Promise.race([run, hung]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #reopen(): Promise<void> {
    void this.#evaluator.close();
    this.#evaluator = await open();
  }
}

const open = (): Promise<Evaluator> => createEvaluator({ workers: 1 });

/** A merge as careless programs write it: it follows whatever own keys it is given. */
function merge(target: object, source: object): object {
  for (const key of Object.keys(source)) {
    const [mine, theirs]: unknown[] = [Reflect.get(target, key), Reflect.get(source, key)];
    if (isObject(mine) && isObject(theirs)) merge(mine, theirs);
    else Reflect.set(target, key, theirs);
  }
  return target;
}

/** Finds what is enumerable in prototypes, and takes it away: the next case must not be blamed for it. */
function cleanPrototypes(): string[] {
  const prototypes = [Object.prototype, Array.prototype, Function.prototype, Error.prototype, String.prototype];
  return prototypes.flatMap((prototype) => {
    const keys = Object.keys(prototype);
    for (const key of keys) Reflect.deleteProperty(prototype, key);
    return keys;
  });
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

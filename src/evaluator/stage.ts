/**
 * The worker's one instance, and the runs that take turns in it. A run that waits keeps its place until another wants
 * it, and then leaves with a copy of its memory; all instances of a module lie alike, so it can go on in any of them.
 * Hundreds of runs wait this way for the price of what each really uses, and none holds up another.
 */
import type { RunErrorClass } from '../launch.ts';
import { Frames } from './frames.ts';
import type { Guest, Host } from './host.ts';
import { Instance, type Pristine } from './instance.ts';
import type { SavedMemory } from './memory.ts';
import { ModuleStates } from './module-states.ts';
import { Occupancy } from './stopwatch.ts';

/** Bytes that all runs together may hold while they wait off stage. Beyond, whoever holds most must go. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes above which no new run should enter, so that those that wait have room to grow. */
const CROWDED_BYTES = WAITING_BYTES_MAX / 2;
/** A run, as far as the stage knows it. */
export interface Player extends Host {
  /** It holds the most memory of all that wait, and there is none left. It leaves at once. */
  crowdOut(): void;
}

export class Stage {
  readonly occupancy = new Occupancy();
  readonly states = new ModuleStates();
  readonly #module: WebAssembly.Module;
  readonly #pristine: Pristine;
  #instance: Instance;
  #onStage: Player | undefined;
  readonly #waiting = new Map<Player, SavedMemory>();
  readonly #frames = new Frames();

  constructor(module: WebAssembly.Module, guest: Guest) {
    this.#module = module;
    this.#instance = new Instance(module, { guest });
    this.#pristine = this.#instance.pristine;
  }

  get isCrowded(): boolean {
    return this.#frames.usedBytes > CROWDED_BYTES;
  }

  /** The instance, for a run that comes for the first time: it finds the memory of another one there, and resets it. */
  enter(player: Player): Instance {
    this.#clear();
    return this.#receive(player);
  }

  /** The instance, with the memory of this run in it, which has waited. */
  resume(player: Player): Instance {
    if (this.#onStage === player) return this.#instance;
    const saved = this.#waiting.get(player);
    // Were it let in all the same, it would go on in the memory of another.
    if (saved === undefined) throw new Error('the memory of this run was lost');
    this.#clear();
    this.#instance.restore(player, saved, this.#frames);
    this.#waiting.delete(player);
    return this.#receive(player);
  }

  /** What is known of the run's memory, while it is on stage. */
  memoryOf(player: Player): Instance['memory'] | undefined {
    return this.#onStage === player ? this.#instance.memory : undefined;
  }

  /** The run is over, well or with a failure. */
  leave(player: Player, failure: RunErrorClass | undefined): void {
    const saved = this.#waiting.get(player);
    if (saved !== undefined) {
      for (const frame of saved.frames) this.#frames.drop(frame);
      this.#waiting.delete(player);
    }
    if (this.#onStage !== player) return;
    this.#onStage = undefined;
    this.#instance.release(failure === undefined);
    this.#renew(failure === 'EngineTrap');
  }

  #receive(player: Player): Instance {
    this.#onStage = player;
    while (this.#frames.usedBytes > WAITING_BYTES_MAX) this.#heaviest().crowdOut();
    return this.#instance;
  }

  /** Whoever is on stage makes room, and waits elsewhere. */
  #clear(): void {
    const player = this.#onStage;
    if (player === undefined) return;
    this.#onStage = undefined;
    this.#waiting.set(player, this.#instance.save(this.#frames));
    this.#renew(false);
  }

  #heaviest(): Player {
    const [first, ...others] = this.#waiting;
    if (first === undefined) throw new Error('nobody waits, and yet there is no room');
    return others.reduce((most, other) => (other[1].frames.length > most[1].frames.length ? other : most), first)[0];
  }

  /** Another instance in place of one that is broken or has grown too large: memory cannot shrink. */
  #renew(isBroken: boolean): void {
    if (!isBroken && !this.#instance.memory.isBloated) return;
    this.#instance = new Instance(this.#module, { pristine: this.#pristine });
  }
}

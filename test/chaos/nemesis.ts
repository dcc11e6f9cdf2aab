/** Does what was planned, to workers, their networks, the ensemble and the trigger; and notes when and to whom. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Member, Servers } from '../../tools/zookeeper-server.ts';
import type { Worker } from './crew.ts';
import type { Excuse, Fault } from './evidence.ts';
import type { Network } from './network.ts';
import type { FaultKind, Planned } from './plan.ts';

/** Waits no longer than this for a run to be hit in the middle of. */
const IN_RUN_MS = 3_000;

/** Who spoke to the listener within this time is at work. */
const BUSY_MS = 3_000;

export interface Victims {
  readonly servers: Servers;
  readonly workers: readonly Worker[];
  readonly networks: readonly Network[];
  /** Who spoke to the listener last, and when. */
  readonly lastHeard: () => { readonly worker: number; readonly atMs: number } | undefined;
}

interface Mutable extends Omit<Fault, 'untilMs'> {
  untilMs: number;
}

export class Nemesis {
  readonly #victims: Victims;
  readonly #faults: Mutable[] = [];
  readonly #signal: AbortSignal;
  readonly #onOver: (fault: Fault) => void;
  /** What is done to the ensemble is done one after the other. */
  #ensemble: Promise<void> = Promise.resolve();

  /** When `signal` aborts, everything is left as it is. `onOver` is told of each fault when it is undone. */
  constructor(victims: Victims, signal: AbortSignal, onOver: (fault: Fault) => void) {
    this.#victims = victims;
    this.#signal = signal;
    this.#onOver = onOver;
  }

  get faults(): readonly Fault[] {
    return this.#faults;
  }

  /** Settles when everything is done, and undone again, or nothing more will be. */
  async work(planned: readonly Planned[], startedMs: number): Promise<void> {
    const results = await Promise.allSettled(
      planned.map(async (each) => {
        await this.#wait(Math.max(0, startedMs + each.atMs - Date.now()));
        await this.#act(each);
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #wait = (waitMs: number): Promise<void> => delay(waitMs, undefined, { signal: this.#signal });

  #act(planned: Planned): Promise<void> {
    const { kind, lastsMs, delayMs } = planned;
    switch (kind) {
      case 'kill-worker':
        return this.#toProcess(planned, (worker) => this.#kill(worker, lastsMs));
      case 'freeze-worker':
        return this.#toProcess(planned, (worker) => this.#freeze(worker, lastsMs));
      case 'cut':
        return this.#toNetwork(planned, (network) => network.cut());
      case 'black-hole':
        return this.#toNetwork(planned, (network) => network.blackHole());
      case 'half-open':
        return this.#toNetwork(planned, (network) => network.halfOpen());
      case 'delay':
        return this.#toNetwork(planned, (network) => network.slowDown(delayMs));
      case 'drop-replies':
        return this.#toNetwork(planned, (network) => network.dropReplies());
      case 'double-trigger':
        return this.#doubleTrigger(planned);
      case 'late-trigger':
        return this.#lateTrigger(lastsMs);
      default:
        return this.#toEnsemble(kind, lastsMs);
    }
  }

  /** The one that the plan names, unless it is down already. */
  #target({ worker, prefersBusy }: Planned): Worker {
    const { workers, lastHeard } = this.#victims;
    const heard = prefersBusy ? lastHeard() : undefined;
    const first = heard !== undefined && Date.now() - heard.atMs < BUSY_MS ? heard.worker : worker;
    const inOrder = workers.map((_, i) => workers[(first + i) % workers.length] as Worker);
    return inOrder.find(({ isRunning, isFrozen }) => isRunning && !isFrozen) ?? (inOrder[0] as Worker);
  }

  async #toProcess(planned: Planned, act: (worker: Worker) => Promise<void>): Promise<void> {
    const worker = this.#target(planned);
    if (planned.inRun) {
      await worker.inRun(IN_RUN_MS);
      await this.#wait(planned.delayMs);
    }
    if (!worker.isRunning || worker.isFrozen) return; // another fault was faster
    await this.#noted(planned.kind, 'runs', worker.index, () => act(worker));
  }

  async #kill(worker: Worker, downMs: number): Promise<void> {
    await worker.kill();
    await this.#wait(downMs);
    await worker.start();
  }

  async #freeze(worker: Worker, lastsMs: number): Promise<void> {
    worker.freeze();
    await this.#wait(lastsMs);
    worker.thaw();
  }

  async #toNetwork(planned: Planned, harm: (network: Network) => void): Promise<void> {
    const { index } = this.#target(planned);
    const network = this.#victims.networks[index] as Network;
    await this.#noted(planned.kind, 'runs', index, async () => {
      harm(network);
      await this.#wait(planned.lastsMs);
      network.heal();
      if (planned.kind === 'half-open') network.cutNow();
    });
  }

  /** Two events where there should be one: one to a function that is at work already, one to another. */
  async #doubleTrigger(planned: Planned): Promise<void> {
    const { workers } = this.#victims;
    const first = this.#target(planned);
    const second = workers[(first.index + 1) % workers.length] as Worker;
    await this.#noted('double-trigger', 'nothing', undefined, async () => {
      for (const worker of [first, second]) worker.tell({ kind: 'trigger' });
    });
  }

  async #lateTrigger(lastsMs: number): Promise<void> {
    await this.#noted('late-trigger', 'lateness', undefined, async () => {
      for (const worker of this.#victims.workers) worker.tell({ kind: 'hold', forMs: lastsMs });
      await this.#wait(lastsMs);
    });
  }

  #toEnsemble(kind: FaultKind, lastsMs: number): Promise<void> {
    const next = this.#ensemble.then(() =>
      this.#noted(kind, 'runs', undefined, () => this.#harmEnsemble(kind, lastsMs)),
    );
    this.#ensemble = next.catch(() => undefined);
    return next;
  }

  async #harmEnsemble(kind: FaultKind, lastsMs: number): Promise<void> {
    const { members } = this.#victims.servers;
    const leader = await this.#victims.servers.leader();
    const followers = members.filter((member) => member !== leader);
    switch (kind) {
      case 'kill-follower':
        return this.#restartAfter(followers.slice(0, 1), lastsMs);
      case 'kill-leader':
        return this.#restartAfter([leader], lastsMs);
      case 'lose-quorum':
        return this.#restartAfter([leader, ...followers.slice(0, 1)], lastsMs);
      case 'restart-all':
        return this.#restartAfter(members, lastsMs);
      default: {
        const frozen = kind === 'freeze-leader' ? leader : (followers[0] as Member);
        frozen.freeze();
        await this.#wait(lastsMs);
        frozen.thaw();
      }
    }
  }

  async #noted(kind: string, excuses: Excuse, worker: number | undefined, act: () => Promise<void>): Promise<void> {
    const whom = worker === undefined ? {} : { worker };
    const fault: Mutable = { kind, excuses, fromMs: Date.now(), untilMs: Infinity, ...whom };
    this.#faults.push(fault);
    await act();
    fault.untilMs = Date.now();
    this.#onOver(fault);
  }

  async #restartAfter(members: readonly Member[], downMs: number): Promise<void> {
    await Promise.all(members.map((member) => member.kill()));
    await this.#wait(downMs);
    await Promise.all(members.map((member) => member.restart()));
  }
}

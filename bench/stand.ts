/** What the suites that measure launches stand on: ZooKeeper, our process, and the peer if it was asked for. */
import { fileURLToPath } from 'node:url';
import type { Servers } from '../tools/zookeeper-server.ts';
import { collectGarbage } from './java.ts';
import type { OwnPlace } from './own/tasks.ts';
import { BullMqPeer } from './peers/bullmq/peer.ts';
import { urlOf } from './recovery/stage.ts';
import { Subject } from './subject.ts';
import type { SuiteOptions } from './suite.ts';
import { SERVER_HEAP_MB, type ServerSettings, startServers } from './zookeeper.ts';

const SCRIPT = fileURLToPath(new URL('./own/process.ts', import.meta.url));

export class Stand implements AsyncDisposable {
  readonly peer: BullMqPeer | undefined;
  readonly servers: Servers;
  readonly #heapMb: number;

  private constructor(servers: Servers, heapMb: number, peer: BullMqPeer | undefined) {
    this.servers = servers;
    this.#heapMb = heapMb;
    this.peer = peer;
  }

  static async make(
    { nodes, peer, tell }: Omit<SuiteOptions, 'rounds'>,
    settings: ServerSettings = {},
  ): Promise<Stand> {
    const bullmq = peer === undefined ? undefined : await BullMqPeer.start(tell);
    try {
      const { heapMb = SERVER_HEAP_MB } = settings;
      return new Stand(await startServers(nodes, settings), heapMb, bullmq);
    } catch (error) {
      await bullmq?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Asks our side, in a process of its own, of servers that are rid of what they had to do before. */
  async ask<T>(what: string, request: object): Promise<T> {
    const { addresses, members } = this.servers;
    const serverPids = members.map(({ pid }) => pid);
    await collectGarbage(serverPids);
    const place: OwnPlace = { url: urlOf(addresses), serverPids };
    await using subject = new Subject(SCRIPT, place);
    return await subject.ask<T>(what, request);
  }

  /** For the notes of a suite. */
  get about(): string {
    const { length } = this.servers.members;
    return `ZooKeeper: ${length} with fsync and a heap of ${this.#heapMb} MB.`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.servers.stop(), this.peer?.[Symbol.asyncDispose]()]);
  }
}

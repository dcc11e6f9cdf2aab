/** What the suites that measure launches stand on: ZooKeeper, our process, and the peer if it was asked for. */
import { fileURLToPath } from 'node:url';
import type { Servers } from '../tools/zookeeper-server.ts';
import type { OwnPlace } from './own/tasks.ts';
import { BullMqPeer } from './peers/bullmq/peer.ts';
import { urlOf } from './recovery/stage.ts';
import { Subject } from './subject.ts';
import type { SuiteOptions } from './suite.ts';
import { startServers } from './zookeeper.ts';

const SCRIPT = fileURLToPath(new URL('./own/process.ts', import.meta.url));

export class Stand implements AsyncDisposable {
  readonly peer: BullMqPeer | undefined;
  readonly servers: Servers;

  private constructor(servers: Servers, peer: BullMqPeer | undefined) {
    this.servers = servers;
    this.peer = peer;
  }

  static async make({ nodes, peer, tell }: Omit<SuiteOptions, 'rounds'>, tickTimeMs?: number): Promise<Stand> {
    const bullmq = peer === undefined ? undefined : await BullMqPeer.start(tell);
    try {
      return new Stand(await startServers(nodes, tickTimeMs), bullmq);
    } catch (error) {
      await bullmq?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Asks our side, in a process of its own. */
  async ask<T>(what: string, request: object): Promise<T> {
    const { addresses, members } = this.servers;
    const place: OwnPlace = { url: urlOf(addresses), serverPids: members.map(({ pid }) => pid) };
    await using subject = new Subject(SCRIPT, place);
    return await subject.ask<T>(what, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.servers.stop(), this.peer?.[Symbol.asyncDispose]()]);
  }
}

/** From the kill -9 of whoever holds a launch to the start of the same launch elsewhere; and a peer's worker. */
import { randomUUID } from 'node:crypto';
import type { BullMqPeer } from './peers/bullmq/peer.ts';
import { holderKilled } from './recovery/holder-killed.ts';
import { Stand } from './stand.ts';
import {
  type Comparison,
  interleave,
  type Probe,
  type Report,
  type Row,
  type Suite,
  type SuiteOptions,
} from './suite.ts';

const SESSIONS_MS = [2_000, 1_000];
const QUICK_SESSIONS_MS = [1_000];
const BRIEF_SESSIONS_MS = [2_000];
/** A server ends sessions at multiples of it, and none that is shorter than two of them. */
const TICK_TIME_MS = 500;
/** As short as the peer's locks are made when somebody cares: by default they are 30 s. */
const PEER_LOCK_MS = 5_000;

export const failoverSuite: Suite = {
  name: 'failover',
  about: 'from the kill -9 of a holder to the start of its launch elsewhere',
  async run(options): Promise<Report> {
    await using stand = await Stand.make(options, { tickTimeMs: TICK_TIME_MS });
    const own = sessionsOf(options).map((sessionMs) => {
      const again: Row = { name: `begins again, session of ${sessionMs} ms`, unit: 'ms' };
      const beyond: Row = { name: '· beyond the session time-out', unit: 'ms' };
      return { again, probe: holderKilled({ again, beyond }, stand.servers, sessionMs) };
    });
    const theirs = stand.peer === undefined ? [] : [peerProbe(stand.peer)];
    const comparisons = theirs.flatMap(({ rows: [peer] }) =>
      own.map(({ again }): Comparison => ({ what: 'failover', own: again, peer: peer as Row })),
    );
    const probes = [...own.map(({ probe }) => probe), ...theirs];
    const sections = [{ title: 'The holder of a launch is killed', probes, comparisons }];
    const results = await interleave(probes, options);
    return { suite: 'failover', peer: 'none', sections, results, notes: notesOf(stand) };
  },
};

const sessionsOf = ({ quick, brief }: SuiteOptions): readonly number[] =>
  quick ? QUICK_SESSIONS_MS : brief ? BRIEF_SESSIONS_MS : SESSIONS_MS;

function peerProbe(peer: BullMqPeer): Probe {
  return {
    rows: [{ name: `BullMQ begins again, locks of ${PEER_LOCK_MS} ms`, unit: 'ms' }],
    async measure() {
      const request = { queue: `held-${randomUUID()}`, lockMs: PEER_LOCK_MS };
      await using holder = peer.open('everysec');
      await using heir = peer.open('everysec');
      await holder.ask('hold', request);
      await heir.ask('standBy', request);
      const killedMs = performance.now();
      await holder[Symbol.asyncDispose]();
      await heir.ask('runs', {});
      return [performance.now() - killedMs];
    },
  };
}

const notesOf = ({ peer }: Stand): string[] => [
  `Servers with a tick of ${TICK_TIME_MS} ms: they end sessions at its multiples. A dead holder is last heard up to a sixth of its session before it dies.`,
  ...(peer === undefined
    ? []
    : [`${peer.versions}. lockDuration and stalledInterval of ${PEER_LOCK_MS} ms; by default both are 30 s.`]),
];

/** What faults cost: how long until a leader is replaced, and an error is told. A killed holder: see `failover.ts`. */

import { startTemporary } from '../test/support/zookeeper-setup.ts';
import { findZooKeeper, type Servers } from '../tools/zookeeper-server.ts';
import { blackHole } from './recovery/black-hole.ts';
import { leaderKilled } from './recovery/leader-killed.ts';
import { interleave, type Report, type Row, type Section, type Suite } from './suite.ts';

const NODES = 3;
/** The default of every program: see the settings in the README. */
const SESSION_MS = 10_000;

const row = (name: string): Row => ({ name, unit: 'ms' });

export const recoverySuite: Suite = {
  name: 'recovery',
  about: 'what a killed leader and a black hole cost, on a real ensemble',
  async run(options): Promise<Report> {
    const installation = await findZooKeeper();
    if (typeof installation === 'string') throw new Error(installation);
    await using servers = await startTemporary(installation, NODES);
    const sections = sectionsOf(servers);
    const results = await interleave(
      sections.flatMap(({ probes }) => probes),
      options,
    );
    return { suite: 'recovery', peer: 'none', sections, results, notes: [] };
  },
};

function sectionsOf(servers: Servers): Section[] {
  return [
    {
      title: `The leader of ${NODES} servers is killed`,
      probes: [leaderKilled({ latest: row('latest slot'), usual: row('· before that') }, servers, SESSION_MS)],
    },
    {
      title: 'The only server becomes a black hole',
      probes: [blackHole(row('the tick ends with a typed error'), servers, SESSION_MS)],
    },
  ];
}

/** Tasks of every second: whether each slot is started once, how late, and at what cost; and a peer's schedulers. */
import { punctualProbe } from './cost-rows.ts';
import type { RepeatRequest } from './own/repeat.ts';
import type { OwnPlace } from './own/tasks.ts';
import { Stand } from './stand.ts';
import { interleave, type Report, type Section, type Suite, sizesOf } from './suite.ts';

const SIZES = { full: [1_000], brief: [1_000], quick: [50] };
const SECONDS = 15;
const QUICK_SECONDS = 2;
/** Slots before those that count. */
const WARM_MS = 3_000;

export const repeatSuite: Suite = {
  name: 'repeat',
  about: 'tasks of every second on a lingering tick: launches, lateness of their starts, cost',
  async run(options): Promise<Report> {
    await using stand = await Stand.make(options);
    const seconds = options.quick ? QUICK_SECONDS : SECONDS;
    const sections = sizesOf(options, SIZES).map((tasks) => sectionOf(stand, { tasks, seconds, warmMs: WARM_MS }));
    const results = await interleave(
      sections.flatMap(({ probes }) => probes),
      options,
    );
    return { suite: 'repeat', peer: 'none', sections, results, notes: notesOf(stand) };
  },
};

function sectionOf(stand: Stand, request: Omit<RepeatRequest, keyof OwnPlace>): Section {
  const { peer } = stand;
  const what = `${request.tasks.toLocaleString('en')} tasks of every second`;
  const own = punctualProbe('Cronkeeper', () => stand.ask('repeat', request));
  const theirs = peer === undefined ? [] : [punctualProbe('BullMQ', () => peer.ask('repeat', 'everysec', request))];
  return {
    title: `${what}, ${request.seconds} s`,
    probes: [own, ...theirs],
    comparisons: theirs.flatMap(({ p99, cpu }) => [
      { what, own: own.p99, peer: p99 },
      { what: `${what}, processor time`, own: own.cpu, peer: cpu },
    ]),
  };
}

const notesOf = ({ peer, about }: Stand): string[] => [
  about,
  'Start: the moment that the worker stamps before it runs the code, against the slot, both by the clock of this machine. The first ' +
    'three seconds are not counted. The records proved each slot once.',
  ...(peer === undefined
    ? []
    : [
        `${peer.versions}. Job schedulers with { every: 1000 }; start: the first line of a function in process, 100 at a time.`,
      ]),
];

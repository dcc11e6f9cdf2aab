/** Tasks that are due once, at any millisecond: how late they start; and a peer's delayed jobs. */
import { punctualProbe } from './cost-rows.ts';
import type { OneshotRequest } from './own/oneshot.ts';
import type { OwnPlace } from './own/tasks.ts';
import { Stand } from './stand.ts';
import { interleave, type Report, type Section, type Suite, sizesOf } from './suite.ts';

const SIZES = { full: [1_000], brief: [1_000], quick: [50] };
const SPAN_MS = 20_000;
const QUICK_SPAN_MS = 1_000;
const LEAD_MS = 3_000;

export const oneshotSuite: Suite = {
  name: 'oneshot',
  about: 'tasks that are due once, at random milliseconds: lateness of their starts, cost',
  async run(options): Promise<Report> {
    await using stand = await Stand.make(options);
    const spanMs = options.quick ? QUICK_SPAN_MS : SPAN_MS;
    const sections = sizesOf(options, SIZES).map((tasks) => sectionOf(stand, { tasks, spanMs, leadMs: LEAD_MS }));
    const results = await interleave(
      sections.flatMap(({ probes }) => probes),
      options,
    );
    return { suite: 'oneshot', peer: 'none', sections, results, notes: notesOf(stand) };
  },
};

function sectionOf(stand: Stand, request: Omit<OneshotRequest, keyof OwnPlace>): Section {
  const { peer } = stand;
  const what = `${request.tasks.toLocaleString('en')} tasks due once`;
  const own = punctualProbe('Cronkeeper', () => stand.ask('oneshot', request));
  const theirs = peer === undefined ? [] : [punctualProbe('BullMQ', () => peer.ask('oneshot', 'everysec', request))];
  return {
    title: `${what}, within ${request.spanMs / 1_000} s`,
    probes: [own, ...theirs],
    comparisons: theirs.flatMap(({ p99, cpu }) => [
      { what, own: own.p99, peer: p99 },
      { what: `${what}, processor time`, own: own.cpu, peer: cpu },
    ]),
  };
}

const notesOf = ({ peer, about }: Stand): string[] => [
  about,
  'Stored while the tick is at work, three seconds before the first may be due. Start: the moment that the worker stamps before it ' +
    'runs the code, against the one that was asked for.',
  ...(peer === undefined
    ? []
    : [`${peer.versions}. Delayed jobs; start: the first line of a function in process, 100 at a time.`]),
];

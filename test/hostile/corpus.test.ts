/**
 * Hostile code, by class: each case runs as an embedding program would run it, with secrets in all places where a host
 * keeps them, another task waiting in the same worker, and a canary afterwards that must find everything as it was.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Arena, HANG_MS, type Observation } from './arena.ts';
import { builtIns, changed } from './built-ins.ts';
import type { HostileCase } from './case.ts';
import { ALL_CASES, CORPUS } from './corpus.ts';
import { judge } from './judge.ts';

/** Cases run on so many evaluators at a time: a machine for tests has two cores. */
const ARENAS = 2;
const SUITE_TIMEOUT_MS = 10 * 60_000;
/** What may run out of time does so soon: the suite waits for many. What is not about time gets what it needs. */
const BRIEF_MS = 250;
const PATIENT_MS = HANG_MS / 2;

const faults = new Map<HostileCase, readonly string[]>();
const builtInsBefore = builtIns();

async function performAll(queue: HostileCase[], arena: Arena): Promise<void> {
  for (let given = queue.shift(); given !== undefined; given = queue.shift()) {
    const seen: Observation = await arena.perform(given, given.ends.includes('Timeout') ? BRIEF_MS : PATIENT_MS);
    faults.set(given, judge(given, seen, arena.secrets));
  }
}

const arenas: Arena[] = [];

beforeAll(async () => {
  for (let i = 0; i < ARENAS; i++) arenas.push(await Arena.open());
  const queue = [...ALL_CASES];
  await Promise.all(arenas.map((arena) => performAll(queue, arena)));
}, SUITE_TIMEOUT_MS);

afterAll(() => Promise.all(arenas.map((arena) => arena.close())));

describe.each([...CORPUS])('%s:', (_kind, cases) => {
  for (const given of cases) {
    const check = given.defect === undefined ? test : test.failing;
    check(`${given.name} must not ${given.forbids}`, () => {
      expect(faults.get(given)).toEqual([]);
    });
  }
});

test('nothing of all this has changed a built-in object of the host', () => {
  expect(changed(builtInsBefore, builtIns())).toEqual([]);
});

test('the corpus is as large as it says, and no case hides behind the name of another', () => {
  const names = [...CORPUS].flatMap(([kind, cases]) => cases.map(({ name }) => `${kind}: ${name}`));
  expect(names.length).toBeGreaterThanOrEqual(500);
  expect(new Set(names).size).toBe(names.length);
});

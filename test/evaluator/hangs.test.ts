/** Code that cannot be interrupted, and what is beside it: whoever hangs is ended, and nobody else pays twice. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import type { Evaluator, Run } from '../../src/evaluator.ts';
import { type Given, runOf } from '../contract/evaluator/bench.ts';
import { Crew, ends, Turnstile, until } from '../support/crew.ts';

jest.setTimeout(60_000);

const crew = Crew.use();

const BRIEF = { wallMs: 50, cpuMs: 50 };
/** Longer than any test: something else must end it. */
const LONG = { wallMs: 600_000, cpuMs: 600_000 };
const HANG = 'Array.prototype.reverse.call({ length: 2 ** 53 - 1 })';
const hang = (name: string | number, given: Given = {}): Run =>
  runOf(`${HANG} // ${name}`, { limits: BRIEF, ...given });
const numbered = (count: number): Run[] =>
  Array.from({ length: count }, (_, input) => runOf('export default (ctx) => ctx.input', { context: { input } }));

test('one after another hangs, twenty programs in all, and what comes between runs as if nothing had been', async () => {
  const evaluator = crew.open();
  for (let i = 0; i < 20; i++) {
    expect(await ends(evaluator, [hang(i)])).toEqual(['HardTimeout']);
    expect(await ends(evaluator, numbered(3))).toEqual([0, 1, 2]);
  }
  await until(() => crew.live === 2);
});

test('two workers hang at the same time: both are replaced, and nothing is lost', async () => {
  const evaluator = crew.open({ workers: 2 });
  await evaluator.ready();
  const innocents = numbered(200);
  const ended = await ends(evaluator, [hang('a'), ...innocents, hang('b')]);
  expect(ended).toEqual(['HardTimeout', ...innocents.map((_run, i) => i), 'HardTimeout']);
  await until(() => crew.live === 3);
});

test('a program that has hung once takes nobody with it the second time, however many wait', async () => {
  const evaluator = crew.open();
  await ends(evaluator, [hang('culprit')]);
  const gate = new Turnstile();
  const capabilities = { gate: gate.arrived };
  const waits = 'export default (ctx) => ctx.call("gate").then(() => ctx.input)';
  const innocents = Array.from({ length: 60 }, (_, input) => runOf(waits, { context: { input }, capabilities }));
  const waiting = ends(evaluator, innocents);
  await gate.reached(60);
  expect(await ends(evaluator, [hang('culprit'), hang('culprit')])).toEqual(['HardTimeout', 'HardTimeout']);
  gate.turn();
  expect(await waiting).toEqual(innocents.map((_run, i) => i));
});

test('two hundred runs of a program that hangs now and then: the others hear of none, and no worker is left over', async () => {
  const evaluator = crew.open({ workers: 2, graceMs: 20 });
  const source = `export default (ctx) => ctx.input % 10 === 3 ? ${HANG} : ctx.input`;
  const culprits = Array.from({ length: 200 }, (_, input) => runOf(source, { context: { input }, limits: BRIEF }));
  const innocents = numbered(200);
  // So that it is known, and none of the others shares a worker with it.
  await ends(evaluator, culprits.slice(3, 4));
  const [ended, others] = await Promise.all([
    ends(evaluator, culprits),
    (async () => {
      for (let i = 0; i < 10; i++) expect(await ends(evaluator, innocents)).toEqual(innocents.map((_run, at) => at));
    })(),
  ]);
  expect(ended).toEqual(culprits.map((_run, i) => (i % 10 === 3 ? 'HardTimeout' : i)));
  expect(others).toBeUndefined();
  await until(() => crew.live === 3);
});

test('a run hangs after its host call: it was called for once, and is not tried again', async () => {
  const evaluator = crew.open();
  let calls = 0;
  const capabilities = { gate: () => calls++ };
  const source = `export default async (ctx) => { await ctx.call("gate"); ${HANG} }`;
  expect(await ends(evaluator, [runOf(source, { limits: BRIEF, capabilities })])).toEqual(['HardTimeout']);
  expect(calls).toBe(1);
});

/**
 * Starts a run that hangs, and waits until it does. Then it can tell nobody; but what was before it in the worker was
 * seen to be through.
 */
async function startHanging(evaluator: Evaluator, hanging: Run, signal?: AbortSignal) {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended: unknown[] = [];
  const done = evaluator.run(
    [runOf('"before"'), hanging],
    (index, { error, value }) => {
      ended[index] = error?.name ?? value;
      begin();
    },
    signal,
  );
  await begun;
  await delay(100);
  return { ended: done.then(() => ended) };
}

test('its caller gives up a run that hangs: it is over, and what came after it runs in another worker', async () => {
  const evaluator = crew.open();
  const abort = new AbortController();
  const hanging = await startHanging(evaluator, hang('a', { limits: LONG }), abort.signal);
  const behind = ends(evaluator, numbered(100));
  abort.abort();
  expect(await hanging.ended).toEqual(['before', 'Cancelled']);
  expect(await behind).toEqual(numbered(100).map((_run, i) => i));
  expect(await ends(evaluator, [hang('a')])).toEqual(['HardTimeout']);
  await until(() => crew.live === 2);
});

test('the evaluator closes while runs hang, in a place and in the reserve: all is settled, and no worker stays', async () => {
  const evaluator = crew.open();
  await ends(evaluator, [hang('known')]);
  const apart = await startHanging(evaluator, hang('known', { limits: LONG }));
  const hanging = await startHanging(evaluator, hang('a', { limits: LONG }));
  const waiting = ends(evaluator, [...numbered(3), hang('known', { limits: LONG })]);
  await evaluator.close();
  expect(await hanging.ended).toEqual(['before', 'Cancelled']);
  expect(await apart.ended).toEqual(['before', 'Cancelled']);
  expect(await waiting).toEqual(Array(4).fill('Cancelled'));
  await until(() => crew.live === 0);
});

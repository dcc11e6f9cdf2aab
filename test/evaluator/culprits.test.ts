import { expect, test } from '@jest/globals';
import { Culprits } from '../../src/evaluator/culprits.ts';
import { programOf } from '../../src/program.ts';

const program = (i: number) => programOf(`${i}`);

test('a thousand are remembered, and the one that was not met for the longest time is forgotten', () => {
  const culprits = new Culprits();
  for (let i = 0; i < 1000; i++) culprits.add(program(i));
  expect(culprits.has(program(0))).toBe(true);
  culprits.add(program(1000));
  expect([0, 1, 2, 1000, 1001].map((i) => culprits.has(program(i)))).toEqual([true, false, true, true, false]);
});

test('one that is met again and again takes no second place', () => {
  const culprits = new Culprits();
  culprits.add(program(0));
  for (let i = 0; i < 2000; i++) culprits.add(program(1));
  expect(culprits.has(program(0))).toBe(true);
});

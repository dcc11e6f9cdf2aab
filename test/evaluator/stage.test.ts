/** Runs that take turns in one engine: each finds its own memory, or none. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Engine, loadEngine } from '../../src/evaluator/engine.ts';
import { FRAME_BYTES, Frames } from '../../src/evaluator/frames.ts';
import { NOBODY } from '../../src/evaluator/host.ts';
import type { Allowance } from '../../src/evaluator/memory.ts';
import { type Player, Stage } from '../../src/evaluator/stage.ts';
import { DEFAULT_LIMITS } from '../../src/evaluator.ts';
import type { RunErrorClass } from '../../src/launch.ts';

const MIB = 1024 * 1024;

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

/** Runs that write down what they hear. */
class Troupe {
  readonly stage = new Stage(engine.module, engine.guest);
  readonly heard: string[] = [];
  readonly gone: string[] = [];

  join(name: string): Player {
    const player: Player = {
      ...NOBODY,
      allowance: () => 1000,
      receive: (letter, text) => {
        this.heard.push(`${name}: ${letter}${text}`);
        return undefined;
      },
      crowdOut: () => {
        this.gone.push(name);
        this.stage.leave(player, 'Memory');
      },
    };
    return player;
  }

  /** Runs a script in the memory that the run has. */
  play(player: Player, source: string, isFirst = true, allowance: Partial<Allowance> = {}): void {
    const instance = isFirst ? this.stage.enter(player) : this.stage.resume(player);
    const { memoryBytes, stackBytes } = DEFAULT_LIMITS;
    if (isFirst) instance.reset(player, { memoryBytes, stackBytes, ...allowance });
    const bytecode = instance.compile(source, 'script');
    if (bytecode === undefined) throw new Error(`does not parse: ${source}`);
    const value = instance.run(bytecode);
    if (instance.isException(value)) throw new Error(`has thrown: ${source}`);
    instance.call(1, value);
  }
}

test('each finds its own memory again, however much another has had meanwhile', () => {
  const troupe = new Troupe();
  const [a, b] = [troupe.join('a'), troupe.join('b')];
  troupe.play(a, `globalThis.mine = new Uint8Array(${3 * MIB}).fill(1); 0`);
  troupe.play(b, `globalThis.mine = new Uint8Array(${20 * MIB}).fill(2); 0`);
  const look = 'JSON.stringify([mine.length, mine.indexOf(0), mine[0], mine.at(-1)])';
  troupe.play(a, look, false);
  troupe.play(b, look, false);
  troupe.play(a, look, false);
  const says = (name: string, mib: number, byte: number) => `${name}: D"[${mib * MIB},-1,${byte},${byte}]"`;
  expect(troupe.heard.filter((line) => !line.endsWith('D0'))).toEqual([
    says('a', 3, 1),
    says('b', 20, 2),
    says('a', 3, 1),
  ]);
});

test('what a run held while it waited is given away once, or two others would share it', () => {
  const troupe = new Troupe();
  const hold = (name: string, byte: number): Player => {
    const player = troupe.join(name);
    troupe.play(player, `globalThis.mine = new Uint8Array(${MIB}).fill(${byte}); 0`);
    return player;
  };
  const first = hold('first', 1);
  const others = [2, 3].map((byte) => hold(`${byte}`, byte));
  troupe.stage.resume(first);
  troupe.stage.leave(first, undefined);
  others.push(...[4, 5, 6].map((byte) => hold(`${byte}`, byte)));
  for (const player of others) troupe.play(player, `JSON.stringify([mine.at(0), mine.at(-1)])`, false);
  expect(troupe.heard.slice(-5)).toEqual([2, 3, 4, 5, 6].map((byte) => `${byte}: D"[${byte},${byte}]"`));
});

test('a run whose memory could not be kept ends, and does not go on in the memory of another', () => {
  const troupe = new Troupe();
  const [a, b] = [troupe.join('a'), troupe.join('b')];
  troupe.play(a, 'globalThis.mine = "a"');
  const full = jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  expect(() => troupe.stage.enter(b)).toThrow('allocation failed');
  full.mockRestore();
  troupe.play(b, 'globalThis.mine = "b"');
  expect(() => troupe.stage.resume(a)).toThrow('was lost');
  troupe.stage.leave(a, 'EngineTrap');
  troupe.play(b, 'mine', false);
  expect(troupe.heard.at(-1)).toBe('b: D"b"');
});

describe('what is known of a run goes with it:', () => {
  const other = (troupe: Troupe) => troupe.play(troupe.join('other'), '1');

  test('that it was refused memory, and how much it may have', () => {
    const troupe = new Troupe();
    const run = troupe.join('run');
    troupe.play(
      run,
      `const all = []; try { for (;;) all.push(new Uint8Array(${MIB})) } catch {} all.length = 0; 0`,
      true,
      {
        memoryBytes: 4 * MIB,
      },
    );
    expect(troupe.stage.memoryOf(run)?.wasRefused).toBe(true);
    const other = troupe.join('other');
    troupe.play(other, '1');
    expect(troupe.stage.memoryOf(other)?.wasRefused).toBe(false);
    expect(troupe.stage.memoryOf(run)).toBeUndefined();
    expect(troupe.stage.resume(run).memory.wasRefused).toBe(true);
    troupe.play(run, `try { new Uint8Array(${5 * MIB}); "got" } catch { "refused" }`, false);
    expect(troupe.heard.at(-1)).toBe('run: D"refused"');
  });

  test('that it has spent its stack', () => {
    const troupe = new Troupe();
    const run = troupe.join('run');
    troupe.play(run, 'const f = () => f() + 1; try { f() } catch {} 0');
    other(troupe);
    troupe.stage.resume(run);
    expect(troupe.stage.memoryOf(run)?.hasSpentStack).toBe(true);
    const next = troupe.join('next');
    troupe.play(next, '1');
    expect(troupe.stage.memoryOf(next)?.hasSpentStack).toBe(false);
  });

  test('where the end of its stack is', () => {
    const troupe = new Troupe();
    const run = troupe.join('run');
    troupe.play(run, 'const f = () => f() + 1; 0', true, { stackBytes: 32 * 1024 });
    other(troupe);
    troupe.play(run, 'try { f() } catch (error) { error.name }', false);
    expect(troupe.heard.at(-1)).toBe('run: D"RangeError"');
    expect(troupe.stage.memoryOf(run)?.hasSpentStack).toBe(true);
  });
});

describe('the engine', () => {
  const GAP_AT = 1000 * 1024;

  test('is set back in every byte after a run that did not end well, also where only a broken one can have written', () => {
    const troupe = new Troupe();
    const run = troupe.join('run');
    troupe.play(run, '1');
    const { bytes } = troupe.stage.resume(run).memory;
    bytes[GAP_AT] = 1;
    bytes[bytes.length - 1] = 1;
    troupe.stage.leave(run, 'Thrown');
    const next = troupe.join('next');
    troupe.play(next, '1');
    expect([bytes[GAP_AT], bytes.at(-1)]).toEqual([0, 0]);
  });

  test('stays after a run that has failed, and is another one after it has broken off or grown too large', () => {
    const troupe = new Troupe();
    const engineAfter = (failure?: RunErrorClass, source = '1') => {
      const run = troupe.join('run');
      troupe.play(run, source);
      troupe.stage.leave(run, failure);
      const next = troupe.join('next');
      const instance = troupe.stage.enter(next);
      troupe.stage.leave(next, undefined);
      return instance;
    };
    const first = engineAfter();
    expect(engineAfter('Thrown')).toBe(first);
    const second = engineAfter('EngineTrap');
    expect(second).not.toBe(first);
    const large = `globalThis.mine = new Uint8Array(${9 * MIB}); 0`;
    expect(engineAfter(undefined, large)).not.toBe(second);
  });

  test('is another one when a run that is too large has to wait', () => {
    const troupe = new Troupe();
    const run = troupe.join('run');
    troupe.play(run, `globalThis.mine = new Uint8Array(${9 * MIB}).fill(1); 0`);
    const first = troupe.stage.resume(run);
    const small = troupe.stage.enter(troupe.join('small'));
    expect(small).not.toBe(first);
    expect(small.memory.isBloated).toBe(false);
  });
});

test('a run that is over, or never came, is not let in', () => {
  const troupe = new Troupe();
  const [a, b] = [troupe.join('a'), troupe.join('b')];
  troupe.play(a, '1');
  troupe.stage.leave(a, undefined);
  for (const player of [a, b]) expect(() => troupe.stage.resume(player)).toThrow('was lost');
});

test('those that hold most leave first, and room is counted when they have left', () => {
  const troupe = new Troupe();
  const hold = (name: string, mib: number): Player => {
    const player = troupe.join(name);
    troupe.play(player, `globalThis.mine = new Uint8Array(${mib * MIB}).fill(7); 0`);
    return player;
  };
  hold('small', 1);
  expect(troupe.stage.isCrowded).toBe(false);
  for (const name of ['a', 'b', 'c', 'd', 'e']) hold(name, 50);
  // The last one is on stage, and does not wait.
  expect({ gone: troupe.gone, isCrowded: troupe.stage.isCrowded }).toEqual({ gone: [], isCrowded: true });
  const large = hold('large', 60);
  troupe.play(troupe.join('next'), '1');
  expect(troupe.gone.slice(-1)).toEqual(['large']);
  expect(() => troupe.stage.resume(large)).toThrow('was lost');
});

test('frames are kept all or not at all, and come back when they are dropped', () => {
  const frames = new Frames();
  const memory = Buffer.alloc(600 * FRAME_BYTES);
  const full = jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementationOnce(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  const addresses = Array.from({ length: 600 }, (_, i) => i * FRAME_BYTES);
  expect(() => frames.keep(memory, addresses)).toThrow();
  expect(frames.usedBytes).toBe(0);
  full.mockRestore();
  for (const [i, at] of addresses.entries()) memory.fill(i % 251, at, at + FRAME_BYTES);
  const kept = frames.keep(memory, addresses);
  expect(new Set(kept).size).toBe(600);
  expect(frames.usedBytes).toBe(600 * FRAME_BYTES);
  const copy = Buffer.alloc(memory.length);
  for (const [i, at] of addresses.entries()) frames.restore(kept[i]!, copy, at);
  expect(copy.equals(memory)).toBe(true);
  expect(frames.usedBytes).toBe(0);
});

test('slabs that nobody needs go when nobody waits, and those that stay are all free', () => {
  const frames = new Frames();
  const memory = Buffer.alloc(FRAME_BYTES);
  const many = Array.from({ length: 17 * 256 }, () => 0);
  const slabs = jest.spyOn(Buffer, 'allocUnsafeSlow');
  for (let i = 0; i < 2; i++) {
    const kept = frames.keep(memory, many);
    expect(new Set(kept).size).toBe(many.length);
    for (const frame of kept) frames.drop(frame);
    expect(frames.usedBytes).toBe(0);
  }
  expect(slabs).toHaveBeenCalledTimes(17 + 1);
  slabs.mockRestore();
});

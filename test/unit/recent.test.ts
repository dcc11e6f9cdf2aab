import { describe, expect, test } from '@jest/globals';
import { recent } from '../../src/schedule/recent.ts';

describe('a bounded memory', () => {
  test('builds once, and forgets what was used longest ago', () => {
    const built: string[] = [];
    const memory = recent<string>(2);
    const get = (key: string) =>
      memory.get(key, () => {
        built.push(key);
        return key.toUpperCase();
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect(get(key)).toBe(key.toUpperCase());
    expect(built).toEqual(['a', 'b', 'c', 'b']);
  });

  test('keeps a value that is undefined', () => {
    const memory = recent<undefined>(1);
    let builds = 0;
    for (let asked = 0; asked < 3; asked++) {
      memory.get('key', () => {
        builds++;
        return undefined;
      });
    }
    expect(builds).toBe(1);
  });

  test('does not remember a failure', () => {
    const memory = recent<number>(1);
    const fail = () => {
      throw new Error('not today');
    };
    expect(() => memory.get('key', fail)).toThrow('not today');
    expect(memory.get('key', () => 1)).toBe(1);
  });
});

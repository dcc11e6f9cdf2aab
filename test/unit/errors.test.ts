/** Errors that cannot be described must not become errors of whoever describes them. */
import { describe, expect, test } from '@jest/globals';
import { messageOf } from '../../src/errors.ts';

describe('the message of anything that can be thrown is text', () => {
  test.each<[string, unknown, string]>([
    ['an error', new Error('m'), 'm'],
    ['a text', 't', 't'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an error whose message is a number', Object.assign(new Error('m'), { message: 5 }), '5'],
    ['an error without a message', Object.assign(new Error('m'), { message: undefined }), 'undefined'],
    [
      'data of a task whose conversions are no functions',
      { toString: 1, valueOf: 2 },
      'an error that cannot be described',
    ],
    ['an object without a prototype', Object.create(null), 'an error that cannot be described'],
    [
      'an error whose message throws',
      Object.defineProperty(new Error('m'), 'message', {
        get() {
          throw new Error('again');
        },
      }),
      'an error that cannot be described',
    ],
  ])('%s', (_what, thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});

/** What goes to ZooKeeper, byte for byte: against a plain encoder, and against the common limits. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assertMulti, assertPath, opBytes } from '../../src/coordinator/limits.ts';
import { ACL_OPEN, multiRequest } from '../../src/coordinator/zookeeper/request.ts';
import type { Op } from '../../src/coordinator.ts';

const FRAME_BYTES = 21;
const TYPE = { create: 1, set: 5, remove: 2, check: 13 } as const;

const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string) => Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);
const header = (type: number, last: number) => Buffer.concat([int(type), Buffer.of(last), int(-1)]);

function plainly(ops: readonly Op[], root: string): Buffer {
  const parts = ops.flatMap((op) => {
    const path = text(op.path === '/' && root !== '' ? root : root + op.path);
    const before = [header(TYPE[op.op], 0), path, ...('data' in op ? [text(op.data)] : [])];
    return op.op === 'create' ? [...before, ACL_OPEN, int(0)] : [...before, int(op.version ?? -1)];
  });
  const body = Buffer.concat([int(7), int(14), ...parts, header(-1, 1)]);
  return Buffer.concat([int(body.length), body]);
}

const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9-]{1,20}$/),
  fc.string({ unit: fc.constantFrom('a', 'é', '漢', '-'), minLength: 1, maxLength: 60 }),
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);
const data = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom('', '漢'.repeat(97), 'x'.repeat(5_000), '\ud800'),
);
const version = fc.constantFrom(undefined, 0, 1, 2 ** 31 - 1);
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('create' as const), path, data }),
  fc.record({ op: fc.constant('set' as const), path, data, version }).map(({ version, ...rest }) => ({
    ...rest,
    ...(version !== undefined && { version }),
  })),
  fc.record({ op: fc.constantFrom('remove' as const, 'check' as const), path }),
  fc.constant<Op>({ op: 'check', path: '/', version: 0 }),
);

describe('a multi for ZooKeeper', () => {
  it('is what a plain encoder makes of it, whatever texts and chroot it has, and as long as the limits say', () => {
    const roots = fc.constantFrom('', '/cron', '/größe/漢');
    fc.assert(
      fc.property(fc.array(op, { minLength: 1, maxLength: 12 }), roots, (ops, root) => {
        const request = multiRequest(ops, { root, acl: ACL_OPEN });
        request.header.xid = 7;
        expect(Buffer.compare(request.toBuffer(), plainly(ops, root))).toBe(0);
        const bytes = FRAME_BYTES + ops.reduce((sum, one) => sum + opBytes(one), 0);
        expect(assertMulti(ops)).toBe(bytes);
        if (root === '') expect(request.byteLength).toBe(bytes);
      }),
    );
  });

  it.each([
    ['', /start with a slash/],
    ['a', /start with a slash/],
    ['/a/', /end with a slash/],
    ['//', /end with a slash/],
    ['//a', /empty name/],
    ['/a//b', /empty name/],
    ['/.', /relative/],
    ['/a/../b', /relative/],
    ['/a\u007f', /control characters/],
    ['/a\u0000', /control characters/],
    ['/a\n', /control characters/],
    [`/${'a'.repeat(512)}`, /longer than 512/],
  ])('has no path like %j', (wrong, reason) => {
    expect(() => assertPath(wrong)).toThrow(reason);
    expect(() => assertMulti([{ op: 'check', path: wrong }])).toThrow(reason);
  });

  it.each(['/', '/a', '/a b/~', '/.a', '/..a/b.', '/...', '/-', `/${'a'.repeat(511)}`])(
    'may have the path %j',
    (right) => {
      expect(() => assertPath(right)).not.toThrow();
    },
  );
});

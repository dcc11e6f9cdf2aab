import { describe, expect, test } from '@jest/globals';
import { parseCoordinatorUrl } from '../../src/url.ts';
import { errorOf } from '../support/error-of.ts';

describe('a coordinator URL', () => {
  test.each([
    ['embedded:', { kind: 'embedded' }],
    ['embedded:./path/file.db', { kind: 'embedded', path: './path/file.db' }],
    ['embedded:/abs/file.db', { kind: 'embedded', path: '/abs/file.db' }],
    ['embedded:file with spaces', { kind: 'embedded', path: 'file with spaces' }],
    ['zookeeper://host', { kind: 'zookeeper', servers: ['host'] }],
    ['zookeeper://a:2181,b:2182,10.0.0.1:2183', { kind: 'zookeeper', servers: ['a:2181', 'b:2182', '10.0.0.1:2183'] }],
    ['zookeeper://[::1]:2181,[fe80::1%eth0]', { kind: 'zookeeper', servers: ['[::1]:2181', '[fe80::1%eth0]'] }],
    ['zookeeper://host:2181/', { kind: 'zookeeper', servers: ['host:2181'] }],
    ['zookeeper://host:2181/cron/prod', { kind: 'zookeeper', servers: ['host:2181'], chroot: '/cron/prod' }],
    ['zookeeper://host:2181/cron/', { kind: 'zookeeper', servers: ['host:2181'], chroot: '/cron' }],
  ])('%s', (url, expected) => {
    expect(parseCoordinatorUrl(url)).toEqual(expected);
  });

  test.each([
    '',
    'embedded',
    'embedded://path',
    'embedded:a\0b',
    'zookeeper:',
    'zookeeper://',
    'zookeeper:///chroot',
    'zookeeper:/host',
    'zookeeper://a,,b',
    'zookeeper://a,',
    'zookeeper://a b',
    'zookeeper://host:port',
    'zookeeper://::1:2181',
    'zk://host',
    'http://host',
    ' zookeeper://host',
  ])('%j is refused, saying what is allowed', (url) => {
    const error = errorOf(() => parseCoordinatorUrl(url));
    expect(error.code).toBe('invalid');
    expect(error.problems.map(({ field }) => field)).toEqual(['url']);
    expect(error.message).toContain(`received ${JSON.stringify(url)}`);
    expect(error.message).toContain('allowed: "zookeeper://host:2181');
  });

  test.each(['zookeeper://user:s3cret@host:2181', 'zookeeper://user:s3/cret@host', 'http://a@s3cret@b'])(
    'with a password in it is refused without showing it',
    (url) => {
      expect(errorOf(() => parseCoordinatorUrl(url)).message).not.toContain('cret');
    },
  );
});

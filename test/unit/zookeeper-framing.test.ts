import { afterEach, expect, it, jest } from '@jest/globals';
import { Framer } from '../../src/coordinator/zookeeper/framer.ts';
import { parseServers, shuffled } from '../../src/coordinator/zookeeper/servers.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function collect(framer: Framer, chunks: readonly Buffer[]): string[] {
  const texts: string[] = [];
  for (const chunk of chunks) framer.push(chunk, (bytes) => texts.push(bytes.toString('utf8', 4)));
  return texts;
}

const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

it('finds the same frames however the stream is cut', () => {
  const texts = ['a', '', 'bcd', 'x'.repeat(100), 'e'];
  const stream = Buffer.concat(texts.map(frame));
  for (let size = 1; size <= stream.length; size++) {
    expect(collect(new Framer(), cut(stream, size))).toEqual(texts);
  }
});

it('joins a large reply once, not once per chunk', () => {
  const chunks = cut(frame('x'.repeat(1_000_000)), 1000);
  const joins = jest.spyOn(Buffer, 'concat');
  expect(collect(new Framer(), chunks)).toHaveLength(1);
  expect(joins.mock.calls.length).toBeLessThanOrEqual(2);
});

it('copies nothing of what arrives whole', () => {
  const stream = Buffer.concat(['a', 'b', 'c'].map(frame));
  const joins = jest.spyOn(Buffer, 'concat');
  expect(collect(new Framer(), [stream])).toEqual(['a', 'b', 'c']);
  expect(joins).not.toHaveBeenCalled();
});

it('does not take half a frame over to the next connection', () => {
  const framer = new Framer();
  collect(framer, [frame('lost').subarray(0, 6)]);
  framer.reset();
  expect(collect(framer, [frame('next')])).toEqual(['next']);
});

it.each([-1, 2 ** 31 - 1])('does not wait for a frame of %d bytes', (length) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  expect(() => collect(new Framer(), [bytes])).toThrow(RangeError);
});

it('reads host names, addresses and IPv6 addresses', () => {
  expect(parseServers(['zk1.example.com:2182', '10.0.0.1', '[::1]:2183', '[2001:db8::1]'])).toEqual([
    { host: 'zk1.example.com', port: 2182 },
    { host: '10.0.0.1', port: 2181 },
    { host: '::1', port: 2183 },
    { host: '2001:db8::1', port: 2181 },
  ]);
});

it.each([
  '',
  ':2181',
  'host:',
  'host:0',
  'host:65536',
  'host:x',
  '::1',
  '::1:2181',
  'a b:1',
  'host/path',
  'user@host:1',
])('refuses the server %j, naming it', (server) => {
  expect(() => parseServers([server])).toThrow(JSON.stringify(server));
});

it('refuses an empty list of servers', () => {
  expect(() => parseServers([])).toThrow(/0 ZooKeeper servers/);
});

it('spreads clients over the servers without losing one', () => {
  expect(shuffled(['a', 'b', 'c'], () => 0.999)).toEqual(['a', 'b', 'c']);
  expect(shuffled(['a', 'b', 'c'], () => 0)).toEqual(['b', 'c', 'a']);
  expect(shuffled(['a', 'b', 'c'], () => 0.4).sort()).toEqual(['a', 'b', 'c']);
});

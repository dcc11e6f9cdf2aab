/** How many requests a ZooKeeper server has had, as it says itself: pings and this question are among them. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** @throws Error when it does not say; asked of the first server of the URL. */
export async function requestsOf(url: string): Promise<number> {
  const { hostname: host, port } = new URL(url.split(',')[0]!);
  const socket = connect({ host, port: Number(port) });
  socket.end('srvr');
  const received = /^Received: (\d+)$/m.exec(await text(socket))?.[1];
  if (received === undefined) throw new Error(`${host}:${port} does not say how many requests it had`);
  return Number(received);
}

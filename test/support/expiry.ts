/**
 * Makes a server end a session at once: whoever knows its id and password may take it over and close it. The client
 * sees what it would see after a silence: a closed connection, and at the next one that its session is no more.
 */
import { connect } from 'node:net';
import { FlakyProxy } from './proxy.ts';

interface Credentials {
  readonly id: Buffer;
  readonly password: Buffer;
}

/** A frame's length, the protocol version, the session's time-out (0: it is no more), id, password with its length. */
const CONNECT_RESPONSE = { timeout: 8, id: 12, password: 24, end: 40 };
const CLOSE_SESSION = Buffer.from('00000008' + '00000001' + 'fffffff5', 'hex');

const TAKE_OVERS_MAX = 30;
const TAKE_OVER_TIMEOUT_MS = 1000;

/** A proxy in front of each server, through which sessions that can be ended must connect. */
export class SessionEnder implements AsyncDisposable {
  readonly proxies: readonly FlakyProxy[];
  readonly #servers: readonly string[];
  readonly #sessions = new Map<string, Credentials>();

  static async before(servers: readonly string[]): Promise<SessionEnder> {
    return new SessionEnder(servers, await Promise.all(servers.map((server) => FlakyProxy.to(server))));
  }

  private constructor(servers: readonly string[], proxies: readonly FlakyProxy[]) {
    this.#servers = servers;
    this.proxies = proxies;
    for (const proxy of proxies) {
      const greeted = new WeakSet<object>();
      proxy.onServerBytes = (bytes, link) => {
        if (!greeted.has(link)) this.#learn(bytes);
        greeted.add(link);
        return bytes;
      };
    }
  }

  get addresses(): string[] {
    return this.proxies.map(({ address }) => address);
  }

  async end(sessionId: string): Promise<void> {
    const credentials = this.#sessions.get(sessionId);
    if (credentials === undefined) throw new Error(`session ${sessionId} did not connect through the proxies`);
    for (let attempt = 0; attempt < TAKE_OVERS_MAX; attempt++) {
      const server = this.#servers[attempt % this.#servers.length] as string;
      if (await takeOverAndClose(server, credentials)) return;
    }
    throw new Error(`no server let session ${sessionId} be taken over`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  }

  #learn(bytes: Buffer): void {
    if (bytes.length < CONNECT_RESPONSE.end) return;
    const id = Buffer.from(bytes.subarray(CONNECT_RESPONSE.id, CONNECT_RESPONSE.id + 8));
    const password = Buffer.from(bytes.subarray(CONNECT_RESPONSE.password, CONNECT_RESPONSE.end));
    this.#sessions.set(`0x${id.readBigUInt64BE(0).toString(16)}`, { id, password });
  }
}

/** Whether the session is known to be no more. The client may take it back in between: then it is tried again. */
async function takeOverAndClose(server: string, { id, password }: Credentials): Promise<boolean> {
  const [host, port] = server.split(':');
  const socket = connect({ host: host as string, port: Number(port), timeout: TAKE_OVER_TIMEOUT_MS });
  socket.on('timeout', () => socket.destroy());
  const handshake = Buffer.alloc(48);
  handshake.writeInt32BE(44, 0);
  handshake.writeInt32BE(10_000, 16);
  id.copy(handshake, 20);
  handshake.writeInt32BE(password.length, 28);
  password.copy(handshake, 32);
  socket.write(handshake);
  socket.write(CLOSE_SESSION);
  const answers: Buffer[] = [];
  try {
    for await (const bytes of socket) answers.push(bytes as Buffer);
  } catch {
    return false;
  }
  const received = Buffer.concat(answers);
  if (received.length < CONNECT_RESPONSE.end) return false;
  if (received.readInt32BE(CONNECT_RESPONSE.timeout) === 0) return true;
  // After the greeting: length, xid 1, zxid, and the error that is none.
  const answer = received.subarray(CONNECT_RESPONSE.end);
  return answer.length >= 20 && answer.readInt32BE(4) === 1 && answer.readInt32BE(16) === 0;
}

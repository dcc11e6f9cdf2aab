/**
 * Connects to addresses that were checked, and to no others: the name is not looked up again, so an answer that changes
 * between the check and the connection changes nothing. The name stays what TLS asks for and verifies.
 */
import { once } from 'node:events';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { FetchDenied } from '../outbound.ts';
import { isAmong } from './reach.ts';

/** An error without a listener would end the process. */
const TOLD_ELSEWHERE = () => undefined;

/** A connector for undici, which can destroy what is connected; while it connects, `signal` ends it. */
export function dialler(addresses: readonly string[], signal: AbortSignal): buildConnector.connector {
  return ({ hostname, port, protocol }, callback) => {
    const isTls = protocol === 'https:';
    dial(hostname, Number(port) || (isTls ? 443 : 80), isTls, addresses, signal).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

async function dial(
  hostname: string,
  port: number,
  isTls: boolean,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Socket> {
  const checked = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_name, _options, callback) => callback(null, checked);
  // The next address is tried when one does not answer soon: a network without IPv6 must not use up the time.
  const socket = connectTcp({ host: hostname, port, lookup, autoSelectFamily: true, noDelay: true });
  socket.on('error', TOLD_ELSEWHERE);
  try {
    await once(socket, 'connect', { signal });
    // It cannot be any other. Should it be, by whatever mistake, then not a byte is sent.
    if (!isAmong(addresses, socket.remoteAddress ?? '')) {
      throw new FetchDenied(`${hostname} was connected to an address that was not checked`);
    }
    return isTls ? await secured(socket, hostname, signal) : socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Certificates are verified, whatever the environment says of that. A name may end in a dot; in TLS it does not. */
async function secured(socket: Socket, hostname: string, signal: AbortSignal): Promise<TLSSocket> {
  const servername = isIP(hostname) === 0 ? hostname.replace(/\.$/, '') : '';
  const secure = connectTls({
    socket,
    host: servername || hostname,
    servername,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
  });
  secure.on('error', TOLD_ELSEWHERE);
  await once(secure, 'secureConnect', { signal });
  return secure;
}

/** What ZooKeeper's error numbers mean to a caller. Source: `KeeperException.Code` in ZooKeeper 3.9. */
import { CoordinatorError, type Refusal } from '../../coordinator.ts';
import type { ErrorCode } from '../../errors.ts';

export const CODE = {
  ok: 0,
  /** Inside a failed multi: this operation was not the one that failed. */
  runtimeInconsistency: -2,
  unimplemented: -6,
  noNode: -101,
} as const;

const REFUSALS: ReadonlyMap<number, Refusal> = new Map<number, Refusal>([
  [CODE.noNode, 'no-node'],
  [-102, 'no-auth'],
  [-103, 'bad-version'],
  [-108, 'no-children-for-ephemerals'],
  [-110, 'node-exists'],
  [-111, 'not-empty'],
  // An ACL of scheme "auth" on a connection that has not authenticated.
  [-114, 'no-auth'],
]);

/** Numbers that refuse the request as a whole. Whatever is in neither table is `internal`, and shows its number. */
const FAILURES: ReadonlyMap<number, readonly [ErrorCode, string]> = new Map<number, readonly [ErrorCode, string]>([
  [-4, ['outcome-unknown', 'the server lost its connection']],
  [-7, ['outcome-unknown', 'the server ran out of time']],
  [-8, ['invalid', 'the server calls the arguments bad']],
  [-112, ['session-lost', 'the session has expired']],
  [-115, ['forbidden', 'authentication failed']],
  [-118, ['unavailable', 'the session is being moved to another server']],
  [-119, ['unavailable', 'the server is read-only']],
  [-122, ['outcome-unknown', 'the server ran out of time']],
  [-124, ['forbidden', 'the server demands SASL authentication']],
  [-125, ['too-large', 'a quota of the server is exceeded']],
  [-127, ['unavailable', 'the server sheds load']],
]);

/** The error for a reply's number; `what` names the operation, such as `set /tasks/a`. */
export function errorOfCode(code: number, what: string, opIndex?: number): CoordinatorError {
  const refusal = REFUSALS.get(code);
  if (refusal !== undefined) {
    return new CoordinatorError(refusal === 'no-auth' ? 'forbidden' : 'conflict', `${what}: ${refusal}`, {
      refusal,
      ...(opIndex === undefined ? {} : { opIndex }),
    });
  }
  const [errorCode, reason] = FAILURES.get(code) ?? ['internal', 'an error that is not expected here'];
  return new CoordinatorError(errorCode, `${what}: ${reason} (ZooKeeper error ${code})`);
}

/** Which paths are allowed, and where they are under the chroot. */
import { COORDINATOR_LIMITS, CoordinatorError } from '../../coordinator.ts';
import { received } from '../../errors.ts';

const SLASH = '/'.charCodeAt(0);

/** @throws CoordinatorError `invalid` or `too-large`, before anything is sent. */
export function requirePath(path: string): void {
  if (path.length > COORDINATOR_LIMITS.pathLengthMax) {
    throw new CoordinatorError(
      'too-large',
      `path ${received(path)} has ${path.length} characters; at most ${COORDINATOR_LIMITS.pathLengthMax} are allowed`,
    );
  }
  const problem = problemOf(path);
  if (problem !== undefined) throw new CoordinatorError('invalid', `path ${received(path)} ${problem}`);
}

/** ZooKeeper's own rules (PathUtils.validatePath), kept here because a server answers them without saying which. */
function problemOf(path: string): string | undefined {
  if (path.charCodeAt(0) !== SLASH) return 'must start with a slash';
  if (path.length === 1) return undefined;
  let segmentStart = 1;
  for (let at = 1; at <= path.length; at++) {
    const code = at === path.length ? SLASH : path.charCodeAt(at);
    if (code === SLASH) {
      const length = at - segmentStart;
      if (length === 0) return 'must not have an empty part, nor end with a slash';
      if (length <= 2 && path.charCodeAt(at - 1) === 46 && path.charCodeAt(segmentStart) === 46) {
        return 'must not have a part "." or ".."';
      }
      segmentStart = at + 1;
    } else if (isForbidden(code)) {
      return `must not have the character U+${code.toString(16).padStart(4, '0')}`;
    }
  }
  return undefined;
}

const isForbidden = (code: number): boolean =>
  code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0;

/** The path as the server knows it. `root` is the chroot, empty when there is none. */
export function absolute(root: string, path: string): string {
  if (root === '') return path;
  return path === '/' ? root : root + path;
}

/** Every node from the top down to `path`: `/a`, `/a/b`, `/a/b/c`. */
export const ancestry = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((_, index, parts) => `/${parts.slice(0, index + 1).join('/')}`);

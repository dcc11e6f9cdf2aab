/** Where a path is under the chroot. */

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

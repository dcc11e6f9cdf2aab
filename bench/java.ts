/** What is asked of the JVM of a server, by `jcmd`, which comes with a JDK; and its defaults. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const JCMD_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 2 ** 26;

/** What it says; undefined where there is no `jcmd`, or it cannot attach. */
async function jcmd(pid: number, command: string): Promise<string | undefined> {
  const options = { timeout: JCMD_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  const said = promisify(execFile)('jcmd', [`${pid}`, command], options);
  return said.then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

/** So that no measurement pays for the garbage of the one before. Where it cannot be, it does. */
export async function collectGarbage(pids: readonly number[]): Promise<void> {
  await Promise.all(pids.map((pid) => jcmd(pid, 'GC.run')));
}

/** In use after a full collection, which counting the objects that are alive is. */
export async function heapBytes(pid: number): Promise<number | undefined> {
  const counted = await jcmd(pid, 'GC.class_histogram');
  return counted === undefined ? undefined : Number(/^Total +\d+ +(\d+)/m.exec(counted)?.[1]);
}

const VERSIONS_MS_MAX = 10_000;
/** Prints the version of ZooKeeper, and is on its class path. */
const VERSION_CLASS = 'org.apache.zookeeper.version.VersionInfoMain';

/** As both say themselves: `Java 17.0.15 (G1 collector)`, `ZooKeeper 3.8.0`. */
export async function versionsOf({ java, classPath }: { java: string; classPath: string }): Promise<string[]> {
  const args = ['-showversion', '-XX:+PrintFlagsFinal', '-cp', classPath, VERSION_CLASS];
  const { stdout, stderr } = await promisify(execFile)(java, args, { timeout: VERSIONS_MS_MAX });
  const found = (pattern: RegExp) => pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
  // It takes G1 from two processors and 1.8 GB of memory on, or else Serial; neither script of ZooKeeper names one.
  const collector = found(/^\s*bool Use(\w+)GC\s+= true/m);
  return [
    `Java ${found(/version "([^"]+)"/)} (${collector} collector)`,
    `ZooKeeper ${found(/ZooKeeper, version (\S+)/)}`,
  ];
}

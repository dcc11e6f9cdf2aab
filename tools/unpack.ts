/** Unpacks a zip, as Lambda does before it starts a function. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';

export async function unpack(zip: string, directory: string): Promise<{ zipBytes: number; files: readonly string[] }> {
  const bytes = await readFile(zip);
  const files = Object.entries(unzipSync(bytes));
  for (const [name, content] of files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return { zipBytes: bytes.length, files: files.map(([name]) => name) };
}

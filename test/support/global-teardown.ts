import { rm } from 'node:fs/promises';
import { shared } from './global-setup.ts';

export default async function tearDown(): Promise<void> {
  await shared.servers?.stop();
  if (shared.cli !== undefined) await rm(shared.cli, { recursive: true, force: true });
}

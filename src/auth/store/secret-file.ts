// The record in a file that only this user can read: what a person may choose where there is no keychain.

import { lstatSync, readFileSync, rmSync } from 'node:fs';
import process from 'node:process';
import { writeFile } from 'atomically';
import { makePrivateDir } from '../../platform/private-dir.ts';
import type { RecordFiles } from './places.ts';

const WRITE_LIMIT_MS = 2000;

/**
 * Undefined where there is none.
 * @throws Error where it cannot be read, or others can
 */
export function readSecretFile({ secret }: RecordFiles): string | undefined {
  const found = lstatSync(secret, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  const isOwn = found.isFile() && found.uid === (process.getuid?.() ?? found.uid);
  if (!isOwn || (process.platform !== 'win32' && (found.mode & 0o077) !== 0))
    throw new Error('it is not closed to others (chmod 600)');
  return readFileSync(secret, 'utf8');
}

/** @throws Error where it cannot be written */
export async function writeSecretFile({ secret, secretDir }: RecordFiles, text: string): Promise<void> {
  makePrivateDir(secretDir);
  await writeFile(secret, text, { mode: 0o600, timeout: WRITE_LIMIT_MS });
}

/** @throws Error where it is there and cannot be removed */
export function removeSecretFile({ secret }: RecordFiles): boolean {
  if (lstatSync(secret, { throwIfNoEntry: false }) === undefined) return false;
  rmSync(secret, { force: true });
  return true;
}

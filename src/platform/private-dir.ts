// Directories that nobody but this user can look into: what the daemon's socket and secret rest on.

import { chmodSync, lstatSync, mkdirSync, type Stats } from 'node:fs';

/** Whether this is a directory of this user's own (no link to one) that is closed to all others. Never throws. */
export function isPrivateDir(path: string): boolean {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found !== undefined && isOwn(found) && isClosed(found);
  } catch {
    // It cannot be reached, as below a file.
    return false;
  }
}

/**
 * Makes it where there is none, and closes it to others.
 * @throws Error where that cannot be done, or it belongs to somebody else
 */
export function makePrivateDir(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!isOwn(found)) throw new Error(`${path} is not a directory of this user's own.`);
  // What lies in it could be anybody's by now; a directory that others could only read is as good as a new one.
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0)
    throw new Error(`${path} could be written to by others.`);
  if (!isClosed(found)) chmodSync(path, 0o700);
}

function isOwn(found: Stats): boolean {
  const uid = process.getuid?.();
  return found.isDirectory() && (uid === undefined || found.uid === uid);
}

/** Windows has no such modes; there a user's directories are closed by inheritance. */
function isClosed(found: Stats): boolean {
  return process.platform === 'win32' || (found.mode & 0o077) === 0;
}

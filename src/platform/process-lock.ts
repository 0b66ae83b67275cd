// A lock that ends with its process. The system itself holds it (fcntl on POSIX, LockFileEx on Windows), so no kill, no pid that
// is used again and no race between nine processes can leave it wrong, as it could with a file that only tells who holds it.
// Node.js offers such locks through SQLite alone.

import { DatabaseSync } from 'node:sqlite';

/** SQLite's word for "somebody else holds it". */
const SQLITE_BUSY = 5;

export interface ProcessLock {
  release(): void;
}

/**
 * Undefined when another process, or another call in this one, holds it.
 * @param file is made where there is none; stays empty and is never removed, because a removed one could be locked twice
 * @throws Error when the file cannot be made or opened
 */
export function takeProcessLock(file: string): ProcessLock | undefined {
  const database = new DatabaseSync(file);
  try {
    // Nothing is written, so no journal is needed; a busy lock is told at once.
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

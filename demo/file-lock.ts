// Keeps a file to one process: two that hold it in memory would overwrite each other's changes without a word.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Locks of this process: its own pid in a lock file does not tell whether that is still in use. */
const held = new Set<string>();

/** Somebody else has the file. The message names them. */
export class FileLockedError extends Error {
  override name = 'FileLockedError';
}

/** Locks `file`, which need not exist, by a file beside it. Returns what gives it back. Throws `FileLockedError`. */
export async function lockFile(file: string): Promise<() => Promise<void>> {
  const lock = `${file}.lock`;
  await mkdir(dirname(file), { recursive: true });
  if (!(await create(lock))) {
    const holder = await findHolder(lock);
    if (holder !== undefined) throw new FileLockedError(describe(file, lock, holder));
    // Its process was killed, or the machine lost power: nobody else will take the lock away.
    await rm(lock, { force: true });
    if (!(await create(lock))) throw new FileLockedError(describe(file, lock, undefined));
  }
  held.add(lock);
  let released = false;
  return async () => {
    if (released) return; // The next holder's lock has the same name.
    released = true;
    await rm(lock, { force: true });
    held.delete(lock);
  };
}

async function create(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The pid that holds the lock; undefined when that process is gone. */
async function findHolder(lock: string): Promise<number | undefined> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (pid === process.pid) return held.has(lock) ? pid : undefined;
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // EPERM: there is one, and it belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? undefined : pid;
  }
}

function describe(file: string, lock: string, holder: number | undefined): string {
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return `${file} is in use by ${who}. End that one, or name another file. If it is no notes service, delete ${lock}.`;
}

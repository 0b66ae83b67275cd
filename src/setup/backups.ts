// Copies of other programs' files as they were before a change: with the date in their names, the last five of each file.

import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, constants, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import type { Paths } from '../platform/paths.ts';
import { ConfigError } from '../config/config-file.ts';

const KEPT = 5;

export function backupDir({ configFile }: Pick<Paths, 'configFile'>): string {
  return join(dirname(configFile), 'backups');
}

/**
 * The path of the copy.
 * @throws ConfigError where none can be made: what has no copy is not changed
 */
export function keepBackup(dir: string, path: string, clock: Pick<Clock, 'wallTime'>): string {
  const extension = extname(path);
  // One program may have its file at several places.
  const place = createHash('sha256').update(path).digest('hex').slice(0, 8);
  const name = `${basename(path, extension)}.${place}`;
  const date = new Date(clock.wallTime()).toISOString().replaceAll(':', '-');
  const copy = join(dir, `${name}.${date}${extension}`);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // Two in one millisecond: the first is the older state.
    copyFileSync(path, copy, constants.COPYFILE_EXCL);
    // People put tokens there.
    chmodSync(copy, 0o600);
    const copies = readdirSync(dir).filter((each) => each.startsWith(`${name}.`));
    for (const old of copies.toSorted().slice(0, -KEPT)) rmSync(join(dir, old), { force: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'EEXIST') return copy;
    throw new ConfigError(
      `No copy of ${path} can be kept in ${dir} (${code}), so the file was not changed.`,
      { cause: error },
    );
  }
  return copy;
}

// The files of one service's sign-in. Names alone; nothing is made.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Paths } from '../../platform/paths.ts';

export interface RecordFiles {
  /** Says that there is a record, and where; no secret. */
  readonly marker: string;
  readonly markerDir: string;
  /** The record itself, where a person has chosen a file. */
  readonly secret: string;
  readonly secretDir: string;
  readonly lock: string;
  /** Held while a page to sign in is open. */
  readonly pageLock: string;
  /** For what a page was last opened. */
  readonly asked: string;
}

export function recordFiles({ stateDir }: Pick<Paths, 'stateDir'>, key: string): RecordFiles {
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  const markerDir = join(stateDir, 'sign-ins');
  const secretDir = join(stateDir, 'secrets');
  return {
    marker: join(markerDir, `${name}.json`),
    markerDir,
    secret: join(secretDir, `${name}.json`),
    secretDir,
    lock: join(markerDir, `${name}.lock`),
    pageLock: join(markerDir, `${name}.page.lock`),
    asked: join(markerDir, `${name}.page`),
  };
}

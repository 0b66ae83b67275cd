// The secret that every request on the daemon's socket carries: whoever can read the file is this user.

import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { randomBytes } from 'node:crypto';

const BYTES = 32;

/**
 * The secret of the last daemon where it is sound, so that who has read it need not read it again; else a new one.
 * Only for who holds the daemon's lock.
 * @throws Error when it cannot be written
 */
export function keepSecret(file: string): string {
  const known = lstatSync(file, { throwIfNoEntry: false });
  const isSound =
    known?.isFile() === true &&
    known.uid === (process.getuid?.() ?? known.uid) &&
    (process.platform === 'win32' || (known.mode & 0o077) === 0);
  const text = isSound ? readFileSync(file, 'latin1') : '';
  if (/^[0-9a-f]+$/.test(text) && text.length === BYTES * 2) return text;
  const secret = randomBytes(BYTES).toString('hex');
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, secret, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  return secret;
}

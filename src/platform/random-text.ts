// Text that nobody can guess. Apart from random.ts, because what has to start fast must not load node:crypto.

import { randomBytes } from 'node:crypto';

/** 256 bits, in letters that may stand in a URL. */
export function unguessableText(): string {
  return randomBytes(32).toString('base64url');
}

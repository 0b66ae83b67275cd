// Keeps the last known answers of a service in a file of its own.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFile } from 'atomically';

/**
 * @param parts what the answers depend on: service, headers, kind of client
 */
export function knownAnswersFile(
  cacheDir: string,
  parts: readonly string[],
): { load(): string | undefined; save(text: string): Promise<void> } {
  const name = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
  const path = join(cacheDir, 'answers', `${name}.json`);
  return {
    load() {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
    async save(text) {
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(path, text, { mode: 0o600, timeout: 2000 });
      } catch {
        // A full disk or a folder that cannot be written costs only the head start of the next launch.
      }
    },
  };
}

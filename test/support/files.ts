// What lies in a folder, for tests that look for what should not be there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Of all files together; bytes as they are. */
export function textBelow(folder: string): string {
  return filesBelow(folder)
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}
